/* SPDX-License-Identifier: MIT */
/* Drives a scheduler by hand: time, requests, and what came of them as text. */
#include "support/core_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/json.h"
#include "base/message.h"
#include "core/frame/store_slot.h"
#include "core/jobs/entry.h"
#include "support/fake_store.h"

/* The threads of stores look at it while the test sets it: either time will do. */
#define CORE_CLOCK __attribute__((no_sanitize("thread")))

CORE_CLOCK static schedd_time core_wall(void *context)
{
	return ((struct core_fixture *)context)->wall;
}

CORE_CLOCK static struct schedd_mono core_mono(void *context)
{
	struct core_fixture *fixture = context;

	/* Writing what was read would take back what the test has set since. */
	if (fixture->look)
		fixture->mono += fixture->look;
	return (struct schedd_mono){fixture->mono};
}

static int core_count_call(const struct schedd_call *call, void *context)
{
	struct core_fixture *fixture = context;

	(void)call;
	fixture->calls++;
	fixture->mono += fixture->takes;
	return fixture->result;
}

static void core_listen(const struct schedd_event *event, void *context)
{
	struct core_fixture *fixture = context;
	char text[256];

	if (fixture->event_count == CORE_EVENTS_MAX)
		return;
	if (event->run)
		snprintf(text, sizeof(text), "%s %s/%u", scheduler_event_name(event->code),
		    event->job, event->run);
	else
		snprintf(text, sizeof(text), "%s %s", scheduler_event_name(event->code),
		    event->job ? event->job : "-");
	fixture->events[fixture->event_count++] = strdup(text);
}

/* The type that tests alone have: calls of the core's come here, see tests/CMakeLists.txt. */
int __real_store_open(
    const struct store_config *config, struct store **out, struct schedd_error *err);
int __wrap_store_open(
    const struct store_config *config, struct store **out, struct schedd_error *err);

int __wrap_store_open(
    const struct store_config *config, struct store **out, struct schedd_error *err)
{
	return strcmp(config->type, "fake") == 0 ? store_open_as(&store_fake_ops, config, out, err)
						 : __real_store_open(config, out, err);
}

static void core_add_store(struct core_fixture *fixture)
{
	struct scheduler_new_store store = {.name = "default",
	    .type = fixture->store_path ? "sqlite" : "memory",
	    .path = fixture->store_path};
	struct schedd_error err = {0};
	char url[80];

	if (fixture->server) {
		snprintf(url, sizeof(url), "fake://%s", fixture->server);
		store.type = "fake";
		store.path = NULL;
		store.url = url;
		store.options = fixture->options;
	}
	cr_assert_eq(
	    scheduler_add_store(fixture->scheduler, &store, NULL, &err), 0, "%s", err.message);
}

void core_await_store(struct core_fixture *fixture)
{
	struct schedd_mono now = {fixture->mono};
	const struct store_slot *slot = fixture->scheduler->stores[0];

	for (int i = 0; i < 6000 && !(slot->taken_up && store_slot_ready(slot, now)); i++) {
		mailbox_wait_for(scheduler_mailbox(fixture->scheduler), SCHEDD_SECOND / 100);
		scheduler_tick(fixture->scheduler);
	}
	cr_assert(slot->taken_up && store_slot_ready(slot, now), "%s", store_state_why(slot->store));
}

static void core_start(struct core_fixture *fixture)
{
	struct schedd_scheduler_options options = {
	    .clock = &fixture->clock, .timezone = "UTC", .log = NULL};
	struct schedd_error err = {0};

	cr_assert_eq(
	    schedd_scheduler_new(&options, &fixture->scheduler, &err), 0, "%s", err.message);
	scheduler_set_settings(fixture->scheduler, &fixture->settings);
	scheduler_set_boot(fixture->scheduler, fixture->boot_id);
	core_add_store(fixture);
	cr_assert(core_fake_add(fixture->scheduler, fixture->max_workers));
	cr_assert_eq(
	    schedd_scheduler_register(fixture->scheduler, "count", core_count_call, fixture, &err),
	    0, "%s", err.message);
	if (fixture->before_start)
		fixture->before_start(fixture->scheduler, fixture->before_start_context);
	fixture->listener =
	    schedd_scheduler_listen(fixture->scheduler, SCHEDD_EVENT_ALL, core_listen, fixture);
	cr_assert_eq(schedd_scheduler_start(fixture->scheduler, &err), 0, "%s", err.message);
	if (fixture->server)
		core_await_store(fixture);
	core_settle(fixture);
}

static bool core_is_served(void)
{
	const char *type = getenv("SCHEDD_TEST_STORE");

	return type && strcmp(type, "fake") == 0;
}

/*
 * The suites run again over SQLite, and over a server: then "memory" means a database in a directory
 * of its own, or the fake server, emptied, whose answers overtake each other.
 */
static const char *core_make_store(struct core_fixture *fixture)
{
	static const struct store_option root[] = {{"run_as", "root"}, {NULL, NULL}};
	const char *type = getenv("SCHEDD_TEST_STORE");

	if (core_is_served() && !fixture->server) {
		fixture->server = "core";
		fixture->options = geteuid() == 0 ? root : NULL;
		fake_server_reset(fixture->server);
		fake_server_shuffle(fixture->server, true);
	}
	if (!type || strcmp(type, "sqlite") != 0)
		return NULL;
	snprintf(fixture->made, sizeof(fixture->made), "/tmp/schedd-core-XXXXXX");
	cr_assert_not_null(mkdtemp(fixture->made));
	strcat(fixture->made, "/jobs.db");
	return fixture->made;
}

/* The fixture's own database goes with it. */
static void core_remove_store(struct core_fixture *fixture)
{
	char command[128];

	if (!fixture->made[0])
		return;
	*strrchr(fixture->made, '/') = '\0';
	snprintf(command, sizeof(command), "rm -rf %s", fixture->made);
	cr_assert_eq(system(command), 0);
	fixture->made[0] = '\0';
}

void core_open_file(struct core_fixture *fixture, const char *store_path)
{
	if (!fixture->wall) {
		fixture->wall = CORE_EPOCH;
		fixture->mono = 1000 * SCHEDD_SECOND;
	}
	if (!fixture->settings.event_ring)
		scheduler_settings_init(&fixture->settings);
	fixture->clock = (struct schedd_clock){core_wall, core_mono, fixture};
	fixture->store_path = store_path;
	core_start(fixture);
}

void core_open(struct core_fixture *fixture, const char *store_path)
{
	bool served = core_is_served();

	core_open_file(fixture, store_path && !served ? store_path : core_make_store(fixture));
}

static void core_stop(struct core_fixture *fixture)
{
	core_forget_events(fixture);
	core_fake_forget(fixture->scheduler);
	schedd_scheduler_free(fixture->scheduler);
	core_forget_events(fixture);
	free(fixture->json);
	fixture->json = NULL;
	fixture->scheduler = NULL;
}

void core_close(struct core_fixture *fixture)
{
	core_stop(fixture);
	core_remove_store(fixture);
}

void core_reopen(struct core_fixture *fixture)
{
	core_stop(fixture);
	core_start(fixture);
}

void core_settle(struct core_fixture *fixture)
{
	struct schedd_scheduler *scheduler = fixture->scheduler;
	schedd_time wall;
	struct schedd_mono mono;

	do {
		/* As the alarm would, if something is due by now. */
		scheduler_tick(scheduler);
		for (uint32_t i = 0; i < scheduler->store_count; i++)
			(void)store_flush(scheduler->stores[i]->store, SCHEDD_SPAN_NONE);
		mailbox_deliver(scheduler_mailbox(scheduler));
		scheduler_next_wake(scheduler, &wall, &mono);
	} while ((wall != SCHEDD_TIME_NONE && wall <= fixture->wall) || mono.us <= fixture->mono);
	cr_assert(scheduler_check(scheduler), "the scheduler's indexes are broken");
}

void core_jump(struct core_fixture *fixture, schedd_span span)
{
	fixture->wall += span;
	fixture->mono += span;
	core_settle(fixture);
}

void core_step(struct core_fixture *fixture, schedd_span span)
{
	fixture->wall += span;
	scheduler_clock_stepped(fixture->scheduler);
	core_settle(fixture);
}

void core_advance(struct core_fixture *fixture, schedd_span span)
{
	schedd_time until = fixture->wall + span;

	for (;;) {
		schedd_time wall;
		struct schedd_mono mono;
		schedd_span step = until - fixture->wall;

		scheduler_next_wake(fixture->scheduler, &wall, &mono);
		if (wall != SCHEDD_TIME_NONE && wall - fixture->wall < step)
			step = wall > fixture->wall ? wall - fixture->wall : 0;
		if (mono.us != INT64_MAX && mono.us - fixture->mono < step)
			step = mono.us > fixture->mono ? mono.us - fixture->mono : 0;
		core_jump(fixture, step);
		if (fixture->wall >= until)
			break;
	}
}

/* ---- Requests ---- */

static void core_answered(
    int rc, const struct schedd_error *err, const struct value *result, void *context)
{
	struct core_fixture *fixture = context;
	const char *run = value_get_string(result, "run");
	struct strbuf text = STRBUF_EMPTY;

	fixture->answered = true;
	fixture->rc = rc;
	if (rc && err)
		fixture->err = *err;
	snprintf(fixture->run, sizeof(fixture->run), "%s", run ? run : "");
	json_write(&text, result);
	free(fixture->json);
	fixture->json = strbuf_take(&text);
}

struct scheduler_reply core_reply(struct core_fixture *fixture)
{
	fixture->answered = false;
	return (struct scheduler_reply){core_answered, fixture};
}

static int core_wait(struct core_fixture *fixture)
{
	core_settle(fixture);
	cr_assert(fixture->answered, "a request was not answered");
	return fixture->rc;
}

static const struct scheduler_actor core_actor = {1000, 77, "test", NULL};

/* Parses JSON in which single quotes stand for double ones. */
static struct value core_parse(const char *json, struct arena *arena)
{
	struct schedd_error err = {0};
	struct value value;
	char *text = strdup(json);

	for (char *at = text; *at; at++)
		if (*at == '\'')
			*at = '"';
	cr_assert_eq(
	    json_parse(text, strlen(text), arena, &value, &err), 0, "%s: %s", json, err.message);
	free(text);
	return value;
}

int core_add_flags(struct core_fixture *fixture, const char *json, unsigned flags)
{
	struct arena arena;
	struct value fields;

	arena_init(&arena);
	fields = core_parse(json, &arena);
	scheduler_add(fixture->scheduler, &fields, flags, &core_actor, core_reply(fixture));
	arena_clear(&arena);
	return core_wait(fixture);
}

int core_add(struct core_fixture *fixture, const char *json)
{
	return core_add_flags(fixture, json, 0);
}

int core_modify(struct core_fixture *fixture, const char *id, const char *json)
{
	struct arena arena;
	struct value changes;

	arena_init(&arena);
	changes = core_parse(json, &arena);
	scheduler_modify(fixture->scheduler, id, &changes, 0, &core_actor, core_reply(fixture));
	arena_clear(&arena);
	return core_wait(fixture);
}

static bool core_apply_row(struct value *row, void *context)
{
	struct strbuf *rows = context;

	strbuf_add_char(rows, rows->length ? ',' : '[');
	json_write(rows, row);
	return !strbuf_failed(rows);
}

int core_apply(
    struct core_fixture *fixture, const char *json, const char *owner, bool prune, bool dry_run)
{
	struct strbuf rows = STRBUF_EMPTY;
	struct scheduler_apply apply = {.owner = owner,
	    .prune = prune,
	    .dry_run = dry_run,
	    .row = core_apply_row,
	    .each_context = &rows};
	struct arena arena;
	struct value jobs;

	arena_init(&arena);
	jobs = core_parse(json, &arena);
	apply.jobs = &jobs;
	scheduler_apply(fixture->scheduler, &apply, &core_actor, core_reply(fixture));
	arena_clear(&arena);
	(void)core_wait(fixture);
	strbuf_add(&rows, rows.length ? "]" : "[]");
	free(fixture->json);
	fixture->json = strbuf_take(&rows);
	return fixture->rc;
}

int core_remove(struct core_fixture *fixture, const char *id)
{
	scheduler_remove(fixture->scheduler, id, false, false, &core_actor, core_reply(fixture));
	return core_wait(fixture);
}

int core_pause(struct core_fixture *fixture, const char *id, const char *reason)
{
	scheduler_pause_job(
	    fixture->scheduler, id, SCHEDD_TIME_NONE, reason, &core_actor, core_reply(fixture));
	return core_wait(fixture);
}

int core_resume(struct core_fixture *fixture, const char *id, bool run_missed)
{
	scheduler_resume_job(fixture->scheduler, id, run_missed, &core_actor, core_reply(fixture));
	return core_wait(fixture);
}

int core_run(struct core_fixture *fixture, const char *id)
{
	struct scheduler_run_options options = {.trigger = RUN_BY_HAND};

	scheduler_run_job(fixture->scheduler, id, &options, &core_actor, core_reply(fixture));
	return core_wait(fixture);
}

int core_kill(struct core_fixture *fixture, const char *id, unsigned number)
{
	scheduler_kill(fixture->scheduler, id, number, 0, &core_actor, core_reply(fixture));
	return core_wait(fixture);
}

/* ---- What came of it ---- */

/* What a list has of it says the same. */
static void core_expect_packed(
    struct core_fixture *fixture, const char *id, const struct value *shown)
{
	struct scheduler_job_packer packer = {.scheduler = fixture->scheduler};
	struct strbuf bytes = STRBUF_EMPTY;
	struct value none = value_map();
	struct message message;
	struct arena arena;

	arena_init(&arena);
	scheduler_job_pack(&packer, id);
	cr_assert_eq(packer.count, shown->type == VALUE_MAP);
	message_pack_list(&bytes, 1, "jobs", &packer.packed, packer.count, &none);
	cr_assert_eq(message_unpack(bytes.data, bytes.length, &arena, &message, &fixture->err), 0,
	    "%s", fixture->err.message);
	if (packer.count)
		cr_expect(value_equal(&value_get(&message.result, "jobs")->array.items[0], shown));
	scheduler_job_pack_clear(&packer);
	strbuf_clear(&bytes);
	arena_clear(&arena);
}

const char *core_field(struct core_fixture *fixture, const char *id, const char *field)
{
	static char text[4096];
	struct strbuf json = STRBUF_EMPTY;
	const struct value *member;
	struct arena arena;
	struct value job;

	arena_init(&arena);
	job = scheduler_job_value(fixture->scheduler, id, &arena);
	core_expect_packed(fixture, id, &job);
	member = value_get(&job, field);
	if (member)
		json_write(&json, member);
	snprintf(text, sizeof(text), "%s", strbuf_peek(&json));
	strbuf_clear(&json);
	arena_clear(&arena);
	return text;
}

schedd_time core_next(struct core_fixture *fixture, const char *id)
{
	const char *text = core_field(fixture, id, "next_run_time");

	return strcmp(text, "null") == 0 || !*text ? SCHEDD_TIME_NONE : strtoll(text, NULL, 10);
}

schedd_time core_next_fire(struct core_fixture *fixture, const char *id)
{
	return entry_get(fixture->scheduler, id)->state.next_fire;
}

static void core_write_run(struct strbuf *text, const struct value *run)
{
	if (text->length)
		strbuf_add(text, "; ");
	strbuf_printf(text, "%lld %s", (long long)value_get_int(run, "run", 0),
	    value_get_string(run, "state"));
	if (value_get_int(run, "count", 1) != 1)
		strbuf_printf(text, " x%lld", (long long)value_get_int(run, "count", 1));
	if (value_get_int(run, "coalesced", 0))
		strbuf_printf(text, " +%lld", (long long)value_get_int(run, "coalesced", 0));
}

static int core_by_number(const void *a, const void *b)
{
	int64_t left = value_get_int(a, "run", 0), right = value_get_int(b, "run", 0);

	return (left > right) - (left < right);
}

/* Oldest first: the answer has those that go on before the others. */
static struct value core_runs(struct core_fixture *fixture, const char *id, struct arena *arena)
{
	const char *jobs[] = {id, NULL};
	struct store_run_query query = {.jobs = id ? jobs : NULL,
	    .since = SCHEDD_TIME_NONE,
	    .until = SCHEDD_TIME_NONE,
	    .limit = 1000};
	struct value answer;
	struct schedd_error err;
	const struct value *runs;

	scheduler_query_runs(fixture->scheduler, &query, core_reply(fixture));
	cr_assert_eq(core_wait(fixture), 0);
	cr_assert_eq(json_parse(fixture->json, strlen(fixture->json), arena, &answer, &err), 0);
	runs = value_get(&answer, "runs");
	cr_assert_not_null(runs);
	if (runs->array.count)
		qsort(runs->array.items, runs->array.count, sizeof(struct value), core_by_number);
	return *runs;
}

void core_expect_runs(struct core_fixture *fixture, const char *id, const char *expect)
{
	struct strbuf text = STRBUF_EMPTY;
	struct arena arena;
	struct value runs;

	arena_init(&arena);
	runs = core_runs(fixture, id, &arena);
	for (uint32_t i = 0; i < runs.array.count; i++)
		core_write_run(&text, &runs.array.items[i]);
	cr_expect_str_eq(strbuf_peek(&text), expect, "runs of %s are \"%s\", not \"%s\"", id,
	    strbuf_peek(&text), expect);
	strbuf_clear(&text);
	arena_clear(&arena);
}

void core_show_run(struct core_fixture *fixture, const char *id, unsigned number)
{
	const char *jobs[] = {id, NULL};
	struct store_run_query query = {
	    .jobs = jobs, .since = SCHEDD_TIME_NONE, .until = SCHEDD_TIME_NONE, .number = number};

	scheduler_query_runs(fixture->scheduler, &query, core_reply(fixture));
	cr_assert_eq(core_wait(fixture), 0);
}

const char *core_last_reason(struct core_fixture *fixture, const char *id)
{
	static char text[512];
	struct arena arena;
	struct value runs;
	const char *reason = NULL;

	arena_init(&arena);
	runs = core_runs(fixture, id, &arena);
	if (runs.array.count)
		reason = value_get_string(&runs.array.items[runs.array.count - 1], "reason");
	snprintf(text, sizeof(text), "%s", reason ? reason : "");
	arena_clear(&arena);
	return text;
}

void core_forget_events(struct core_fixture *fixture)
{
	while (fixture->event_count > 0)
		free(fixture->events[--fixture->event_count]);
}

void core_expect_events(struct core_fixture *fixture, const char *expect)
{
	struct strbuf text = STRBUF_EMPTY;

	for (int i = 0; i < fixture->event_count; i++)
		strbuf_printf(&text, "%s%s", i ? "; " : "", fixture->events[i]);
	cr_expect_str_eq(strbuf_peek(&text), expect, "events are \"%s\", not \"%s\"",
	    strbuf_peek(&text), expect);
	strbuf_clear(&text);
	core_forget_events(fixture);
}
