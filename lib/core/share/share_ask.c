/* SPDX-License-Identifier: MIT */
/*
 * What nodes ask of each other: a line in the store's feed, as JSON, answered
 * by another. A node takes each line once, and after a restart none of before:
 * what is asked is done at most once, and who asked is told if that is not
 * known.
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json_exact.h"
#include "core/changes/job_switch.h"
#include "core/share/share_state.h"

/* Asked and not answered yet. */
struct share_ask {
	struct share_ask *next;
	struct share *share;
	uint32_t node;
	char id[24];
	struct timer limit;
	struct scheduler_reply reply;
};

/* What another asked. */
struct scheduler_asked {
	struct store_slot *slot;
	uint32_t origin;
	char id[24];
};

/* ---- Asking ---- */

static struct share_ask **share_ask_place(struct schedd_scheduler *scheduler, const char *id)
{
	struct share_ask **ask = &scheduler->share.asks;

	while (*ask && strcmp((*ask)->id, id) != 0)
		ask = &(*ask)->next;
	return ask;
}

static void share_ask_end(
    struct share_ask *ask, int rc, const struct schedd_error *err, const struct value *result)
{
	struct schedd_scheduler *scheduler = ask->share->slot->scheduler;
	struct scheduler_reply reply = ask->reply;

	*share_ask_place(scheduler, ask->id) = ask->next;
	timers_unset(&scheduler->timers, &ask->limit);
	free(ask);
	scheduler_answer(reply, rc, err, result);
}

static void share_ask_fail(struct share_ask *ask, const char *why)
{
	const struct store_node *node = share_node(ask->share, ask->node);
	struct schedd_error err;

	schedd_error_set(&err, SCHEDD_EFAILED,
	    "node %s %s: whether it has done what was asked is not known", node ? node->name : "?", why);
	share_ask_end(ask, SCHEDD_EFAILED, &err, NULL);
}

static void share_ask_late(struct timer *timer)
{
	struct share_ask *ask =
	    (struct share_ask *)(void *)((char *)timer - offsetof(struct share_ask, limit));
	struct schedd_scheduler *scheduler = ask->share->slot->scheduler;

	scheduler_enter(scheduler);
	share_ask_fail(ask, "does not answer");
	scheduler_leave(scheduler);
}

void share_unanswered(struct share *share, uint32_t node)
{
	struct share_ask *ask = share->slot->scheduler->share.asks, *next;

	for (; ask; ask = next) {
		next = ask->next;
		if (ask->share == share && ask->node == node) {
			share_ask_fail(ask, "died meanwhile");
			next = share->slot->scheduler->share.asks;
		}
	}
}

/* Whoever waits may want to ask again: over keeps it from that. */
void share_asks_end(struct share *share)
{
	struct schedd_scheduler *scheduler = share->slot->scheduler;
	const char *why = scheduler->phase == SCHEDULER_STOPPED
			      ? "is not waited for, as schedd stops"
			      : "is not waited for, as its store is closed";
	struct share_ask *ask;

	share->over = true;
	do {
		ask = scheduler->share.asks;
		while (ask && ask->share != share)
			ask = ask->next;
		if (ask)
			share_ask_fail(ask, why);
	} while (ask);
}

/* On its way to the store; the ask itself may be over by then. */
struct share_sent {
	struct schedd_scheduler *scheduler;
	char id[24];
};

static void share_ask_sent(int rc, const struct schedd_error *err, void *context)
{
	struct share_sent *sent = context;
	struct share_ask *ask;

	scheduler_enter(sent->scheduler);
	ask = rc ? *share_ask_place(sent->scheduler, sent->id) : NULL;
	if (ask)
		share_ask_end(ask, rc, err, NULL);
	scheduler_leave(sent->scheduler);
	free(sent);
}

static bool share_tell(struct store_slot *slot, uint32_t node, const char *what, const char *id,
    const struct value *value, store_done_fn done, void *context)
{
	struct strbuf text = STRBUF_EMPTY;
	struct store_batch *batch;

	json_exact_write(&text, value);
	batch = strbuf_failed(&text) ? NULL : store_batch_new(slot->store);
	if (batch) {
		store_batch_tell(batch, node, what, id, strbuf_peek(&text));
		store_commit(slot->store, batch, done, context);
	}
	strbuf_clear(&text);
	return batch != NULL;
}

static int share_ask_make(struct schedd_scheduler *scheduler, const char *name,
    const struct value *request, schedd_span limit, struct scheduler_reply reply,
    struct schedd_error *err)
{
	const struct store_node *node = NULL;
	struct share *share = NULL;
	struct share_ask *ask;
	struct share_sent *sent;

	for (uint32_t i = 0; i < scheduler->store_count && !node; i++) {
		share = scheduler->stores[i]->share;
		node = share ? share_named(share, name) : NULL;
	}
	if (!node)
		return scheduler_node_check(scheduler, name, err) ? err->code
		     : schedd_error_set(err, SCHEDD_EFAILED, "node %s has not joined yet: try again", name);
	if (share->over)
		return schedd_error_set(err, SCHEDD_EFAILED, "node %s is not asked any more: %s", name,
		    scheduler->phase == SCHEDULER_STOPPED ? "schedd stops" : "its store is closed");
	if (!share_node_lives(share, node))
		return schedd_error_set(err, SCHEDD_EFAILED, "node %s is dead", name);
	ask = calloc(1, sizeof(*ask));
	sent = calloc(1, sizeof(*sent));
	if (!ask || !sent) {
		free(ask);
		free(sent);
		return schedd_error_nomem(err);
	}
	ask->share = share;
	ask->node = node->number;
	ask->reply = reply;
	snprintf(ask->id, sizeof(ask->id), "%" PRIx64 ".%" PRIx64, scheduler_random(scheduler) >> 32,
	    ++scheduler->share.ask);
	timer_init(&ask->limit, share_ask_late);
	ask->next = scheduler->share.asks;
	scheduler->share.asks = ask;
	sent->scheduler = scheduler;
	memcpy(sent->id, ask->id, sizeof(sent->id));
	if (!timers_set(&scheduler->timers, &ask->limit,
		(struct schedd_mono){scheduler_mono(scheduler).us + limit}) &&
	    share_tell(share->slot, node->number, STORE_TELL_ASK, ask->id, request, share_ask_sent, sent))
		return 0;
	free(sent);
	ask->reply.call = NULL;
	share_ask_end(ask, SCHEDD_ENOMEM, NULL, NULL);
	return schedd_error_nomem(err);
}

void scheduler_ask_node(struct schedd_scheduler *scheduler, const char *node,
    const struct value *request, schedd_span limit, struct scheduler_reply reply)
{
	struct schedd_error err;
	int rc;

	scheduler_enter(scheduler);
	rc = share_ask_make(scheduler, node, request, limit, reply, &err);
	if (rc)
		scheduler_answer(reply, rc, &err, NULL);
	scheduler_leave(scheduler);
}

/* ---- Being asked ---- */

void scheduler_set_asked(struct schedd_scheduler *scheduler, scheduler_asked_fn call, void *context)
{
	scheduler->share.asked = call;
	scheduler->share.asked_context = context;
}

void scheduler_asked_answer(struct scheduler_asked *asked, int rc, const struct schedd_error *err,
    const struct value *result)
{
	struct value map = value_map();
	struct arena arena;

	arena_init(&arena);
	if (rc) {
		value_put(&arena, &map, "code", value_int(rc));
		value_put(&arena, &map, "message",
		    value_string(&arena, err ? err->message : "it failed"));
	} else {
		value_put(&arena, &map, "result", result ? *result : value_nil());
	}
	if (asked->slot->store)
		(void)share_tell(asked->slot, asked->origin, STORE_TELL_ANSWER, asked->id, &map, NULL, NULL);
	arena_clear(&arena);
	free(asked);
}

/* A run of a job of ours, for what ended elsewhere. */
static void share_started(struct share *share, const struct value *request)
{
	struct schedd_scheduler *scheduler = share->slot->scheduler;
	const char *id = value_get_string(request, "job"), *note = value_get_string(request, "note");
	const char *because = value_get_string(request, "because");
	const char *name = value_get_string(request, "trigger");
	struct entry *entry = id ? entry_get(scheduler, id) : NULL;
	enum run_trigger trigger;

	if (!entry || !name || !run_trigger_parse(name, &trigger))
		return;
	if (note)
		job_switch_follow(scheduler, entry, because, note, share->slot);
	else
		job_switch_start(scheduler, entry, trigger, because);
}

static void share_asked(struct share *share, const struct store_share_news *news)
{
	struct schedd_scheduler *scheduler = share->slot->scheduler;
	struct scheduler_asked *asked;
	struct schedd_error err;
	struct value request;
	struct arena arena;

	arena_init(&arena);
	if (json_exact_parse(news->text, strlen(news->text), &arena, &request, &err)) {
		log_warn(scheduler->log, "what a node asks cannot be read: %s", err.message);
	} else if (value_get(&request, "start")) {
		share_started(share, value_get(&request, "start"));
	} else if (scheduler->share.asked && (asked = calloc(1, sizeof(*asked)))) {
		asked->slot = share->slot;
		asked->origin = news->origin;
		snprintf(asked->id, sizeof(asked->id), "%s", news->id);
		scheduler->share.asked(&request, asked, scheduler->share.asked_context);
	}
	arena_clear(&arena);
}

static void share_answered(struct share *share, const struct store_share_news *news)
{
	struct share_ask *ask = *share_ask_place(share->slot->scheduler, news->id);
	struct schedd_error err;
	struct value answer;
	struct arena arena;
	int64_t code;

	if (!ask)
		return;
	arena_init(&arena);
	if (json_exact_parse(news->text, strlen(news->text), &arena, &answer, &err)) {
		share_ask_end(ask, err.code, &err, NULL);
	} else {
		code = value_get_int(&answer, "code", 0);
		if (code)
			schedd_error_set(&err, (int)code, "%s", value_get_string(&answer, "message"));
		share_ask_end(ask, (int)code, &err, value_get(&answer, "result"));
	}
	arena_clear(&arena);
}

void share_told(struct share *share, const struct store_share_news *news)
{
	if (strcmp(news->what, STORE_TELL_ASK) == 0)
		share_asked(share, news);
	else if (strcmp(news->what, STORE_TELL_ANSWER) == 0)
		share_answered(share, news);
}

/* ---- Runs that nobody asked for, of jobs of others ---- */

bool share_start(
    struct entry *entry, enum run_trigger trigger, const char *because, const char *note)
{
	struct share *share = entry->store->share;
	uint32_t owner = share ? share_owner(share, entry) : 0;
	struct value request = value_map(), start = value_map();
	struct arena arena;

	/* Ours and not due here: it is on its way to another, or none suits it. */
	if (!owner || owner == share->own)
		return false;
	arena_init(&arena);
	value_put(&arena, &start, "job", value_string_ref(entry->job->id));
	value_put(&arena, &start, "trigger", value_string_ref(run_trigger_name(trigger)));
	value_put(&arena, &start, "because", value_string_ref(because));
	value_put(&arena, &start, "note", value_string_ref(note));
	value_put(&arena, &request, "start", start);
	if (!share_tell(share->slot, owner, STORE_TELL_ASK, "", &request, NULL, NULL))
		log_error(share->slot->scheduler->log, "job %s: no memory to start it on its node",
		    entry->job->id);
	arena_clear(&arena);
	return true;
}
