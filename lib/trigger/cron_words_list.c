/* SPDX-License-Identifier: MIT */
#include "trigger/cron_words_list.h"

#include <string.h>

void cron_words_list_item(struct cron_words_list *list)
{
	if (list->items++ > 0) {
		list->last = list->out->length;
		strbuf_add(list->out, ", ");
	}
}

void cron_words_list_end(struct cron_words_list *list, const char *word)
{
	struct strbuf *out = list->out;
	size_t length = strlen(word), tail;

	/* "a, b" becomes "a and b": a blank stands where the comma was. */
	if (list->items < 2 || strbuf_failed(out) || !strbuf_reserve(out, length))
		return;
	tail = list->last + 2;
	memmove(out->data + tail + length, out->data + tail, out->length - tail + 1);
	out->data[list->last] = ' ';
	memcpy(out->data + list->last + 1, word, length);
	out->data[list->last + 1 + length] = ' ';
	out->length += length;
}

void cron_words_list_set(struct cron_words_list *list, uint64_t set, cron_words_value *value)
{
	while (set) {
		int first = __builtin_ctzll(set);
		int last = first;

		while (last < 63 && set >> (last + 1) & 1)
			last++;
		if (last == first + 1)
			last = first;
		cron_words_list_item(list);
		value(list->out, first);
		if (last > first) {
			strbuf_add(list->out, " to ");
			value(list->out, last);
		}
		set &= last == 63 ? 0 : UINT64_MAX << (last + 1);
	}
}
