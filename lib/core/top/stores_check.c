/* SPDX-License-Identifier: MIT */
/*
 * Trying a store out: one that is configured as it is, or a server that is not,
 * which is opened for the time being under an identity of its own, so that who
 * owns it is not fenced off by the question.
 */
#include "core/top/stores_check.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "base/duration.h"
#include "core/frame/store_slot.h"
#include "store/store_check.h"

struct stores_check {
	struct stores_check *next; /* of those under way */
	struct schedd_scheduler *scheduler;
	struct scheduler_reply reply;
	struct store *store;
	bool own;         /* opened for this, to be closed again */
	bool waits;       /* for the one before it: two at once would take each other's writes for a fault */
	bool over;        /* it has come to its end */
	int64_t begun;    /* mono microseconds */
	schedd_span took; /* connecting; negative: it was connected before */
	struct mailbox_letter letter; /* ends it, where there is nothing to close */
	int rc;
	struct schedd_error err;
	struct value result;
	struct arena arena;
};

static void stores_check_answer(struct stores_check *check)
{
	struct scheduler_reply reply = check->reply;

	check->reply = (struct scheduler_reply){NULL, NULL};
	if (!check->rc && arena_failed(&check->arena))
		check->rc = schedd_error_nomem(&check->err);
	scheduler_answer(reply, check->rc, &check->err, &check->result);
}

static void stores_checked(int rc, const struct schedd_error *err, const struct value *value, void *context);

/* The oldest that waits for that store begins. */
static void stores_check_next(struct schedd_scheduler *scheduler, const struct store *store)
{
	struct stores_check *next = NULL;

	for (struct stores_check *check = scheduler->top.checks; check; check = check->next)
		if (check->waits && check->store == store)
			next = check;
	if (!next)
		return;
	next->waits = false;
	store_check(next->store, stores_checked, next);
}

/* Takes it out, closes what was opened, answers unless that was done. */
static void stores_check_end(void *context)
{
	struct stores_check *check = context;
	struct stores_check **link = &check->scheduler->top.checks;

	while (*link != check)
		link = &(*link)->next;
	*link = check->next;
	if (check->own)
		store_close(check->store);
	else
		stores_check_next(check->scheduler, check->store);
	stores_check_answer(check);
	arena_clear(&check->arena);
	free(check);
}

static void stores_check_open_letter(struct mailbox_letter *letter)
{
	stores_check_end((struct stores_check *)(void *)((char *)letter -
							 offsetof(struct stores_check, letter)));
}

/* It is over, and ends when its store is not calling any more. */
static void stores_check_over(struct stores_check *check, int rc, const struct schedd_error *err)
{
	if (check->over)
		return;
	check->over = true;
	check->rc = rc;
	if (rc)
		check->err = *err;
	if (check->own) {
		/* One that does not answer may take its time to go. */
		if (rc)
			stores_check_answer(check);
		store_leave(check->store, stores_check_end, check);
		return;
	}
	check->letter.open = stores_check_open_letter;
	mailbox_post(check->scheduler->mailbox, &check->letter);
}

static void stores_check_put(struct stores_check *check, const char *key, const struct value *map)
{
	const struct value *value = value_get(map, key);

	value_put(&check->arena, &check->result, key,
	    value ? value_copy(&check->arena, value) : value_nil());
}

static void stores_checked(
    int rc, const struct schedd_error *err, const struct value *value, void *context)
{
	static const char *const of_store[] = {"type", "address", "path", "state", "durable",
	    "durability"};
	static const char *const of_check[] = {"write", "read", "remove"};
	struct stores_check *check = context;
	struct value status;

	if (rc) {
		stores_check_over(check, rc, err);
		return;
	}
	status = store_status(check->store, &check->arena);
	check->result = value_map();
	value_put(&check->arena, &check->result, "name",
	    check->own ? value_nil() : value_string(&check->arena, store_name(check->store)));
	for (size_t i = 0; i < sizeof(of_store) / sizeof(of_store[0]); i++)
		stores_check_put(check, of_store[i], &status);
	value_put(&check->arena, &check->result, "connect",
	    check->took >= 0 ? duration_to_value(check->took) : value_nil());
	for (size_t i = 0; i < sizeof(of_check) / sizeof(of_check[0]); i++)
		stores_check_put(check, of_check[i], value);
	stores_check_over(check, 0, NULL);
}

/* It has come, or says why it does not: the first word counts. */
static void stores_check_changed(struct store *store, enum store_state state,
    const struct schedd_error *why, void *context)
{
	struct stores_check *check = context;

	check->store = store;
	if (check->over || check->took >= 0)
		return;
	if (state == STORE_OK) {
		check->took = scheduler_mono(check->scheduler).us - check->begun;
		store_check(store, stores_checked, check);
	} else if (why) {
		stores_check_over(check, SCHEDD_EFAILED, why);
	}
}

static int stores_check_open(struct stores_check *check, const struct scheduler_new_store *from,
    struct schedd_error *err)
{
	struct schedd_scheduler *scheduler = check->scheduler;
	const struct store_config config = {.name = "check",
	    .type = from->type,
	    .url = from->url,
	    .options = from->options,
	    .log = NULL,
	    .clock = scheduler->clock,
	    .loop = scheduler->loop,
	    .mailbox = scheduler->mailbox,
	    .trigger = scheduler_trigger_context(scheduler),
	    .changed = stores_check_changed,
	    .context = check};

	check->own = true;
	return store_open(&config, &check->store, err);
}

void scheduler_check_store(struct schedd_scheduler *scheduler,
    const struct scheduler_new_store *store, struct scheduler_reply reply)
{
	struct stores_check *check = calloc(1, sizeof(*check));
	struct store_slot *slot = store->url ? NULL : store_slot_find(scheduler, store->name);
	struct schedd_error err;
	int rc = check ? 0 : schedd_error_nomem(&err);

	if (!rc && !store->url && !slot)
		rc = schedd_error_set(
		    &err, SCHEDD_ENOTFOUND, "store %s: no such store", store->name);
	if (!rc && slot && store_state(slot->store) != STORE_OK)
		rc = schedd_error_set(&err, SCHEDD_EFAILED, "store %s is %s: %s", slot->name,
		    store_state_word(store_state(slot->store)), store_state_why(slot->store));
	if (!rc) {
		check->scheduler = scheduler;
		check->reply = reply;
		check->begun = scheduler_mono(scheduler).us;
		check->took = SCHEDD_SPAN_NONE;
		check->result = value_nil();
		arena_init(&check->arena);
		rc = slot ? 0 : stores_check_open(check, store, &err);
	}
	if (rc) {
		free(check);
		scheduler_answer(reply, rc, &err, NULL);
		return;
	}
	for (const struct stores_check *other = scheduler->top.checks; slot && other; other = other->next)
		check->waits |= !other->own && other->store == slot->store;
	check->next = scheduler->top.checks;
	scheduler->top.checks = check;
	if (slot) {
		check->store = slot->store;
		if (!check->waits)
			store_check(slot->store, stores_checked, check);
	}
}

void stores_check_refuse(struct schedd_scheduler *scheduler, const struct store *store, const char *why)
{
	struct schedd_error err;

	schedd_error_set(&err, SCHEDD_EFAILED, "%s", why);
	for (struct stores_check *check = scheduler->top.checks; check; check = check->next) {
		if (!check->waits || (store && check->store != store))
			continue;
		check->waits = false;
		stores_check_over(check, err.code, &err);
	}
}

void stores_check_stop(struct schedd_scheduler *scheduler)
{
	while (scheduler->top.checks) {
		struct stores_check *check = scheduler->top.checks;

		/* That of a configured store was answered as this was closed. */
		if (check->over && !check->own) {
			mailbox_deliver(scheduler->mailbox);
			continue;
		}
		if (!check->over)
			check->rc = schedd_error_set(
			    &check->err, SCHEDD_EFAILED, "the scheduler stops");
		/* Closing answers what is under way, which ends nothing any more. */
		check->over = true;
		if (check->own)
			store_close(check->store);
		check->own = false;
		stores_check_end(check);
	}
}
