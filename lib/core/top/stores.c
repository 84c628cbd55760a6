/* SPDX-License-Identifier: MIT */
/* Stores by name: added before or after the start; they and executors removed when nothing uses
 * them. */
#include "core/top/stores.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "core/changes/job_adopt.h"
#include "core/changes/job_move.h"
#include "core/frame/store_slot.h"
#include "core/jobs/entry.h"
#include "core/jobs/executors.h"
#include "core/runs/run_live.h"
#include "core/share/share.h"
#include "core/top/dump.h"
#include "core/top/moved.h"
#include "core/top/restart.h"
#include "core/top/store_move.h"
#include "core/top/stores_add.h"
#include "core/top/stores_leave.h"

/* Room for one more pointer in an array of them. */
static int stores_grow(void *array, uint32_t count, struct schedd_error *err)
{
	void **parts = *(void ***)array;

	parts = realloc(parts, (count + 1) * sizeof(parts[0]));
	if (!parts)
		return schedd_error_nomem(err);
	*(void ***)array = parts;
	return 0;
}

/* A server has come, gone, or says why it does not come. */
static void stores_changed(struct store *store, enum store_state state,
    const struct schedd_error *why, void *context)
{
	struct store_slot *slot = context;
	struct schedd_scheduler *scheduler = slot->scheduler;

	if (!store_remote(store)) {
		slot->store = store;
		if (slot->waited)
			slot->waited(slot, why);
		return;
	}
	scheduler_enter(scheduler);
	slot->store = store;
	if (state != STORE_OK) {
		store_slot_failed(slot, why);
		change_store_away(slot);
	} else {
		store_slot_worked(slot);
		if (slot->taken_up && slot->shared && slot->epoch != store_epoch(store))
			share_lost(slot);
		if (!slot->taken_up || slot->epoch != store_epoch(store))
			restart_read_store(slot);
	}
	scheduler_leave(scheduler);
}

/* The store that keeps the runs of a new one; NULL: it does itself. */
static int stores_find_history(struct schedd_scheduler *scheduler,
    const struct scheduler_new_store *from, struct store **out, struct schedd_error *err)
{
	bool alone = !store_type_keeps_history(from->type);
	const char *name = from->history ? from->history : alone ? "default" : NULL;
	const struct store_slot *slot = name ? store_slot_find(scheduler, name) : NULL;

	*out = slot ? slot->store : NULL;
	if (!name || slot)
		return 0;
	if (strcmp(name, from->name) != 0)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "store '%s': history: no store '%s'", from->name, name);
	if (alone)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "store '%s': type '%s' keeps jobs alone: say with history which other store keeps "
		    "their runs",
		    from->name, from->type);
	return schedd_error_set(err, SCHEDD_EINVAL,
	    "store '%s': history: it is the store itself, leave it out to keep its runs there",
	    from->name);
}

static int stores_open(struct schedd_scheduler *scheduler, struct store_slot *slot,
    const struct scheduler_new_store *from, bool wait, struct schedd_error *err)
{
	struct store_config config = {.name = slot->name,
	    .type = from->type,
	    .path = from->path,
	    .url = from->url,
	    .options = from->options,
	    .state_dir = scheduler->state_dir,
	    .log = scheduler->log,
	    .clock = scheduler->clock,
	    .loop = scheduler->loop,
	    .mailbox = scheduler->mailbox,
	    .trigger = scheduler_trigger_context(scheduler),
	    .changed = stores_changed,
	    .context = slot};
	int rc = stores_find_history(scheduler, from, &config.history, err);

	if (!rc)
		rc = wait && !from->url
			 ? store_open_wait(&config, SCHEDD_SPAN_NONE, &slot->store, err)
			 : store_open(&config, &slot->store, err);
	if (rc)
		return rc;
	for (const struct store_option *option = from->options; option && option->name; option++)
		if (strcmp(option->name, "outbox") == 0)
			slot->outbox_most = (uint32_t)strtoul(option->text, NULL, 10);
	slot->durable = store_durable(slot->store);
	store_watch(slot->store, job_adopt, slot);
	return share_begin(slot) ? schedd_error_nomem(err) : 0;
}

/* The next of all slots, with those that are being added and not among the others yet, and those that
 * are taken out and not closed yet; NULL: there are no more. */
static struct store_slot *stores_next(
    const struct schedd_scheduler *scheduler, uint32_t *position)
{
	uint32_t at = (*position)++;
	const struct stores_adding *adding = scheduler->top.adding;
	const struct stores_leaving *leaving = scheduler->top.leaving;

	if (at < scheduler->store_count)
		return scheduler->stores[at];
	for (at -= scheduler->store_count; adding && (adding->joined || at); adding = adding->next)
		at -= !adding->joined;
	if (adding)
		return adding->slot;
	for (; leaving && at; leaving = leaving->next)
		at--;
	return leaving ? leaving->slot : NULL;
}

/* Two stores in one file would run each job twice. */
static int stores_same_file(
    const struct schedd_scheduler *scheduler, const char *path, struct schedd_error *err)
{
	struct stat wanted, there;
	struct store_slot *slot;
	uint32_t position = 0;

	if (!path || stat(path, &wanted) < 0)
		return 0;
	while ((slot = stores_next(scheduler, &position))) {
		const char *other = store_path(slot->store);

		if (other && stat(other, &there) == 0 && wanted.st_dev == there.st_dev &&
		    wanted.st_ino == there.st_ino)
			return schedd_error_set(err, SCHEDD_EINVAL,
			    "'%s' holds the store %s already", path, slot->name);
	}
	return 0;
}

static uint32_t stores_count(const struct schedd_scheduler *scheduler)
{
	uint32_t position = 0;

	while (stores_next(scheduler, &position))
		continue;
	return position - 1;
}

static bool stores_named(const struct schedd_scheduler *scheduler, const char *name)
{
	const struct store_slot *slot;
	uint32_t position = 0;

	while ((slot = stores_next(scheduler, &position)))
		if (strcmp(slot->name, name) == 0)
			return true;
	return false;
}

bool stores_used(const struct schedd_scheduler *scheduler, const struct store_slot *slot)
{
	uint32_t position = 0;
	const struct entry *entry;

	for (const struct run_live *live = run_live_first(scheduler); live; live = run_live_next(live))
		if (run_live_store(live) == slot)
			return true;
	while ((entry = entry_walk(scheduler, &position)))
		if (entry->store == slot)
			return true;
	return false;
}

/* The first that keeps its runs in it; NULL: none does. */
static const struct store_slot *stores_history_of(
    const struct schedd_scheduler *scheduler, const struct store_slot *slot)
{
	const struct store_slot *other;
	uint32_t position = 0;

	while ((other = stores_next(scheduler, &position)) &&
	       store_history(other->store) != slot->store)
		continue;
	return other;
}

int stores_make(struct schedd_scheduler *scheduler, const struct scheduler_new_store *store,
    bool wait, struct store_slot **out, struct schedd_error *err)
{
	const char *name = store->name;
	struct store_slot *slot;
	int rc;

	if (stores_leaves(scheduler, name))
		return schedd_error_set(err, SCHEDD_ECONFLICT,
		    "store %s: the one of that name is being removed, wait for that", name);
	if (stores_named(scheduler, name))
		return schedd_error_set(
		    err, SCHEDD_ECONFLICT, "store %s: there is one already", name);
	if (stores_count(scheduler) >= SCHEDULER_STORES_MAX)
		return schedd_error_set(err, SCHEDD_EINVAL, "store %s: no more than %d stores",
		    name, SCHEDULER_STORES_MAX);
	if (stores_same_file(scheduler, store->path, err))
		return schedd_error_prefix(err, "store '%s'", name);
	slot = calloc(1, sizeof(*slot));
	if (!slot)
		return schedd_error_nomem(err);
	store_slot_init(slot, scheduler);
	slot->name = strdup(name);
	rc = slot->name ? stores_open(scheduler, slot, store, wait, err) : schedd_error_nomem(err);
	if (rc) {
		stores_free_slot(slot);
		return rc;
	}
	*out = slot;
	return 0;
}

int stores_join(struct schedd_scheduler *scheduler, struct store_slot *slot,
    struct schedd_error *err)
{
	int rc = stores_grow(&scheduler->stores, scheduler->store_count, err);

	if (rc)
		return rc;
	scheduler->stores[scheduler->store_count++] = slot;
	if (strcmp(slot->name, "default") == 0)
		scheduler->default_store = slot;
	return 0;
}

/* The one that was added last, and is of no use. */
static void stores_undo(struct store_slot *slot, bool joined)
{
	if (joined) {
		moved_forget(slot);
		slot->scheduler->store_count--;
	}
	stores_shut(slot);
	if (joined)
		stores_retire(slot);
	else
		stores_free_slot(slot);
}

int scheduler_add_store(struct schedd_scheduler *scheduler,
    const struct scheduler_new_store *store, const struct scheduler_actor *actor,
    struct schedd_error *err)
{
	struct store_slot *slot;
	int rc = stores_make(scheduler, store, true, &slot, err);

	if (rc)
		return rc;
	rc = stores_join(scheduler, slot, err);
	if (rc) {
		stores_undo(slot, false);
		return rc;
	}
	if (scheduler->top.loaded && !store->url)
		rc = restart_load_store(slot, err);
	if (rc && !stores_used(scheduler, slot)) {
		stores_undo(slot, true);
		return rc;
	}
	event_ring_say(scheduler, SCHEDD_EVENT_JOBSTORE_ADDED, slot->name, NULL, actor);
	return rc;
}

int stores_default(struct schedd_scheduler *scheduler, struct schedd_error *err)
{
	const struct scheduler_new_store memory = {.name = "default", .type = "memory"};
	int rc = 0;

	if (!store_slot_find(scheduler, "default"))
		rc = scheduler_add_store(scheduler, &memory, NULL, err);
	if (!rc && !executors_find(scheduler, "default"))
		rc = scheduler_add_executor(
		    scheduler, "default", "subprocess", 0, NULL, NULL, err);
	if (!rc && !executors_find(scheduler, "function"))
		rc = scheduler_add_executor(
		    scheduler, "function", "function", 0, NULL, NULL, err);
	return rc;
}

/* Why the store cannot be removed; 0: it can. */
static int stores_check_removal(struct schedd_scheduler *scheduler, const char *name,
    const struct store_slot *slot, struct schedd_error *err)
{
	if (stores_leaves(scheduler, name))
		return schedd_error_set(
		    err, SCHEDD_ECONFLICT, "store %s is being removed already, wait for that", name);
	if (!slot)
		return schedd_error_set(err, SCHEDD_ENOTFOUND, "store %s: no such store", name);
	if (strcmp(name, "default") == 0)
		return schedd_error_set(err, SCHEDD_ECONFLICT, "store default cannot be removed");
	if (slot->waited)
		return schedd_error_set(
		    err, SCHEDD_ECONFLICT, "store %s is being added, wait for that", name);
	if (job_move_uses(scheduler, slot) || store_move_uses(scheduler, slot) || undump_uses(scheduler, slot))
		return schedd_error_set(err, SCHEDD_ECONFLICT,
		    "store %s: jobs are on their way to or from it, wait for that", name);
	if (slot->entries)
		return schedd_error_set(err, SCHEDD_ECONFLICT, "store %s has %u job%s: remove or move %s first", name,
		    slot->entries, slot->entries == 1 ? "" : "s", slot->entries == 1 ? "it" : "them");
	if (stores_used(scheduler, slot))
		return schedd_error_set(err, SCHEDD_ECONFLICT,
		    "store %s: a run of a job that was removed goes on: wait for its end, or kill it", name);
	if (stores_history_of(scheduler, slot))
		return schedd_error_set(err, SCHEDD_ECONFLICT,
		    "store %s keeps the runs of store %s: remove that one first", name,
		    stores_history_of(scheduler, slot)->name);
	return 0;
}

/* The request to remove one. */
struct stores_removal {
	struct stores_leaving leaving; /* first */
	struct scheduler_actor actor;
	bool acted; /* there is one */
	struct scheduler_reply reply;
};

static void stores_removed(struct stores_leaving *leaving)
{
	struct stores_removal *removal = (struct stores_removal *)leaving;
	const struct store_slot *slot = leaving->slot;

	event_ring_say(slot->scheduler, SCHEDD_EVENT_JOBSTORE_REMOVED, slot->name, NULL,
	    removal->acted ? &removal->actor : NULL);
	scheduler_answer(removal->reply, 0, NULL, NULL);
	free(removal);
}

void scheduler_remove_store(struct schedd_scheduler *scheduler, const char *name,
    const struct scheduler_actor *actor, struct scheduler_reply reply)
{
	struct store_slot *slot = store_slot_find(scheduler, name);
	struct stores_removal *removal = NULL;
	struct schedd_error err;
	int rc;

	scheduler_enter(scheduler);
	rc = stores_check_removal(scheduler, name, slot, &err);
	if (!rc) {
		removal = calloc(1, sizeof(*removal));
		rc = removal ? 0 : schedd_error_nomem(&err);
	}
	if (!rc) {
		removal->acted = actor != NULL;
		if (actor)
			removal->actor = *actor;
		removal->reply = reply;
		stores_leave(&removal->leaving, slot, stores_removed);
	} else {
		scheduler_answer(reply, rc, &err, NULL);
	}
	scheduler_leave(scheduler);
}

static uint32_t stores_executor_running(
    const struct schedd_scheduler *scheduler, const struct executor_slot *slot)
{
	uint32_t count = 0;

	for (const struct run_live *live = run_live_first(scheduler); live; live = run_live_next(live))
		count += run_live_executor(live) == slot;
	return count;
}

void scheduler_remove_executor(struct schedd_scheduler *scheduler, const char *name,
    const struct scheduler_actor *actor, struct scheduler_reply reply)
{
	struct executor_slot *slot = executors_find(scheduler, name);
	struct schedd_error err;
	int rc = 0;

	if (!slot)
		rc =
		    schedd_error_set(&err, SCHEDD_ENOTFOUND, "executor %s: no such executor", name);
	else if (slot->entries || stores_executor_running(scheduler, slot))
		rc = schedd_error_set(&err, SCHEDD_ECONFLICT,
		    "executor %s is used by %u jobs: give them another one first", name,
		    slot->entries);
	if (!rc) {
		executors_remove(slot);
		event_ring_say(scheduler, SCHEDD_EVENT_EXECUTOR_REMOVED, NULL, name, actor);
	}
	scheduler_answer(reply, rc, &err, NULL);
}

/* How long stores are left to end, all at once, before each is waited for. */
#define STORES_CLOSE_LIMIT (10 * SCHEDD_SECOND)

static void stores_close_left(void *context)
{
	--*(uint32_t *)context;
}

/* Servers that do not answer are waited for together. Who keeps the runs of others goes after them. */
static void stores_leave_all(struct schedd_scheduler *scheduler)
{
	int64_t end = schedd_clock_system()->mono(NULL).us + STORES_CLOSE_LIMIT, left = 0;
	uint32_t going = 0;

	for (uint32_t i = 0; i < scheduler->store_count; i++) {
		struct store_slot *slot = scheduler->stores[i];

		if (!store_remote(slot->store) || stores_history_of(scheduler, slot))
			continue;
		share_close(slot);
		slot->leaving = true;
		going++;
		store_leave(slot->store, stores_close_left, &going);
	}
	do
		left = end - schedd_clock_system()->mono(NULL).us;
	while (going > 0 && left > 0 && mailbox_wait_for(scheduler->mailbox, left) > 0);
}

void stores_close(struct schedd_scheduler *scheduler)
{
	stores_leave_all(scheduler);
	stores_leave_stop(scheduler);
	/* One whose runs another keeps was added behind that, and goes before it. */
	for (uint32_t i = scheduler->store_count; i-- > 0;)
		stores_shut(scheduler->stores[i]);
}

void stores_free(struct schedd_scheduler *scheduler)
{
	while (scheduler->retired) {
		struct store_slot *slot = scheduler->retired;

		scheduler->retired = slot->next;
		stores_free_slot(slot);
	}
	for (uint32_t i = 0; i < scheduler->store_count; i++)
		stores_free_slot(scheduler->stores[i]);
	free(scheduler->stores);
}
