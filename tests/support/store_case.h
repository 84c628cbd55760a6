/* SPDX-License-Identifier: MIT */
/* A store of any type in a directory of its own, and short ways to fill and ask it. */
#ifndef TESTS_SUPPORT_STORE_CASE_H
#define TESTS_SUPPORT_STORE_CASE_H

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/json.h"
#include "model/job_fields.h"
#include "store/store.h"
#include "support/fake_store.h"

#define STORE_CASE_NOW (1767225600 * SCHEDD_SECOND) /* 2026-01-01T00:00:00Z */

struct store_case {
	struct store_config config;
	struct store *store;
	struct store *history;  /* that keeps its runs; NULL: it does itself */
	struct schedd_clock clock;
	struct zone_cache *zones;
	struct trigger_context trigger;
	schedd_time now;
	char directory[64];
	char path[96];           /* of the database */
	char past[96];           /* of the history's */
	char type[32];           /* of the store, where it has a history elsewhere */
	int answers;             /* batches and chores answered */
	int rc;                  /* of the last one */
	struct schedd_error err; /* likewise */
	struct arena arena;      /* what was read lives here */
	struct job_record *records;
	size_t record_count;
	struct store_snapshot *snapshot; /* of the last load */
	struct run *runs; /* of the last question */
	size_t run_count;
	char cursor[64]; /* "": no more */
	struct value value;
	struct strbuf texts; /* key=text; … */
};

static inline schedd_time store_case_wall(void *context)
{
	return ((struct store_case *)context)->now;
}

static inline struct schedd_mono store_case_mono(void *context)
{
	return (struct schedd_mono){((struct store_case *)context)->now};
}

/* Long enough for a machine that does much else. */
#define STORE_CASE_LIMIT (120 * SCHEDD_SECOND)

/* Types that only tests have; NULL: another one. */
static inline const struct store_ops *store_case_ops(const char *type)
{
	return strcmp(type, "fake") == 0 || strcmp(type, "shuffled") == 0 ? &store_fake_ops
	       : strcmp(type, "alone") == 0				    ? &store_alone_ops
									    : NULL;
}

static inline int store_case_open_one(
    const struct store_config *config, struct store **out, struct schedd_error *err)
{
	const struct store_ops *ops = store_case_ops(config->type);
	int rc = ops ? store_open_as(ops, config, out, err)
		     : store_open_wait(config, STORE_CASE_LIMIT, out, err);

	return rc ? rc : store_wait(*out, STORE_CASE_LIMIT, err);
}

static inline int store_case_open(struct store_case *sc)
{
	return store_case_open_one(&sc->config, &sc->store, &sc->err);
}

static inline void store_case_flush(struct store_case *sc)
{
	cr_assert_eq(store_flush(sc->store, STORE_CASE_LIMIT), 0, "answers are missing");
}

/* On a server that lives in this process, emptied. */
static inline void store_case_fake(struct store_config *config, const char *name, const char *url)
{
	static struct store_option options[] = {
	    {"timeout", "5s"}, {"connect_timeout", "1s"}, {NULL, NULL}, {NULL, NULL}};

	/* Root's jobs have to be named. */
	if (geteuid() == 0)
		options[2] = (struct store_option){"run_as", "root"};
	fake_server_reset(name);
	config->url = url;
	config->options = options;
}

/* On the server that the environment names, emptied; see with_server.sh. */
static inline void store_case_serve(struct store_case *sc)
{
	/* As long as a busy machine takes. Those of root have to be named. */
	static const struct store_option options[] = {
	    {"timeout", "50s"}, {"connect_timeout", "50s"}, {"lease", "5m"}, {"run_as", "root"}, {NULL, NULL}};
	static const struct store_option of_others[] = {
	    {"timeout", "50s"}, {"connect_timeout", "50s"}, {"lease", "5m"}, {NULL, NULL}};
	const char *reset = getenv("SCHEDD_TEST_STORE_RESET");

	sc->config.type = getenv("SCHEDD_TEST_STORE_TYPE");
	sc->config.url = getenv("SCHEDD_TEST_STORE_URL");
	sc->config.options = geteuid() == 0 ? options : of_others;
	cr_assert_eq(reset ? system(reset) : 0, 0);
}

/* "alone_over_sqlite": jobs in the one, runs in the other, which is called "past". */
static inline const char *store_case_divide(struct store_case *sc, const char *type)
{
	const char *over = strstr(type, "_over_");
	struct store_config past = sc->config;

	/* Of those that keep jobs alone. */
	if (strcmp(type, "server") == 0 && !store_type_keeps_history(getenv("SCHEDD_TEST_STORE_TYPE")))
		over = "_over_sqlite";
	if (!over)
		return type;
	snprintf(sc->past, sizeof(sc->past), "%s/past.db", sc->directory);
	past.name = "past";
	past.type = over + strlen("_over_");
	past.path = strcmp(past.type, "sqlite") == 0 ? sc->past : NULL;
	if (strcmp(past.type, "fake") == 0)
		store_case_fake(&past, "past", "fake://past");
	cr_assert_eq(store_case_open_one(&past, &sc->history, &sc->err), 0, "%s", sc->err.message);
	if (strcmp(type, "server") == 0)
		return type;
	snprintf(sc->type, sizeof(sc->type), "%.*s", (int)(over - type), type);
	return sc->type;
}

/* Everything but the store itself. */
static inline void store_case_prepare(struct store_case *sc, const char *type)
{
	memset(sc, 0, sizeof(*sc));
	strcpy(sc->directory, "/tmp/schedd-store-XXXXXX");
	cr_assert(mkdtemp(sc->directory));
	snprintf(sc->path, sizeof(sc->path), "%s/jobs.db", sc->directory);
	sc->now = STORE_CASE_NOW;
	sc->clock = (struct schedd_clock){store_case_wall, store_case_mono, sc};
	sc->zones = zone_cache_new(NULL);
	sc->trigger.zones = sc->zones;
	sc->trigger.zone = zone_utc();
	sc->trigger.now = sc->now;
	sc->trigger.host = "host";
	sc->config.state_dir = sc->directory;
	sc->config.clock = &sc->clock;
	sc->config.mailbox = mailbox_new(NULL, &sc->err);
	sc->config.trigger = &sc->trigger;
	cr_assert(sc->config.mailbox);
	type = store_case_divide(sc, type);
	sc->config.name = "default";
	sc->config.type = type;
	sc->config.path = sc->path;
	sc->config.history = sc->history;
	if (strcmp(type, "server") == 0)
		store_case_serve(sc);
	if (store_case_ops(type))
		store_case_fake(&sc->config, "here", "fake://here");
	if (strcmp(type, "shuffled") == 0)
		fake_server_shuffle("here", true);
}

static inline void store_case_init(struct store_case *sc, const char *type)
{
	store_case_prepare(sc, type);
	cr_assert_eq(store_case_open(sc), 0, "%s", sc->err.message);
}

static inline void store_case_forget(struct store_case *sc)
{
	for (size_t i = 0; i < sc->record_count; i++) {
		job_unref(sc->records[i].job);
		job_state_clear(&sc->records[i].state);
		free(sc->records[i].raw);
	}
	free(sc->records);
	sc->records = NULL;
	sc->record_count = 0;
	store_snapshot_free(sc->snapshot);
	sc->snapshot = NULL;
	strbuf_clear(&sc->texts);
	arena_clear(&sc->arena);
}

static inline void store_case_clear(struct store_case *sc)
{
	char command[128];

	store_close(sc->store);
	store_close(sc->history);
	store_case_forget(sc);
	mailbox_free(sc->config.mailbox);
	zone_cache_free(sc->zones);
	snprintf(command, sizeof(command), "rm -rf '%s'", sc->directory);
	cr_assert_eq(system(command), 0);
}

static inline int store_case_try_load(struct store_case *sc);

/* What is durable comes back, what is not does not: then it stays open. */
static inline void store_case_reopen(struct store_case *sc)
{
	if (!store_durable(sc->store))
		return;
	store_close(sc->store);
	cr_assert_eq(store_case_open(sc), 0, "%s", sc->err.message);
	/* Its runs that go on are known when it was read, as it always is. */
	if (sc->history)
		cr_assert_eq(store_case_try_load(sc), 0, "%s", sc->err.message);
}

/* ---- Jobs ---- */

static inline struct job_record store_case_job(struct store_case *sc, const char *json)
{
	struct job_fields_context context = {.trigger = &sc->trigger};
	struct job_record record = {.job = job_new()};
	struct value map;
	struct arena arena;

	arena_init(&arena);
	job_state_init(&record.state);
	cr_assert_eq(json_parse(json, strlen(json), &arena, &map, &sc->err), 0, "%s: %s", json,
	    sc->err.message);
	cr_assert_eq(
	    job_fields_read(record.job, &record.state, &map,
		JOB_FIELD_READONLY | JOB_FIELD_STATE | JOB_FIELD_ADD_ONLY, &context, &sc->err),
	    0, "%s: %s", json, sc->err.message);
	/* As the scheduler does for a job that says none. */
	if (!record.job->trigger) {
		struct value every = value_int(3600);

		map = value_map();
		value_put(&arena, &map, "every", every);
		cr_assert_eq(job_fields_set(record.job, &record.state,
				 job_fields_find("trigger"), &map, &context, &sc->err),
		    0, "%s", sc->err.message);
	}
	arena_clear(&arena);
	return record;
}

static inline void store_case_drop(struct job_record *record)
{
	job_unref(record->job);
	job_state_clear(&record->state);
	free(record->raw);
}

static inline void store_case_put_job(
    struct store_case *sc, struct store_batch *batch, const char *json)
{
	struct job_record record = store_case_job(sc, json);

	store_batch_put_job(batch, record.job, &record.state);
	store_case_drop(&record);
}

static inline int store_case_keep(struct job_record *record, void *context)
{
	struct store_case *sc = context;

	sc->records = realloc(sc->records, (sc->record_count + 1) * sizeof(sc->records[0]));
	cr_assert(sc->records);
	sc->records[sc->record_count++] = *record;
	return 0;
}

static inline void store_case_loaded(
    int rc, const struct schedd_error *err, struct store_snapshot *snapshot, void *context)
{
	struct store_case *sc = context;

	sc->rc = rc;
	if (err)
		sc->err = *err;
	sc->snapshot = snapshot;
}

/* What loading comes to. */
static inline int store_case_try_load(struct store_case *sc)
{
	store_case_forget(sc);
	store_load(sc->store, store_case_keep, store_case_loaded, sc);
	store_case_flush(sc);
	return sc->rc;
}

static inline size_t store_case_load(struct store_case *sc)
{
	cr_assert_eq(store_case_try_load(sc), 0, "%s", sc->err.message);
	cr_assert(sc->snapshot);
	return sc->record_count;
}

/* The same once the server is back, which may have died behind the last answer. */
static inline size_t store_case_load_when_back(struct store_case *sc)
{
	for (int i = 0; i < 600 && store_case_try_load(sc) < 0; i++)
		mailbox_wait_for(sc->config.mailbox, SCHEDD_SECOND / 10);
	return store_case_load(sc);
}

static inline int64_t store_case_number(struct store_case *sc, const char *key, int64_t fallback)
{
	store_case_load(sc);
	return store_snapshot_number(sc->snapshot, key, fallback);
}

static inline void store_case_take_number(
    int rc, const struct schedd_error *err, int64_t number, void *context)
{
	cr_assert_eq(rc, 0, "%s", err ? err->message : "");
	*(int64_t *)context = number;
}

static inline uint32_t store_case_last_run(struct store_case *sc, const char *id)
{
	int64_t number = -1;

	store_last_run(sc->store, id, store_case_take_number, &number);
	store_case_flush(sc);
	cr_assert_geq(number, 0);
	return (uint32_t)number;
}

static inline struct job_record *store_case_record(struct store_case *sc, const char *id)
{
	for (size_t i = 0; i < sc->record_count; i++)
		if (strcmp(sc->records[i].job->id, id) == 0)
			return &sc->records[i];
	return NULL;
}

/* ---- Runs ---- */

/* A run of job that ended so many seconds after it began; scheduled minute by minute. */
static inline struct run store_case_run(
    const char *job, uint32_t number, enum run_state state, int seconds)
{
	struct run run;

	run_init(&run);
	run.job = (char *)job;
	run.number = number;
	run.state = state;
	run.scheduled_at = STORE_CASE_NOW + number * SCHEDD_MINUTE;
	if (state == RUN_MISSED || state == RUN_SKIPPED || state == RUN_QUEUED)
		return run;
	run.started_at = run.scheduled_at + SCHEDD_SECOND / 10;
	if (run_ended(state))
		run.ended_at = run.started_at + seconds * SCHEDD_SECOND;
	return run;
}

static inline void store_case_put_run(
    struct store_batch *batch, const char *job, uint32_t number, enum run_state state, int seconds)
{
	struct run run = store_case_run(job, number, state, seconds);

	store_batch_put_run(batch, &run);
}

/* ---- Waiting ---- */

static inline void store_case_done(int rc, const struct schedd_error *err, void *context)
{
	struct store_case *sc = context;

	sc->answers++;
	sc->rc = rc;
	if (err)
		sc->err = *err;
	else
		memset(&sc->err, 0, sizeof(sc->err));
}

/* Commits, waits for the answer, which it returns. */
static inline int store_case_commit(struct store_case *sc, struct store_batch *batch)
{
	int before = sc->answers;

	store_commit(sc->store, batch, store_case_done, sc);
	store_case_flush(sc);
	cr_assert_eq(sc->answers, before + 1);
	return sc->rc;
}

static inline void store_case_take_runs(int rc, const struct schedd_error *err,
    const struct run *runs, size_t count, const char *cursor, void *context)
{
	struct store_case *sc = context;

	store_case_done(rc, err, sc);
	sc->run_count = rc < 0 ? 0 : count;
	sc->runs = arena_alloc(&sc->arena, (sc->run_count + 1) * sizeof(*runs));
	for (size_t i = 0; i < sc->run_count; i++) {
		struct run *run = &sc->runs[i];

		*run = runs[i];
		run->job = arena_strdup(&sc->arena, run->job);
		run->reason = run->reason ? arena_strdup(&sc->arena, run->reason) : NULL;
		run->attempts = run->attempts ? arena_strdup(&sc->arena, run->attempts) : NULL;
		run->actor = run->actor ? arena_strdup(&sc->arena, run->actor) : NULL;
		run->node = run->node ? arena_strdup(&sc->arena, run->node) : NULL;
		run->result = run->result ? arena_strdup(&sc->arena, run->result) : NULL;
	}
	snprintf(sc->cursor, sizeof(sc->cursor), "%s", cursor ? cursor : "");
}

static inline int store_case_query(struct store_case *sc, const struct store_run_query *query)
{
	int before = sc->answers;

	store_query_runs(sc->store, query, store_case_take_runs, sc);
	store_case_flush(sc);
	cr_assert_eq(sc->answers, before + 1);
	return sc->rc;
}

#define STORE_CASE_ALL                                                                             \
	(struct store_run_query)                                                                   \
	{                                                                                          \
		.since = SCHEDD_TIME_NONE, .until = SCHEDD_TIME_NONE                               \
	}

/* "a/2 a/1": the answer of the question in short. */
static inline const char *store_case_list(
    struct store_case *sc, const struct store_run_query *query)
{
	struct strbuf text = STRBUF_EMPTY;
	char *list;

	cr_assert_eq(store_case_query(sc, query), 0, "%s", sc->err.message);
	for (size_t i = 0; i < sc->run_count; i++)
		strbuf_printf(
		    &text, "%s%s/%" PRIu32, i ? " " : "", sc->runs[i].job, sc->runs[i].number);
	list = arena_strdup(&sc->arena, strbuf_peek(&text));
	strbuf_clear(&text);
	return list;
}

/* All runs of a job, or of all. */
static inline const char *store_case_runs(struct store_case *sc, const char *job)
{
	const char *const jobs[] = {job, NULL};
	struct store_run_query query = STORE_CASE_ALL;

	query.jobs = job ? jobs : NULL;
	return store_case_list(sc, &query);
}

static inline void store_case_take_value(
    int rc, const struct schedd_error *err, const struct value *value, void *context)
{
	struct store_case *sc = context;

	store_case_done(rc, err, sc);
	sc->value = rc < 0 ? value_nil() : value_copy(&sc->arena, value);
}

/* The last value as JSON. */
static inline const char *store_case_json(struct store_case *sc)
{
	struct strbuf text = STRBUF_EMPTY;
	char *json;

	json_write(&text, &sc->value);
	json = arena_strdup(&sc->arena, strbuf_peek(&text));
	strbuf_clear(&text);
	return json;
}

/* How many runs it says it keeps; one on a server says what it knows, or nothing. */
static inline void store_case_expect_count(struct store_case *sc, int64_t count)
{
	struct store *keeper = sc->history ? sc->history : sc->store;

	struct value status = store_status(keeper, &sc->arena);

	if (!store_remote(keeper))
		cr_assert_eq(value_get_int(&status, "runs", -1), count);
}

static inline int store_case_retain(
    struct store_case *sc, const char *job, struct store_retention retention, uint32_t budget)
{
	store_retain(sc->store, job, &retention, budget, store_case_done, sc);
	store_case_flush(sc);
	return sc->rc;
}

#define STORE_CASE_KEEP_ALL                                                                        \
	(struct store_retention)                                                                   \
	{                                                                                          \
		.keep_runs = -1, .keep_for = SCHEDD_SPAN_NONE, .max_runs = -1                      \
	}

static inline void store_case_add_text(const char *key, const char *text, void *context)
{
	struct store_case *sc = context;

	strbuf_printf(&sc->texts, "%s=%s;", key, text);
}

static inline const char *store_case_texts(struct store_case *sc, const char *prefix)
{
	store_case_load(sc);
	strbuf_reset(&sc->texts);
	store_snapshot_texts(sc->snapshot, prefix, store_case_add_text, sc);
	return sc->texts.length ? strbuf_peek(&sc->texts) : "";
}

/* a/1 b/1 a/2 b/2 … with every third one failed. */
static inline void store_case_put_two(struct store_case *sc, uint32_t count)
{
	struct store_batch *batch = store_batch_new(sc->store);

	for (uint32_t i = 1; i <= count; i++) {
		store_case_put_run(batch, "a", i, i % 3 ? RUN_SUCCESS : RUN_FAILED, 1);
		store_case_put_run(batch, "b", i, RUN_SUCCESS, 2);
	}
	cr_assert_eq(store_case_commit(sc, batch), 0);
	store_case_reopen(sc);
}

static inline bool store_case_has(const char *type)
{
	return strcmp(type, "server") != 0 || getenv("SCHEDD_TEST_STORE_TYPE");
}

/* The test over one type; "server" is the one that the environment names. */
#define STORE_TEST_OVER(type, name)                                                                \
	Test(store_##type, name)                                                                   \
	{                                                                                          \
		struct store_case sc;                                                              \
		if (!store_case_has(#type))                                                        \
			return;                                                                    \
		store_case_init(&sc, #type);                                                       \
		contract_##name(&sc);                                                              \
		store_case_clear(&sc);                                                             \
	}

/* One test for each type that keeps jobs. */
#define STORE_JOBS_TEST(name)                                                                      \
	static void contract_##name(struct store_case *sc);                                        \
	STORE_TEST_OVER(sqlite, name)                                                              \
	STORE_TEST_OVER(fake, name)                                                                \
	STORE_TEST_OVER(shuffled, name)                                                            \
	STORE_TEST_OVER(alone_over_sqlite, name)                                                   \
	STORE_TEST_OVER(sqlite_over_memory, name)                                                  \
	STORE_TEST_OVER(server, name)                                                              \
	static void contract_##name(struct store_case *sc)

/* One test for each type. */
#define STORE_TEST(name)                                                                           \
	static void contract_##name(struct store_case *sc);                                        \
	STORE_TEST_OVER(memory, name)                                                              \
	STORE_TEST_OVER(sqlite, name)                                                              \
	STORE_TEST_OVER(fake, name)                                                                \
	STORE_TEST_OVER(shuffled, name)                                                            \
	STORE_TEST_OVER(alone_over_sqlite, name)                                                   \
	STORE_TEST_OVER(memory_over_fake, name)                                                    \
	STORE_TEST_OVER(sqlite_over_memory, name)                                                  \
	STORE_TEST_OVER(server, name)                                                              \
	static void contract_##name(struct store_case *sc)

#endif
