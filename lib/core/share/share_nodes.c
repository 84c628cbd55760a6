/* SPDX-License-Identifier: MIT */
/* The nodes as people see them, and what people do to them. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/iso8601.h"
#include "base/suggest.h"
#include "core/share/share_state.h"

/* The first store that is shared; NULL: none is. */
static struct share *share_first(const struct schedd_scheduler *scheduler)
{
	for (uint32_t i = 0; i < scheduler->store_count; i++)
		if (scheduler->stores[i]->share)
			return scheduler->stores[i]->share;
	return NULL;
}

bool scheduler_is_shared(const struct schedd_scheduler *scheduler)
{
	return share_first(scheduler) != NULL;
}

const char *scheduler_node_name(const struct schedd_scheduler *scheduler)
{
	const struct share *share = share_first(scheduler);

	return share ? store_node_name(share->slot->store) : NULL;
}

int scheduler_node_check(
    const struct schedd_scheduler *scheduler, const char *name, struct schedd_error *err)
{
	const char *own = scheduler_node_name(scheduler), *closest;
	struct suggest suggest;

	if (!own)
		return schedd_error_set(
		    err, SCHEDD_ENOTFOUND, "node %.64s: no store is shared, there are no nodes", name);
	/* Known before all others are told. */
	if (strcmp(own, name) == 0)
		return 0;
	suggest_init(&suggest, name);
	suggest_offer(&suggest, own);
	for (uint32_t i = 0; i < scheduler->store_count; i++) {
		const struct share *share = scheduler->stores[i]->share;

		if (share && share_named(share, name))
			return 0;
		for (uint32_t k = 0; share && k < share->node_count; k++)
			suggest_offer(&suggest, share->nodes[k].name);
	}
	closest = suggest_result(&suggest);
	return schedd_error_set(err, SCHEDD_ENOTFOUND, "node %.64s: no such node%s%s%s", name,
	    closest ? ", did you mean '" : "", closest ? closest : "", closest ? "'?" : "");
}

bool scheduler_job_elsewhere(
    struct schedd_scheduler *scheduler, const char *id, const char **name)
{
	const struct entry *entry = entry_get(scheduler, id);
	const struct share *share = entry ? entry->store->share : NULL;
	const struct store_node *node;

	*name = NULL;
	/* Of one on all nodes there is nothing to be asked elsewhere, but of its parts. */
	if (!share || !entry->foreign || entry_on_all(entry))
		return false;
	node = share_node(share, share_owner(share, entry));
	if (node && node->number != share->own)
		*name = node->name;
	return true;
}

bool scheduler_node_lives(
    const struct schedd_scheduler *scheduler, const char *name, char *why, size_t size)
{
	const struct share *share = share_first(scheduler);
	const struct store_node *node = share ? share_named(share, name) : NULL;
	struct strbuf when = STRBUF_EMPTY;

	if (node && share_node_lives(share, node))
		return true;
	if (!node) {
		snprintf(why, size, "is not among the nodes any more");
	} else if (node->dead_since == SCHEDD_TIME_NONE) {
		snprintf(why, size, "has not been seen for longer than its lease");
	} else {
		iso8601_format(&when, node->dead_since, 0, true);
		snprintf(why, size, "is dead since %s", strbuf_peek(&when));
		strbuf_clear(&when);
	}
	return false;
}

/* ---- The output of runs ---- */

struct share_kept {
	struct schedd_scheduler *scheduler;
	scheduler_kept_fn call;
	void *context;
};

static void share_kept(int rc, const struct schedd_error *err, const char *bytes, size_t length,
    void *context)
{
	struct share_kept *kept = context;

	scheduler_enter(kept->scheduler);
	kept->call(rc, err, bytes, length, kept->context);
	scheduler_leave(kept->scheduler);
	free(kept);
}

void scheduler_run_kept(struct schedd_scheduler *scheduler, const char *job, uint32_t number,
    scheduler_kept_fn call, void *context)
{
	const struct entry *entry = entry_get(scheduler, job);
	/* One that is removed may have been there. */
	const struct share *share = entry ? entry->store->share : share_first(scheduler);
	struct share_kept *kept = share ? calloc(1, sizeof(*kept)) : NULL;
	struct schedd_error err;

	if (!share) {
		call(0, NULL, NULL, 0, context);
		return;
	}
	if (!kept) {
		call(schedd_error_nomem(&err), &err, NULL, 0, context);
		return;
	}
	*kept = (struct share_kept){scheduler, call, context};
	store_share_output(share->slot->store, job, number, share_kept, kept);
}

/* ---- Looking anew ---- */

/* Of so many jobs of others at most all are read for a list. */
#define SHARE_FRESH_MAX 20000
/* What was looked at is not looked at again for so long. */
#define SHARE_FRESH_FOR (SCHEDD_SECOND / 5)

struct share_fresh {
	struct schedd_scheduler *scheduler;
	const char *id;       /* as asked, borrowed; NULL: all of them */
	struct share *asked;  /* the store that is on its way */
	uint32_t next;        /* of the scheduler's stores */
	scheduler_fresh_fn call;
	void *context;
};

static bool share_fresh_next(struct share_fresh *fresh);

static void share_freshened(int rc, const struct schedd_error *err, void *context)
{
	struct share_fresh *fresh = context;
	struct schedd_scheduler *scheduler = fresh->scheduler;

	(void)err;
	scheduler_enter(scheduler);
	for (uint32_t i = 0; rc == 0 && !fresh->id && i < scheduler->store_count; i++)
		if (scheduler->stores[i]->share == fresh->asked)
			fresh->asked->fresh_at = scheduler_mono(scheduler);
	if (!share_fresh_next(fresh)) {
		/* What is known is answered where the store does not. */
		fresh->call(fresh->context);
		free(fresh);
	}
	scheduler_leave(scheduler);
}

/* Is there something to look at? Of a job that is not known any store may have heard. */
static bool share_may_freshen(const struct share *share, const char *id)
{
	const struct schedd_scheduler *scheduler = share->slot->scheduler;
	const struct entry *entry = id ? entry_get(scheduler, id) : NULL;
	schedd_span since = scheduler_mono(scheduler).us - share->fresh_at.us;

	if (!share->slot->taken_up || store_state(share->slot->store) != STORE_OK)
		return false;
	if (id)
		return entry ? entry->store == share->slot && entry->foreign : true;
	return share->slot->entries <= SHARE_FRESH_MAX && (!share->fresh_at.us || since > SHARE_FRESH_FOR);
}

/* One store after the other; false: there is none left. */
static bool share_fresh_next(struct share_fresh *fresh)
{
	const struct schedd_scheduler *scheduler = fresh->scheduler;

	while (fresh->next < scheduler->store_count) {
		struct share *share = scheduler->stores[fresh->next++]->share;

		if (!share || !share_may_freshen(share, fresh->id))
			continue;
		fresh->asked = share;
		store_share_refresh(share->slot->store, fresh->id, share_freshened, fresh);
		return true;
	}
	return false;
}

bool scheduler_refresh(struct schedd_scheduler *scheduler, const char *id, scheduler_fresh_fn call,
    void *context)
{
	const struct entry *asked = id ? entry_get(scheduler, id) : NULL;
	struct share_fresh *fresh = calloc(1, sizeof(*fresh));

	if (!fresh)
		return false;
	/* What is told of one on all nodes is told of its parts. */
	*fresh = (struct share_fresh){.scheduler = scheduler,
	    .id = asked && entry_on_all(asked) ? NULL : id,
	    .call = call,
	    .context = context};
	if (share_fresh_next(fresh))
		return true;
	free(fresh);
	return false;
}

/* Between two looks at whose a job is. */
#define SHARE_LATER (SCHEDD_SECOND / 20)

struct share_later {
	struct share_later *next;
	struct schedd_scheduler *scheduler;
	struct timer timer;
	scheduler_fresh_fn call;
	void *context;
};

static void share_later_go(struct share_later *later)
{
	struct share_later **at = &later->scheduler->share.later;

	while (*at != later)
		at = &(*at)->next;
	*at = later->next;
	later->call(later->context);
	free(later);
}

static void share_later_due(struct timer *timer)
{
	struct share_later *later =
	    (struct share_later *)(void *)((char *)timer - offsetof(struct share_later, timer));
	struct schedd_scheduler *scheduler = later->scheduler;

	scheduler_enter(scheduler);
	share_later_go(later);
	scheduler_leave(scheduler);
}

void share_later_end(struct schedd_scheduler *scheduler)
{
	while (scheduler->share.later) {
		timers_unset(&scheduler->timers, &scheduler->share.later->timer);
		share_later_go(scheduler->share.later);
	}
}

bool scheduler_refresh_later(
    struct schedd_scheduler *scheduler, scheduler_fresh_fn call, void *context)
{
	struct share_later *later =
	    scheduler->phase == SCHEDULER_RUNNING ? calloc(1, sizeof(*later)) : NULL;

	if (!later)
		return false;
	*later = (struct share_later){.scheduler = scheduler, .call = call, .context = context};
	timer_init(&later->timer, share_later_due);
	if (timers_set(&scheduler->timers, &later->timer,
		(struct schedd_mono){scheduler_mono(scheduler).us + SHARE_LATER})) {
		free(later);
		return false;
	}
	later->next = scheduler->share.later;
	scheduler->share.later = later;
	return true;
}

/* ---- As people see them ---- */

/* Less than that from its start, in µs: it has not told anything yet. */
#define SHARE_TOLD 100

/* "live", "draining", "late" (its lease was not renewed in time), "dead". */
static const char *share_state_word(const struct share *share, const struct store_node *node)
{
	schedd_span lease = store_lease(share->slot->store);
	if (node->dead_since != SCHEDD_TIME_NONE)
		return "dead";
	/* It renews it each third. */
	if (!share_node_lives(share, node) || node->left < lease / 3)
		return "late";
	return node->draining ? "draining" : "live";
}

bool share_why_node(const struct entry *entry, char *text, size_t size)
{
	const struct share *share = entry->store->share;
	const struct store_node *node;
	const char *word;

	if (!share || !entry->foreign || entry_on_all(entry))
		return false;
	node = share_node(share, share_owner(share, entry));
	word = node ? share_state_word(share, node) : "";
	if (!node)
		snprintf(text, size, "no node has it for now: one takes it within a lease");
	else if (strcmp(word, "late") == 0 || strcmp(word, "dead") == 0)
		snprintf(text, size,
		    "node %s, which has it, has not renewed its lease: another takes it when that is over", node->name);
	else if (strcmp(word, "draining") == 0)
		snprintf(text, size, "node %s, which has it, is drained: it hands it over when no run of it goes on",
		    node->name);
	else
		return false;
	return true;
}

static struct value share_node_value(
    const struct share *share, const struct store_node *node, struct arena *arena)
{
	bool dead = node->dead_since != SCHEDD_TIME_NONE;
	/* With its first beat it says what its life before had said. */
	bool told = !dead && node->seen_at - node->started_at > SHARE_TOLD;
	struct value map = value_map();
	const struct place_slots *places = &share->slot->places;
	int64_t slots = 0, placed = 0;

	for (uint32_t slot = 0; slot < NODE_SLOTS; slot++)
		slots += share->slots[slot].owner == node->number;
	for (uint32_t i = 0; i < places->count; i++)
		placed += places->items[i].owner == node->number;
	value_put(arena, &map, "name", value_string(arena, node->name));
	value_put(arena, &map, "state", value_string_ref(share_state_word(share, node)));
	value_put(arena, &map, "self", value_bool(node->number == share->own));
	value_put(arena, &map, "store", value_string_ref(share->slot->name));
	value_put(arena, &map, "labels", node_labels_value(node->labels, arena));
	value_put(arena, &map, "version", value_string(arena, node->version));
	value_put(arena, &map, "address", value_string(arena, node->address));
	value_put(arena, &map, "slots", value_int(slots));
	value_put(arena, &map, "place_slots", value_int(placed));
	value_put(arena, &map, "jobs", value_int(share_jobs(share, node->number)));
	value_put(arena, &map, "running", value_int(told ? node->running : 0));
	value_put(arena, &map, "load", dead ? value_nil() : value_real(told ? node->load : 0));
	value_put(arena, &map, "clock",
	    dead ? value_nil() : value_real(told ? (double)node->offset / SCHEDD_SECOND : 0));
	value_put(arena, &map, "epoch", value_int((int64_t)node->epoch));
	value_put(arena, &map, "started_at", value_int(node->started_at));
	value_put(arena, &map, "last_seen", value_int(node->seen_at));
	value_put(arena, &map, "since", dead ? value_int(node->dead_since) : value_nil());
	return map;
}

struct value scheduler_nodes(struct schedd_scheduler *scheduler, struct arena *arena)
{
	struct value list = value_array();

	for (uint32_t i = 0; i < scheduler->store_count; i++) {
		const struct share *share = scheduler->stores[i]->share;

		for (uint32_t k = 0; share && k < share->node_count; k++)
			value_append(arena, &list, share_node_value(share, &share->nodes[k], arena));
	}
	return list;
}

/* ---- drain, resume, forget ---- */

struct share_verb {
	struct store_slot *slot;
	struct scheduler_reply reply;
	enum scheduler_node_verb how;
	char name[]; /* of the node */
};

/* Who asks for the list after the answer sees it so, also before the next beat tells. */
static void share_verb_adopt(const struct share_verb *verb)
{
	struct share *share = verb->slot->share;

	for (uint32_t i = 0; share && i < share->node_count; i++) {
		struct store_node *node = &share->nodes[i];
		bool drains = verb->how == SCHEDULER_NODE_DRAIN;

		if (strcmp(node->name, verb->name) != 0)
			continue;
		if (verb->how == SCHEDULER_NODE_FORGET) {
			memmove(node, node + 1, (--share->node_count - i) * sizeof(node[0]));
		} else if (node->draining != drains) {
			node->draining = drains;
			if (node->number != share->own)
				share_say_drained(share, node);
		}
		return;
	}
}

static void share_verb_done(int rc, const struct schedd_error *err, void *context)
{
	struct share_verb *verb = context;

	scheduler_enter(verb->slot->scheduler);
	if (rc == 0)
		share_verb_adopt(verb);
	scheduler_answer(verb->reply, rc, err, NULL);
	scheduler_leave(verb->slot->scheduler);
	free(verb);
}

void scheduler_node_set(struct schedd_scheduler *scheduler, const char *name,
    enum scheduler_node_verb how, struct scheduler_reply reply)
{
	static const enum store_node_verb verbs[] = {
	    [SCHEDULER_NODE_DRAIN] = STORE_NODE_DRAIN,
	    [SCHEDULER_NODE_RESUME] = STORE_NODE_RESUME,
	    [SCHEDULER_NODE_FORGET] = STORE_NODE_FORGET};
	struct share *share = share_first(scheduler);
	struct share_verb *verb = share ? calloc(1, sizeof(*verb) + strlen(name) + 1) : NULL;
	struct store_batch *batch;
	struct schedd_error err;
	int rc;

	if (!share) {
		rc = schedd_error_set(&err, SCHEDD_ECONFLICT,
		    "no store is shared with other daemons: there are no nodes (see schedd-cluster(7))");
		scheduler_answer(reply, rc, &err, NULL);
		return;
	}
	if (!verb) {
		rc = schedd_error_nomem(&err);
		scheduler_answer(reply, rc, &err, NULL);
		return;
	}
	verb->slot = share->slot;
	verb->reply = reply;
	verb->how = how;
	memcpy(verb->name, name, strlen(name) + 1);
	batch = store_batch_new(share->slot->store);
	store_batch_node(batch, name, verbs[how]);
	store_commit(share->slot->store, batch, share_verb_done, verb);
}
