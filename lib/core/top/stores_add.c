/* SPDX-License-Identifier: MIT */
/*
 * First the store is opened, seen by nobody; then it stands among the others and
 * is read in pieces; then the request is answered, or it is taken out again and
 * the request is answered after that.
 */
#include "core/top/stores_add.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "core/frame/event_ring.h"
#include "core/top/restart.h"
#include "core/top/stores.h"

static void stores_add_answer(struct stores_adding *adding)
{
	struct value answer = value_nil(), list;
	struct arena arena;

	arena_init(&arena);
	if (!adding->rc) {
		list = scheduler_stores(adding->scheduler, &arena);
		for (uint32_t i = 0; i < list.array.count; i++)
			if (value_is_text(
				value_get(&list.array.items[i], "name"), adding->slot->name))
				answer = list.array.items[i];
		event_ring_say(adding->scheduler, SCHEDD_EVENT_JOBSTORE_ADDED, adding->slot->name,
		    NULL, &adding->actor);
	}
	scheduler_answer_done(adding->reply, adding->rc, &adding->err, &answer, &arena);
	arena_clear(&arena);
	free(adding);
}

static void stores_add_left(struct stores_leaving *leaving)
{
	stores_add_answer((struct stores_adding *)leaving);
}

static void stores_add_open_letter(struct mailbox_letter *letter)
{
	struct stores_adding *adding = (struct stores_adding *)(void *)((char *)letter -
									 offsetof(struct stores_adding, letter));
	struct schedd_scheduler *scheduler = adding->scheduler;
	struct stores_adding **link = &scheduler->top.adding;

	scheduler_enter(scheduler);
	while (*link != adding)
		link = &(*link)->next;
	*link = adding->next;
	adding->slot->waited = NULL;
	adding->slot->adding = NULL;
	if (adding->rc && (!adding->joined || (scheduler->phase != SCHEDULER_STOPPED &&
						  !stores_used(scheduler, adding->slot))))
		stores_leave(&adding->leaving, adding->slot, stores_add_left);
	else
		stores_add_answer(adding);
	scheduler_leave(scheduler);
}

static void stores_add_over(struct stores_adding *adding, int rc, const struct schedd_error *err)
{
	if (adding->over)
		return;
	adding->over = true;
	adding->rc = rc;
	if (rc)
		adding->err = *err;
	adding->letter.open = stores_add_open_letter;
	mailbox_post(adding->scheduler->mailbox, &adding->letter);
}

/* It is open or refused, or, when it has joined, read or not to be read. */
static void stores_add_went_on(struct store_slot *slot, const struct schedd_error *why)
{
	struct stores_adding *adding = slot->adding;
	struct schedd_error err;
	int rc = why ? why->code : 0;

	if (adding->over)
		return;
	if (!rc && !adding->joined) {
		rc = stores_join(adding->scheduler, slot, &err);
		why = &err;
		adding->joined = !rc;
		if (!rc) {
			restart_read_store(slot);
			return;
		}
	}
	stores_add_over(adding, rc, why);
}

void scheduler_add_store_live(struct schedd_scheduler *scheduler,
    const struct scheduler_new_store *store, const struct scheduler_actor *actor,
    struct scheduler_reply reply)
{
	struct stores_adding *adding = calloc(1, sizeof(*adding));
	struct schedd_error err;
	int rc = adding ? stores_make(scheduler, store, false, &adding->slot, &err)
			: schedd_error_nomem(&err);

	if (rc) {
		free(adding);
		scheduler_answer(reply, rc, &err, NULL);
		return;
	}
	adding->scheduler = scheduler;
	adding->actor = *actor;
	adding->reply = reply;
	adding->next = scheduler->top.adding;
	scheduler->top.adding = adding;
	adding->slot->adding = adding;
	/* One on a server comes when it comes. */
	if (store->url) {
		rc = stores_join(scheduler, adding->slot, &err);
		adding->joined = !rc;
		stores_add_over(adding, rc, &err);
	} else {
		adding->slot->waited = stores_add_went_on;
	}
}

void stores_add_stop(struct schedd_scheduler *scheduler)
{
	struct schedd_error err;

	schedd_error_set(&err, SCHEDD_EFAILED, "the scheduler stops");
	while (scheduler->top.adding) {
		struct stores_adding *adding = scheduler->top.adding;

		stores_add_over(adding, err.code, &err);
		mailbox_deliver(scheduler->mailbox);
	}
}
