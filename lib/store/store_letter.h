/* SPDX-License-Identifier: MIT */
/*
 * Something a store owes an answer for, done or told on the loop's thread by a
 * letter. Embedded as the first member of what it needs.
 */
#ifndef SCHEDD_STORE_STORE_LETTER_H
#define SCHEDD_STORE_STORE_LETTER_H

#include "store/store_ops.h"

struct store_letter {
	struct mailbox_letter letter;
	struct store *store;
	/* Does and tells it; the letter is freed afterwards, unless it was put once more. */
	void (*open)(struct store_letter *letter);
	bool opened;        /* it was, at least once */
	bool again;         /* it was put once more while it was open */
	struct arena arena; /* freed with it */
};

/* size bytes, zeroed; NULL: no memory. Counts in the store's pending until it is freed. */
void *store_letter_new(
    struct store *store, size_t size, void (*open)(struct store_letter *letter));
/* From the loop's thread, or while it is open: for another turn. */
void store_letter_put(struct store_letter *letter);
/* From any other thread. */
void store_letter_post(struct store_letter *letter);

#endif
