/* SPDX-License-Identifier: MIT */
/* A job as those who ask see it: its fields, and what is derived from them and from its runs. */
#include <pthread.h>
#include <string.h>
#include "base/message.h"
#include "core/jobs/entry_raw.h"
#include "core/jobs/entry.h"
#include "core/jobs/accounts.h"
#include "core/jobs/after.h"
#include "core/runs/job_value.h"
#include "core/runs/run_live_state.h"
#include "model/job_fields.h"
#include "store/store_share.h"
#include "model/job_words.h"

typedef struct value (*job_value_fn)(const struct entry *entry, struct arena *arena);

static struct value job_value_state(const struct entry *entry, struct arena *arena)
{
	(void)arena;
	return value_string_ref(job_value_word(entry));
}

static bool job_value_waits(const struct run_live *live)
{
	return live->stage != RUN_LIVE_CLAIMING && live->stage < RUN_LIVE_STARTING;
}

static bool job_value_goes_on(const struct run_live *live)
{
	return live->stage >= RUN_LIVE_STARTING && live->stage != RUN_LIVE_ENDED;
}

/* The sum over the parts of a job on all nodes. */
static int64_t job_value_sum(const struct entry *entry, struct arena *arena, job_value_fn count)
{
	struct schedd_scheduler *scheduler = entry->store->scheduler;
	size_t length = strlen(entry->job->id);
	const char *from = arena_printf(arena, "%s@", entry->job->id);
	int64_t sum = 0;

	for (const struct entry *part = from ? entry_first(scheduler, from) : NULL;
	     part && strncmp(part->job->id, from, length + 1) == 0; part = entry_next(scheduler, part))
		sum += count(part, arena).integer;
	return sum;
}

/* What is shown of a job on all nodes is mostly what its part here does. */
static const struct entry *job_value_here(const struct entry *entry)
{
	const struct entry *part =
	    entry_on_all(entry)
		? entry_part(entry->store->scheduler, entry, store_node_name(entry->store->store))
		: NULL;

	return part && !part->hidden ? part : entry;
}

static struct value job_value_running(const struct entry *entry, struct arena *arena)
{
	int64_t count = 0;

	if (entry_on_all(entry))
		return value_int(job_value_sum(entry, arena, job_value_running));
	for (const struct run_live *live = entry->runs; live; live = live->next_of_job)
		count += job_value_goes_on(live);
	return value_int(entry->foreign ? entry_aside(entry)->running : count);
}

static struct value job_value_queued(const struct entry *entry, struct arena *arena)
{
	int64_t count = 0;

	if (entry_on_all(entry))
		return value_int(job_value_sum(entry, arena, job_value_queued));
	for (const struct run_live *live = entry->runs; live; live = live->next_of_job)
		count += job_value_waits(live);
	return value_int(entry->foreign ? entry_aside(entry)->queued : count);
}

static struct value job_value_runs(const struct entry *entry, struct arena *arena)
{
	struct value runs = value_array();

	for (const struct run_live *live = entry->runs; live; live = live->next_of_job)
		if (job_value_waits(live) || job_value_goes_on(live))
			value_append(arena, &runs, value_string(arena, live->id));
	return runs;
}

static struct value job_value_last_run(const struct entry *entry, struct arena *arena)
{
	(void)arena;
	return value_int(job_value_here(entry)->state.last_run);
}

static struct value job_value_last_state(const struct entry *entry, struct arena *arena)
{
	(void)arena;
	entry = job_value_here(entry);
	if (entry->last_state == RUN_QUEUED)
		return value_nil();
	return value_string_ref(run_state_name((enum run_state)entry->last_state));
}

/* What is said of the job; nil where that is nothing. */
static struct value job_value_text(const struct entry *entry, struct arena *arena,
    void (*say)(const struct schedd_job *job, struct strbuf *out))
{
	char room[128];
	struct strbuf text = STRBUF_ON(room);

	room[0] = '\0';
	if (!entry->state.invalid)
		say(entry->job, &text);
	if (text.length || strbuf_failed(&text))
		return value_string_take(arena, &text);
	strbuf_clear(&text);
	return value_nil();
}

static struct value job_value_words(const struct entry *entry, struct arena *arena)
{
	return job_value_text(entry, arena, job_words_when);
}

static void job_value_say_remarks(const struct schedd_job *job, struct strbuf *out)
{
	trigger_remarks(job->trigger, out);
}

static struct value job_value_remarks(const struct entry *entry, struct arena *arena)
{
	return job_value_text(entry, arena, job_value_say_remarks);
}

void job_value_missing(const struct entry *entry, struct strbuf *out)
{
	const struct job_details *details = job_details(entry->job);

	for (uint32_t i = 0; i < details->after_count; i++)
		if (!entry_get(entry->store->scheduler, details->after[i].job))
			strbuf_printf(out, "%s%s", out->length ? ", " : "", details->after[i].job);
}

static struct value job_value_waits_for(const struct entry *entry, struct arena *arena)
{
	struct strbuf missing = STRBUF_EMPTY;
	struct value value;

	if (entry->state.paused)
		return value_string_ref("its resume");
	if (entry_place_slot(entry) && entry_place_slot(entry)->homeless)
		return value_string_ref("a live node that fits its nodes");
	if (entry->state.next_run_time != SCHEDD_TIME_NONE)
		return value_nil();
	job_value_missing(entry, &missing);
	value = job_value_text(entry, arena, job_words_waits_for);
	if (missing.length && value.type == VALUE_STRING)
		value = value_string(arena, arena_printf(arena, "%s (no job %s)", value.string.text, strbuf_peek(&missing)));
	arena->failed |= strbuf_failed(&missing);
	strbuf_clear(&missing);
	return value;
}

static struct value job_value_paused_by(const struct entry *entry, struct arena *arena)
{
	if (!entry->state.paused)
		return value_nil();
	return value_string(arena, entry_aside(entry)->pause_text);
}

static struct value job_value_held(const struct entry *entry, struct arena *arena)
{
	const char *why;

	return accounts_hold(entry->store->scheduler, entry->job, &why)
		   ? value_string(arena, why)
		   : value_nil();
}

static struct value job_value_account(const struct entry *entry, struct arena *arena)
{
	return job_id_account_value(entry->job->id, arena);
}

static struct value job_value_node(const struct entry *entry, struct arena *arena)
{
	return value_string(arena, entry->store->scheduler->node_of(entry));
}

static const struct job_value {
	const char *name;
	job_value_fn get;
	bool optional; /* left out where it is nil */
} job_values[] = {
    {"account", job_value_account, true},
    {"held", job_value_held, true},
    {"state", job_value_state, false},
    {"running", job_value_running, false},
    {"queued", job_value_queued, false},
    {"runs", job_value_runs, false},
    {"last_run", job_value_last_run, false},
    {"last_state", job_value_last_state, false},
    {"trigger_words", job_value_words, true},
    {"trigger_remarks", job_value_remarks, true},
    {"waits_for", job_value_waits_for, true},
    {"paused_by", job_value_paused_by, true},
    {"node", job_value_node, true},
};

#define JOB_VALUES (sizeof(job_values) / sizeof(job_values[0]))

static void job_value_derive(const struct entry *entry, struct arena *arena, struct value *map)
{
	for (size_t i = 0; i < JOB_VALUES; i++) {
		struct value value = job_values[i].get(entry, arena);

		if (value.type != VALUE_NIL || !job_values[i].optional)
			value_put(arena, map, job_values[i].name, value);
	}
}

/* The state that is shown, which may be put together in own: when a job on all nodes is due is up to its parts. */
static const struct job_state *job_value_shown(const struct entry *entry, struct job_state *own)
{
	const struct job_state *state = &job_value_here(entry)->state;

	if (state == &entry->state || entry->state.paused)
		return &entry->state;
	*own = entry->state;
	own->next_run_time = state->next_run_time;
	own->run_count = state->run_count;
	return own;
}

static struct value job_value_map(const struct entry *entry, struct arena *arena)
{
	struct job_state own;
	struct value map = job_fields_write(entry->job, job_value_shown(entry, &own), arena);

	entry_raw_show(entry, arena, &map);
	job_value_derive(entry, arena, &map);
	return map;
}

struct value scheduler_job_value(
    struct schedd_scheduler *scheduler, const char *id, struct arena *arena)
{
	const struct entry *entry = entry_get(scheduler, id);

	return entry ? job_value_map(entry, arena) : value_nil();
}

/* ---- Packed ---- */

static struct message_key job_value_keys[JOB_VALUES];
static pthread_once_t job_value_packing = PTHREAD_ONCE_INIT;

static void job_value_make_keys(void)
{
	for (size_t i = 0; i < JOB_VALUES; i++)
		message_key_make(&job_value_keys[i], job_values[i].name);
}

/* How many. */
static uint32_t job_value_pack_derived(
    const struct entry *entry, struct arena *arena, struct strbuf *out)
{
	uint32_t count = 0;

	pthread_once(&job_value_packing, job_value_make_keys);
	for (size_t i = 0; i < JOB_VALUES; i++) {
		struct value value = job_values[i].get(entry, arena);

		if (value.type == VALUE_NIL && job_values[i].optional)
			continue;
		message_pack_member(out, &job_value_keys[i], &value);
		count++;
	}
	return count;
}

static void job_value_packed(struct scheduler_job_packer *packer)
{
	packer->count++;
	packer->packed.failed |= arena_failed(&packer->arena);
	arena_reset(&packer->arena);
}

static void job_value_pack_details(
    struct scheduler_job_packer *packer, const struct schedd_job *job)
{
	if (!packer->members.length || job->details != packer->details) {
		strbuf_reset(&packer->members);
		packer->member_count =
		    job_fields_pack_details(job, &packer->arena, &packer->members);
		packer->details = job->details;
	}
	strbuf_add_n(&packer->packed, strbuf_peek(&packer->members), packer->members.length);
	packer->packed.failed |= strbuf_failed(&packer->members);
}

void scheduler_job_pack(struct scheduler_job_packer *packer, const char *id)
{
	const struct entry *entry = entry_get(packer->scheduler, id);
	struct strbuf *out = &packer->packed;
	struct job_state own;
	uint32_t count;
	size_t begin;

	if (!entry)
		return;
	/* Of one that cannot be read nothing lies in its details. */
	if (entry->state.invalid) {
		struct value job = job_value_map(entry, &packer->arena);

		scheduler_job_pack_value(packer, &job);
		return;
	}
	begin = message_pack_map_begin(out);
	count = job_fields_pack_own(
	    entry->job, job_value_shown(entry, &own), &packer->arena, out);
	count += job_value_pack_derived(entry, &packer->arena, out);
	job_value_pack_details(packer, entry->job);
	message_pack_map_end(out, begin, count + packer->member_count);
	job_value_packed(packer);
}

void scheduler_job_pack_value(struct scheduler_job_packer *packer, const struct value *value)
{
	message_pack_value(&packer->packed, value);
	job_value_packed(packer);
}

void scheduler_job_pack_pause(struct scheduler_job_packer *packer)
{
	strbuf_reset(&packer->members);
}

void scheduler_job_pack_clear(struct scheduler_job_packer *packer)
{
	arena_clear(&packer->arena);
	strbuf_clear(&packer->packed);
	strbuf_clear(&packer->members);
}

struct value scheduler_job_export(
    struct schedd_scheduler *scheduler, const char *id, struct arena *arena)
{
	const struct entry *entry = entry_get(scheduler, id);

	if (!entry)
		return value_nil();
	return entry->state.invalid ? entry_raw_export(entry, arena)
				    : job_fields_export(entry->job, arena);
}

static struct value job_value_get(const struct entry *entry, const char *name, struct arena *arena)
{
	const struct job_field *field;
	struct job_state own;

	for (size_t i = 0; i < JOB_VALUES; i++)
		if (strcmp(job_values[i].name, name) == 0)
			return job_values[i].get(entry, arena);
	field = job_fields_find(name);
	if (!field || (field->flags & JOB_FIELD_HIDDEN))
		return value_nil();
	if (entry->state.invalid && strcmp(name, "invalid") != 0) {
		struct value raw = entry_raw_get(entry, name, arena);

		if (raw.type != VALUE_NIL)
			return raw;
	}
	return job_fields_get(entry->job, job_value_shown(entry, &own), field, arena);
}

struct value scheduler_job_some(struct schedd_scheduler *scheduler, const char *id,
    const char *const *fields, struct arena *arena)
{
	const struct entry *entry = entry_get(scheduler, id);
	struct value map = value_map();

	if (!entry)
		return value_nil();
	for (; *fields; fields++)
		value_put(arena, &map, *fields, job_value_get(entry, *fields, arena));
	return map;
}

const char *job_value_word(const struct entry *entry)
{
	bool queued = false;

	if (entry->state.invalid)
		return "invalid";
	if (entry_on_all(entry) && !entry->state.paused)
		entry = job_value_here(entry);
	if (entry->foreign && entry_aside(entry)->running)
		return "running";
	if (entry->foreign && entry_aside(entry)->queued)
		return "queued";
	for (const struct run_live *live = entry->runs; live; live = live->next_of_job) {
		if (live->stage >= RUN_LIVE_STARTING)
			return "running";
		if (live->stage != RUN_LIVE_CLAIMING && !live->held)
			queued = true;
	}
	if (queued)
		return "queued";
	if (entry->state.paused)
		return "paused";
	return entry->state.finished ? "finished" : "waiting";
}
