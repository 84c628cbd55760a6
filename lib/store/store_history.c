/* SPDX-License-Identifier: MIT */
/*
 * Slots come from chunks and are linked by index.
 */
#include <stdlib.h>
#include <string.h>
#include "store/store_history_parts.h"

/* What most runs leave at its default. */
struct history_extra {
	schedd_time until;
	uint64_t count;
	uint64_t coalesced;
	int64_t max_rss;
	int64_t cpu_us;
	uint64_t output_bytes;
	uint64_t output_dropped;
	uint64_t pid_start;
	pid_t pid;
	char *reason; /* this and the next three: owned, NULL: none */
	char *attempts;
	char *actor;
	char *result;
};

static const char *history_key(const void *item)
{
	return ((const struct history_job *)item)->id;
}

void store_history_init(struct store_history *history, uint32_t max)
{
	*history = (struct store_history){
	    .free = HISTORY_NONE,
	    .newest = HISTORY_NONE,
	    .oldest = HISTORY_NONE,
	    .max = max,
	    .serial = 1,
	};
	strmap_init(&history->jobs, history_key);
}

static void extra_free(struct history_extra *extra)
{
	if (!extra)
		return;
	free(extra->reason);
	free(extra->attempts);
	free(extra->actor);
	free(extra->result);
	free(extra);
}

void store_history_clear(struct store_history *history)
{
	struct history_job *job;
	uint32_t position = 0;

	for (uint32_t i = history->newest; i != HISTORY_NONE; i = store_history_older(history, NULL, i))
		extra_free(history_slot(history, i)->extra);
	for (uint32_t i = 0; i < history->chunk_count; i++)
		free(history->chunks[i]);
	free(history->chunks);
	free(history->known);
	while ((job = strmap_next(&history->jobs, &position)) != NULL)
		free(job);
	strmap_clear(&history->jobs);
}

/* ---- Slots ---- */

__attribute__((cold, noinline)) static bool history_grow(struct store_history *history)
{
	uint32_t first = history->chunk_count << CHUNK_BITS;
	struct history_run **chunks;
	struct history_run *chunk;

	chunks = realloc(history->chunks, (history->chunk_count + 1) * sizeof(chunks[0]));
	if (!chunks)
		return false;
	history->chunks = chunks;
	chunk = malloc(CHUNK_SLOTS * sizeof(*chunk));
	if (!chunk)
		return false;
	chunks[history->chunk_count++] = chunk;
	for (uint32_t i = 0; i < CHUNK_SLOTS; i++) {
		chunk[i].self = first + i;
		chunk[i].older = i + 1 < CHUNK_SLOTS ? first + i + 1 : history->free;
	}
	history->free = first;
	return true;
}

static void history_give_back(struct store_history *history, struct history_run *run)
{
	extra_free(run->extra);
	run->older = history->free;
	history->free = run->self;
}

/* One question, for the answer is nearly always the same. */
static bool history_is_plain(const struct run *run)
{
	uint64_t numbers = (run->count ^ 1) | run->coalesced | (uint64_t)run->max_rss |
			   (uint64_t)run->cpu_us | run->output_bytes | run->output_dropped |
			   (uint64_t)run->pid | run->pid_start;
	uintptr_t texts = (uintptr_t)run->reason | (uintptr_t)run->attempts |
			  (uintptr_t)run->actor | (uintptr_t)run->result;

	return run->until == SCHEDD_TIME_NONE && !(numbers | texts);
}

/* Apart, so that runs which have none carry nothing for it. */
__attribute__((noinline)) static struct history_extra *extra_new(const struct run *run)
{
	struct history_extra *extra = malloc(sizeof(*extra));

	if (!extra)
		return NULL;
	*extra = (struct history_extra){
	    .until = run->until,
	    .count = run->count,
	    .coalesced = run->coalesced,
	    .max_rss = run->max_rss,
	    .cpu_us = run->cpu_us,
	    .output_bytes = run->output_bytes,
	    .output_dropped = run->output_dropped,
	    .pid_start = run->pid_start,
	    .pid = run->pid,
	    .reason = run->reason ? strdup(run->reason) : NULL,
	    .attempts = run->attempts ? strdup(run->attempts) : NULL,
	    .actor = run->actor ? strdup(run->actor) : NULL,
	    .result = run->result ? strdup(run->result) : NULL,
	};
	if (!extra->reason != !run->reason || !extra->attempts != !run->attempts ||
	    !extra->actor != !run->actor || !extra->result != !run->result) {
		extra_free(extra);
		return NULL;
	}
	return extra;
}

bool store_history_prepare(struct store_history *history, const struct run *run, uint32_t *known,
    struct history_run **rows)
{
	struct history_run *slot;
	struct history_job *job;
	struct history_extra *extra = NULL;

	if (history->free == HISTORY_NONE && !history_grow(history))
		return false;
	if (!history_is_plain(run) && (extra = extra_new(run)) == NULL)
		return false;
	job = store_history_hold_known(history, run->job, *known);
	if (!job) {
		extra_free(extra);
		return false;
	}
	*known = job->known;
	/* The run before it is written to when this one is inserted. */
	if (job->newest != HISTORY_NONE)
		__builtin_prefetch(&history_slot(history, job->newest)->job_newer, 1);
	slot = history_slot(history, history->free);
	history->free = slot->older;
	slot->job = job;
	slot->extra = extra;
	slot->scheduled_at = run->scheduled_at;
	slot->started_at = run->started_at;
	slot->ended_at = run->ended_at;
	slot->number = run->number;
	slot->attempt = run->attempt;
	slot->exit_code = (int16_t)run->exit_code;
	slot->signal = (uint8_t)run->signal;
	slot->state = run->state & 31u;
	slot->trigger = run->trigger & 7u;
	slot->newer = *rows ? (*rows)->newer : slot->self;
	if (*rows)
		(*rows)->newer = slot->self;
	*rows = slot;
	return true;
}

static void history_discard(struct store_history *history, struct history_run *run)
{
	struct history_job *job = run->job;

	history_give_back(history, run);
	store_history_release(history, job);
}

void store_history_discard(struct store_history *history, struct history_run *rows)
{
	uint32_t last = rows->self, index = rows->newer, next;

	for (;; index = next) {
		next = history_slot(history, index)->newer;
		history_discard(history, history_slot(history, index));
		if (index == last)
			return;
	}
}

/* ---- Lists ---- */

/* Links a run into its job's list, behind newer (HISTORY_NONE: as the newest). */
static void history_link_job(struct store_history *history, struct history_run *run, uint32_t newer)
{
	struct history_job *job = run->job;
	uint32_t older =
	    newer == HISTORY_NONE ? job->newest : store_history_older(history, job, newer);

	run->job_newer = newer;
	run->job_older = older;
	if (newer == HISTORY_NONE) {
		job->newest = run->self;
		job->highest = run->number;
	} else {
		history_slot(history, newer)->job_older = run->self;
	}
	if (older == HISTORY_NONE)
		job->oldest = run->self;
	else
		history_slot(history, older)->job_newer = run->self;
	job->count++;
}

static void history_link(struct store_history *history, struct history_run *run)
{
	run->serial = history->serial++;
	run->newer = HISTORY_NONE;
	run->older = history->newest;
	if (history->newest == HISTORY_NONE)
		history->oldest = run->self;
	else
		history_slot(history, history->newest)->newer = run->self;
	history->newest = run->self;
	history->count++;
}

static void history_newest_gone(
    const struct store_history *history, struct history_job *job, uint32_t older)
{
	job->newest = older;
	job->highest = older == HISTORY_NONE ? 0 : history_slot(history, older)->number;
}

/*
 * Takes a run out of both lists and frees it. What is next to the oldest of a list need not be looked
 * at, and mostly it is the oldest of both.
 */
static void history_drop(struct store_history *history, struct history_run *run)
{
	struct history_job *job = run->job;
	uint32_t older = store_history_older(history, NULL, run->self);
	uint32_t job_older = store_history_older(history, job, run->self);

	if (run->newer == HISTORY_NONE)
		history->newest = older;
	else if (older != HISTORY_NONE)
		history_slot(history, run->newer)->older = older;
	if (older == HISTORY_NONE)
		history->oldest = run->newer;
	else
		history_slot(history, older)->newer = run->newer;
	if (run->job_newer == HISTORY_NONE)
		history_newest_gone(history, job, job_older);
	else if (job_older != HISTORY_NONE)
		history_slot(history, run->job_newer)->job_older = job_older;
	if (job_older == HISTORY_NONE)
		job->oldest = run->job_newer;
	else
		history_slot(history, job_older)->job_newer = run->job_newer;
	history->count--;
	job->count--;
	history_discard(history, run);
}

/* Makes room: what has not ended is never dropped, the next older one is. */
static void history_evict(struct store_history *history)
{
	uint32_t index = history->oldest;

	while (index != HISTORY_NONE && !run_ended(history_slot(history, index)->state))
		index = history_slot(history, index)->newer;
	if (index == HISTORY_NONE)
		return;
	history_drop(history, history_slot(history, index));
	/* The next one goes soon, too. */
	if (history->oldest != HISTORY_NONE)
		__builtin_prefetch(history_slot(history, history->oldest)->job, 1);
}

/* The new version takes the old one's place in both lists; the old one's slot goes back. */
static void history_replace(
    struct store_history *history, struct history_run *old, struct history_run *new)
{
	struct history_extra *extra = old->extra;

	old->extra = new->extra;
	new->extra = extra;
	old->scheduled_at = new->scheduled_at;
	old->started_at = new->started_at;
	old->ended_at = new->ended_at;
	old->attempt = new->attempt;
	old->exit_code = new->exit_code;
	old->signal = new->signal;
	old->state = new->state;
	old->trigger = new->trigger;
	history_discard(history, new);
}

/* The place of one that is not the newest of its job, or takes another one's place. */
static bool history_insert_among(
    struct store_history *history, struct history_run *run, uint32_t *newer)
{
	uint32_t index = run->job->newest;

	while (index != HISTORY_NONE && history_slot(history, index)->number > run->number) {
		*newer = index;
		index = store_history_older(history, run->job, index);
	}
	if (index == HISTORY_NONE || history_slot(history, index)->number != run->number)
		return false;
	history_replace(history, history_slot(history, index), run);
	return true;
}

static void history_insert(struct store_history *history, struct history_run *run)
{
	uint32_t newer = HISTORY_NONE;

	if (run->number <= run->job->highest && history_insert_among(history, run, &newer))
		return;
	history_link_job(history, run, newer);
	history_link(history, run);
	if (history->count > history->max)
		history_evict(history);
}

void store_history_insert(struct store_history *history, struct history_run *rows)
{
	uint32_t last = rows->self, index = rows->newer, next;

	for (;; index = next) {
		struct history_run *run = history_slot(history, index);

		next = run->newer;
		history_insert(history, run);
		if (index == last)
			return;
	}
}

void store_history_rename(
    struct store_history *history, struct history_job *from, struct history_job *to)
{
	for (uint32_t i = from->newest; i != HISTORY_NONE; i = store_history_older(history, from, i))
		history_slot(history, i)->job = to;
	to->newest = from->newest;
	to->oldest = from->oldest;
	to->highest = from->highest;
	to->count = from->count;
	to->holds += from->count;
	if (from->count)
		store_history_remember(from, from->highest);
	from->newest = HISTORY_NONE;
	from->oldest = HISTORY_NONE;
	from->highest = 0;
	from->holds -= from->count;
	from->count = 0;
}

void store_history_drop(struct store_history *history, uint32_t place)
{
	history_drop(history, history_slot(history, place));
}

void store_history_purge(struct store_history *history, const char *id, uint32_t number)
{
	struct history_job *job = id ? strmap_get(&history->jobs, id) : NULL;
	uint32_t index, next;

	if (id && !job)
		return;
	for (index = id ? job->newest : history->newest; index != HISTORY_NONE; index = next) {
		struct history_run *run = history_slot(history, index);

		next = store_history_older(history, job, index);
		if (number == 0 || run->number == number)
			history_drop(history, run);
	}
}

/* ---- Looking ---- */

uint32_t store_history_newest(const struct store_history *history, const struct history_job *job)
{
	return job ? job->newest : history->newest;
}

uint32_t store_history_oldest(const struct store_history *history, const struct history_job *job)
{
	return job ? job->oldest : history->oldest;
}

uint32_t store_history_older(
    const struct store_history *history, const struct history_job *job, uint32_t place)
{
	const struct history_run *run = history_slot(history, place);

	/* What stands in the oldest is what was older once. */
	if (place == (job ? job->oldest : history->oldest))
		return HISTORY_NONE;
	return job ? run->job_older : run->older;
}

uint32_t store_history_newer(
    const struct store_history *history, const struct history_job *job, uint32_t place)
{
	const struct history_run *run = history_slot(history, place);

	return job ? run->job_newer : run->newer;
}

uint64_t store_history_serial(const struct store_history *history, uint32_t place)
{
	return history_slot(history, place)->serial;
}

void store_history_view(const struct store_history *history, uint32_t place, struct run *out)
{
	const struct history_run *slot = history_slot(history, place);
	const struct history_extra *extra = slot->extra;

	run_init(out);
	out->job = slot->job->id;
	out->number = slot->number;
	out->state = slot->state;
	out->trigger = slot->trigger;
	out->attempt = slot->attempt;
	out->scheduled_at = slot->scheduled_at;
	out->started_at = slot->started_at;
	out->ended_at = slot->ended_at;
	out->exit_code = slot->exit_code;
	out->signal = slot->signal;
	if (!extra)
		return;
	out->until = extra->until;
	out->count = extra->count;
	out->coalesced = extra->coalesced;
	out->max_rss = extra->max_rss;
	out->cpu_us = extra->cpu_us;
	out->output_bytes = extra->output_bytes;
	out->output_dropped = extra->output_dropped;
	out->pid = extra->pid;
	out->pid_start = extra->pid_start;
	out->reason = extra->reason;
	out->attempts = extra->attempts;
	out->actor = extra->actor;
	out->result = extra->result;
}

uint64_t store_history_used(const struct store_history *history)
{
	return (uint64_t)history->count * sizeof(struct history_run);
}

uint64_t store_history_bytes(const struct store_history *history)
{
	return (uint64_t)history->chunk_count * CHUNK_SLOTS * sizeof(struct history_run) +
	       (uint64_t)history->jobs.count * sizeof(struct history_job);
}

static bool history_check_job(
    const struct store_history *history, const struct history_job *job, uint32_t *total)
{
	uint32_t count = 0, newer = HISTORY_NONE;

	for (uint32_t i = job->newest; i != HISTORY_NONE; count++) {
		const struct history_run *run = history_slot(history, i);

		if (run->job != job || run->self != i || run->job_newer != newer)
			return false;
		if (newer != HISTORY_NONE && history_slot(history, newer)->number <= run->number)
			return false;
		newer = i;
		i = store_history_older(history, job, i);
	}
	*total += count;
	if (job->highest != (count ? history_slot(history, job->newest)->number : 0))
		return false;
	return job->oldest == newer && job->count == count && job->holds == count &&
	       history->known[job->known].job == job;
}

bool store_history_check(const struct store_history *history)
{
	const struct history_job *job;
	uint32_t position = 0, total = 0, linked = 0, unused = 0, newer = HISTORY_NONE, idle = 0;

	while ((job = strmap_next(&history->jobs, &position)) != NULL) {
		if (!history_check_job(history, job, &total))
			return false;
		idle += !job->holds && !job->last_run;
	}
	if (idle != history->idle)
		return false;
	for (uint32_t i = history->newest; i != HISTORY_NONE; linked++) {
		const struct history_run *run = history_slot(history, i);

		if (run->newer != newer ||
		    (newer != HISTORY_NONE && history_slot(history, newer)->serial <= run->serial))
			return false;
		newer = i;
		i = store_history_older(history, NULL, i);
	}
	for (uint32_t i = history->free; i != HISTORY_NONE; i = history_slot(history, i)->older)
		unused++;
	return history->oldest == newer && linked == total && linked == history->count &&
	       linked + unused == history->chunk_count << CHUNK_BITS &&
	       strmap_check(&history->jobs);
}
