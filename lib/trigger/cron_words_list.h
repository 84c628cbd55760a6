/* SPDX-License-Identifier: MIT */
/* Lists in English: "1, 3 to 7 and 9". */
#ifndef SCHEDD_TRIGGER_CRON_WORDS_LIST_H
#define SCHEDD_TRIGGER_CRON_WORDS_LIST_H

#include <stdint.h>
#include "base/strbuf.h"

struct cron_words_list {
	struct strbuf *out; /* borrowed */
	size_t items;       /* begun so far */
	size_t last;        /* offset in out of the separator before the last one */
};

/* Begins an item; its text is then added to out. */
void cron_words_list_item(struct cron_words_list *list);
/* Ends the list: the last comma becomes word ("and", "or"). */
void cron_words_list_end(struct cron_words_list *list, const char *word);

/* Adds the text of a value. */
typedef void cron_words_value(struct strbuf *out, int value);
/* The set's members as items, three or more in a row as "a to b". */
void cron_words_list_set(struct cron_words_list *list, uint64_t set, cron_words_value *value);

#endif
