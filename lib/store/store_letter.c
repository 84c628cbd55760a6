/* SPDX-License-Identifier: MIT */
#include "store/store_letter.h"

#include <stdlib.h>

static void letter_open(struct mailbox_letter *base)
{
	struct store_letter *letter =
	    (struct store_letter *)((char *)base - offsetof(struct store_letter, letter));
	struct store *store = letter->store;

	letter->again = false;
	letter->opened = true;
	store_answered(store);
	letter->open(letter);
	if (letter->again)
		return;
	arena_clear(&letter->arena);
	free(letter);
}

void *store_letter_new(
    struct store *store, size_t size, void (*open)(struct store_letter *letter))
{
	struct store_letter *letter = calloc(1, size);

	if (!letter)
		return NULL;
	letter->letter.open = letter_open;
	letter->store = store;
	letter->open = open;
	arena_init(&letter->arena);
	store->pending++;
	return letter;
}

void store_letter_put(struct store_letter *letter)
{
	if (letter->opened)
		letter->store->pending++;
	letter->again = letter->opened;
	mailbox_put(letter->store->mailbox, &letter->letter);
}

void store_letter_post(struct store_letter *letter)
{
	mailbox_post(letter->store->mailbox, &letter->letter);
}
