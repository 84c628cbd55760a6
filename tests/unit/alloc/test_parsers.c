/* SPDX-License-Identifier: MIT */
/*
 * Every reader of ours with each of its allocations failing: it ends, frees what
 * it had, and says that it failed; what it gives without an error is whole.
 */
#include "support/alloc_fault.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/json_exact.h"
#include "base/message.h"
#include "executor/worker_answer.h"
#include "jobfile/apscheduler.h"
#include "jobfile/cron_table.h"
#include "jobfile/crontab.h"
#include "jobfile/env_file.h"
#include "jobfile/import_job.h"
#include "jobfile/jobfile.h"
#include "jobfile/pickle_read.h"
#include "jobfile/systemd_timer.h"
#include "jobfile/yaml_read.h"
#include "model/job_fields.h"
#include "model/run_record.h"
#include "server/config.h"
#include "server/config_show.h"
#include "store/store_record.h"
#include "store/store_url.h"
#include "trigger/trigger_flags.h"
#include "trigger/trigger_preview.h"
#include "trigger/when.h"

/* More than any of them makes. */
#define MOST 20000

static struct zone_cache *zones;

/* 0 with *out in the arena, or an error; count: how many faults were told. */
typedef int (*parse_fn)(const char *text, struct arena *arena, struct value *out);

static struct trigger_context parse_context(void)
{
	return (struct trigger_context){
	    .zones = zones, .zone = zone_utc(), .seed = 1, .now = SCHEDD_DAY, .job_id = "job"};
}

static int parse_json(const char *text, struct arena *arena, struct value *out)
{
	struct schedd_error err;

	return json_parse(text, strlen(text), arena, out, &err);
}

static int parse_yaml(const char *text, struct arena *arena, struct value *out)
{
	struct diagnostics diagnostics;
	int rc;

	diagnostics_init(&diagnostics);
	rc = yaml_read("f", text, strlen(text), arena, out, &diagnostics);
	diagnostics_clear(&diagnostics);
	return rc;
}

static int parse_jobfile(const char *text, struct arena *arena, struct value *out)
{
	struct trigger_context context = parse_context();
	struct diagnostics diagnostics;
	struct jobfile set;
	int rc;

	jobfile_init(&set);
	diagnostics_init(&diagnostics);
	rc = jobfile_read(&set, "f", text, strlen(text), &context, &diagnostics);
	if (!rc)
		*out = value_copy(arena, &set.jobs);
	jobfile_clear(&set);
	diagnostics_clear(&diagnostics);
	return rc;
}

/* The readers of other schedulers tell faults of single jobs without failing as a whole. */
static int parse_end(int rc, struct diagnostics *skipped, struct diagnostics *notes)
{
	if (!rc && skipped->count > 0)
		rc = SCHEDD_EFILE;
	diagnostics_clear(skipped);
	diagnostics_clear(notes);
	return rc;
}

static int parse_crontab(const char *text, struct arena *arena, struct value *out)
{
	struct trigger_context context = parse_context();
	struct diagnostics skipped, notes;

	*out = value_array();
	diagnostics_init(&skipped);
	diagnostics_init(&notes);
	return parse_end(
	    crontab_read("f", text, strlen(text), false, &context, arena, out, &skipped, &notes),
	    &skipped, &notes);
}

static int parse_apscheduler(const char *text, struct arena *arena, struct value *out)
{
	struct trigger_context context = parse_context();
	struct diagnostics skipped, notes;

	*out = value_array();
	diagnostics_init(&skipped);
	diagnostics_init(&notes);
	return parse_end(
	    apscheduler_read("f", text, strlen(text), &context, arena, out, &skipped, &notes),
	    &skipped, &notes);
}

static int parse_systemd(const char *text, struct arena *arena, struct value *out)
{
	static const char service[] = "[Service]\nExecStart=/bin/true 'a b' %n\nUser=root\n";
	struct trigger_context context = parse_context();
	struct diagnostics skipped, notes;
	struct import_job import = {.file = "f",
	    .context = &context,
	    .arena = arena,
	    .jobs = out,
	    .skipped = &skipped,
	    .notes = &notes};

	*out = value_array();
	diagnostics_init(&skipped);
	diagnostics_init(&notes);
	return parse_end(
	    systemd_timer_read(&import, "a.timer", text, strlen(text), service, strlen(service)),
	    &skipped, &notes);
}

static int parse_trigger(const char *text, struct arena *arena, struct value *out)
{
	struct trigger_context context = parse_context();
	struct schedd_trigger *trigger;
	struct schedd_error err;
	int rc = trigger_from_text(text, &context, &trigger, &err);

	if (rc)
		return rc;
	*out = trigger_to_value(trigger, arena);
	trigger_unref(trigger);
	return 0;
}

static int parse_fields(const char *text, struct arena *arena, struct value *out)
{
	struct trigger_context trigger = parse_context();
	struct job_fields_context context = {.trigger = &trigger};
	struct schedd_job *job = job_new();
	struct schedd_error err;
	struct value map;
	int rc = job ? json_parse(text, strlen(text), arena, &map, &err) : SCHEDD_ENOMEM;

	if (!rc)
		rc = job_fields_read(job, NULL, &map, JOB_FIELD_ADD_ONLY, &context, &err);
	if (!rc)
		*out = job_fields_export(job, arena);
	job_unref(job);
	return rc;
}

static int parse_config(const char *text, struct arena *arena, struct value *out)
{
	struct schedd_error err;
	struct config config;
	int rc;

	config_init(&config);
	rc = config_read_text(&config, "f", text, strlen(text), &err);
	if (!rc) {
		struct value shown = config_show_value(&config, NULL, arena);

		*out = value_copy(arena, &shown);
	}
	config_clear(&config);
	return rc;
}

/* There and back by MessagePack. */
static int parse_message(const char *text, struct arena *arena, struct value *out)
{
	struct strbuf packed = STRBUF_EMPTY;
	struct schedd_error err;
	struct message message;
	struct value map;
	int rc = json_parse(text, strlen(text), arena, &map, &err);

	if (!rc) {
		message_pack_request(&packed, 7, "job.add", &map);
		rc = strbuf_failed(&packed)
			 ? SCHEDD_ENOMEM
			 : message_unpack(packed.data, packed.length, arena, &message, &err);
	}
	if (!rc)
		*out = message.params;
	strbuf_clear(&packed);
	return rc;
}

static int parse_pickle(const char *text, struct arena *arena, struct value *out)
{
	struct schedd_error err;

	return pickle_read(text, arena, out, &err);
}

static int parse_exact(const char *text, struct arena *arena, struct value *out)
{
	struct schedd_error err;

	return json_exact_parse(text, strlen(text), arena, out, &err);
}

/* A table of an account, read in pieces as the daemon does. */
static int parse_cron_table(const char *text, struct arena *arena, struct value *out)
{
	struct diagnostics faults;
	struct cron_table table = {
	    .file = "f", .account = "root", .arena = arena, .jobs = out, .faults = &faults};
	struct cron_table_reader *reader;
	int rc;

	*out = value_array();
	diagnostics_init(&faults);
	reader = cron_table_open(&table, text, strlen(text));
	do {
		rc = reader ? cron_table_some(reader, 1) : SCHEDD_ENOMEM;
	} while (rc > 0);
	cron_table_close(reader);
	if (!rc && faults.count)
		rc = SCHEDD_EFILE;
	diagnostics_clear(&faults);
	return rc;
}

static int parse_env_file(const char *text, struct arena *arena, struct value *out)
{
	struct schedd_error err;

	*out = value_map();
	return env_file_read(text, strlen(text), arena, out, &err);
}

/* A time in a zone that nobody has read before. */
static int parse_when(const char *text, struct arena *arena, struct value *out)
{
	struct zone_cache *own = zone_cache_new(NULL);
	struct when_context context = {.zones = own, .zone = zone_utc(), .now = SCHEDD_DAY};
	struct schedd_error err;
	schedd_time when;
	int rc = own ? when_parse(text, &context, &when, &err) : SCHEDD_ENOMEM;

	(void)arena;
	if (!rc)
		*out = value_int(when);
	zone_cache_free(own);
	return rc;
}

static int parse_flags(const char *text, struct arena *arena, struct value *out)
{
	const struct trigger_flag flags[] = {
	    {"cron", text}, {"every", "2h"}, {"tz", "Europe/Berlin"}, {"start", "2030-01-01"}};
	struct trigger_context context = parse_context();
	struct schedd_error err;

	return trigger_flags_value(flags, 4, &context, arena, out, &err);
}

static int parse_worker_answer(const char *text, struct arena *arena, struct value *out)
{
	struct message message = {.type = MESSAGE_RESPONSE};
	struct task_result result;
	struct schedd_error err;
	int rc = json_parse(text, strlen(text), arena, &message.result, &err);

	if (rc)
		return rc;
	result = worker_answer_read(&message, arena);
	*out = value_string(arena, result.value);
	return result.exit_code || result.reason || strstr(result.value, "no memory") ? SCHEDD_ENOMEM : 0;
}

/* As it stands in a store, and back to text. */
static int parse_stored_job(const char *text, struct arena *arena, struct value *out)
{
	struct trigger_context context = parse_context();
	struct job_record record = {.job = NULL};
	struct strbuf json = STRBUF_EMPTY;
	struct schedd_error err;
	int rc = store_record_host.decode(&context, "a", text, strlen(text), &record, &err);

	if (rc)
		return rc;
	if (record.state.invalid)
		rc = SCHEDD_EFILE;
	else
		rc = store_record_host.encode(record.job, &record.state, &json, &err);
	if (!rc && strbuf_failed(&json))
		rc = SCHEDD_ENOMEM;
	if (!rc)
		*out = value_string(arena, strbuf_peek(&json));
	strbuf_clear(&json);
	job_unref(record.job);
	job_state_clear(&record.state);
	free(record.raw);
	return rc;
}

static int parse_stored_run(const char *text, struct arena *arena, struct value *out)
{
	struct schedd_error err;
	struct value map;
	struct run run;
	int rc = json_parse(text, strlen(text), arena, &map, &err);

	if (rc)
		return rc;
	run_init(&run);
	rc = run_record_read(&run, &map, &err);
	if (!rc) {
		map = run_record_write(&run, arena);
		*out = value_copy(arena, &map);
	}
	run_clear(&run);
	return rc;
}

static int parse_url(const char *text, struct arena *arena, struct value *out)
{
	struct strbuf shown = STRBUF_EMPTY;
	struct schedd_error err;
	struct store_url url;
	int rc = store_url_parse(text, arena, &url, &err);

	if (rc)
		return rc;
	store_url_address(&url, &shown);
	if (strbuf_failed(&shown) || !url.param_count)
		rc = SCHEDD_ENOMEM;
	else
		*out = value_string(arena, strbuf_peek(&shown));
	strbuf_clear(&shown);
	return rc;
}

static const struct {
	const char *name, *text;
	parse_fn parse;
} parsers[] = {
    {"json", "{\"a\":[1,2.5,\"t\",null,true,{\"b\":[]}],\"c\":\"\\u00e4\"}", parse_json},
    {"yaml", "a: [1, 2.5, t]\nb: {c: 'd'}\ne: |\n  text\n  more\n", parse_yaml},
    {"job file",
	"version: 1\nowner: me\ndefaults: {timeout: 5}\njobs:\n  a: {command: [x, 'y z'], trigger: "
	"{cron: '0 3 * * *'}, tags: {k: v}}\n  b: {shell: 'echo', trigger: {any: [{every: 2h}, "
	"{at: '2030-01-01'}]}, retry: {limit: 2}}\n",
	parse_jobfile},
    {"crontab", "MAILTO=me\nA=b c\n*/5 1-4 * * mon echo hi%there\n@daily /bin/true\n",
	parse_crontab},
    {"apscheduler",
	"{\"version\":1,\"jobs\":[{\"id\":\"a\",\"func\":\"m:f\",\"trigger\":\"cron\","
	"\"hour\":\"5\"}]}",
	parse_apscheduler},
    {"systemd", "[Timer]\nOnCalendar=Mon..Fri 09:00\nOnBootSec=5min\nRandomizedDelaySec=30\n",
	parse_systemd},
    {"trigger",
	"any (cron '30 2 * * mon#2' tz Europe/Berlin end 2030-01-01T00:00:00+01:00, all (every 2h, "
	"fields 'hour=5 day=last')) jitter 30s splay 5m",
	parse_trigger},
    {"hashed trigger", "any (cron 'H H(1-5) * * mon' tz UTC, cron '1~30 2 * * *' seed 7)",
	parse_trigger},
    {"fields",
	"{\"id\":\"a\",\"command\":[\"x\",\"y\"],\"trigger\":{\"every\":60},\"env\":{\"A\":\"b\"},"
	"\"tags\":{\"k\":\"v\"},\"retry\":{\"limit\":2},\"success_codes\":\"0,3-5\","
	"\"notify\":\"failure=mail:root\",\"rlimits\":{\"nofile\":7},\"after\":\"b:ok\","
	"\"stdin\":{\"text\":\"t\"},\"umask\":\"022\",\"group\":\"g\"}",
	parse_fields},
    {"config",
	"stores: {more: {type: memory}}\nexecutors: {e: {type: subprocess}}\n"
	"listeners:\n  - {name: x, events: [job_error], run: cat}\ntimezone: UTC\n",
	parse_config},
    /* {"a": [numbers, None, True], "t": ("x", b"yz"), "d": datetime, "s": {}, "o": OrderedDict, "l": …} */
    {"pickle",
	"gASVrQAAAAAAAAB9lCiMAWGUXZQoSwFK/v///4oGAAAAAAABRz/4AAAAAAAATohljAF0lIwBeJRDAnl6lIaUjAFklIwIZGF0"
	"ZXRpbWWUjAhkYXRldGltZZSTlEMKB+oBAgMEBQAAAJSFlFKUjAFzlH2UjAFrlIwCw6SUc4wBb5SMC2NvbGxlY3Rpb25zlIwL"
	"T3JkZXJlZERpY3SUk5QpUpSMAWKUSwJzjAFslF2UKIwBcpRoGmV1Lg==",
	parse_pickle},
    {"message", "{\"id\":\"a\",\"list\":[1,-5,2.5,\"t\",null,true],\"map\":{\"k\":\"v\"}}",
	parse_message},
    {"exact JSON", "{\"a\":{\"!!binary\":\"AAEC\"},\"b\":[{\"!!binary\":\"/w==\"}]}", parse_exact},
    {"cron table",
	"# x\nSHELL=/bin/sh\nA=b c\n*/5 1-4 * * mon echo hi%there\n#schedd: timeout=1h retry=2\n"
	"@daily /bin/true\n",
	parse_cron_table},
    {"environment file", "# x\nexport A=b\nC='d e' \nF=\"g\\\nh\"\nA=z\n", parse_env_file},
    {"phrase", "tomorrow 9am America/New_York", parse_when},
    {"flags", "0 3 * * mon-fri", parse_flags},
    {"worker's answer", "{\"json\":\"[1,{\\\"a\\\":null}]\"}", parse_worker_answer},
    {"stored job",
	"{\"id\":\"a\",\"command\":[\"x\",\"y\"],\"trigger\":{\"cron\":\"0 3 * * *\",\"timezone\":\"UTC\"},"
	"\"env\":{\"A\":\"b\"},\"tags\":{\"k\":\"v\"},\"retry\":{\"limit\":2},\"paused\":true,"
	"\"paused_reason\":\"r\"}",
	parse_stored_job},
    {"stored run",
	"{\"job\":\"a\",\"number\":7,\"state\":\"failed\",\"trigger\":\"manual\",\"attempt\":1,"
	"\"reason\":\"exit code 1\",\"result\":\"{}\",\"actor\":\"uid 0\"}",
	parse_stored_run},
    {"url", "postgresql://me:s%20ecret@h1:5433,h2/db?sslmode=require&connect_timeout=3", parse_url},
};

/* What it gives as JSON, to free(); NULL: an error. */
static char *parsed(size_t row, int *rc)
{
	struct strbuf text = STRBUF_EMPTY;
	struct value value = value_nil();
	struct arena arena;
	char *json = NULL;

	arena_init(&arena);
	*rc = parsers[row].parse(parsers[row].text, &arena, &value);
	alloc_fault->left = 0;
	if (*rc == 0 && !arena_failed(&arena)) {
		json_write(&text, &value);
		json = strbuf_take(&text);
	}
	arena_clear(&arena);
	return json;
}

Test(alloc_parsers, fail_whole_or_give_all)
{
	zones = zone_cache_new(NULL);
	cr_assert(zones);
	for (size_t row = 0; row < sizeof(parsers) / sizeof(parsers[0]); row++) {
		int rc, nth;
		char *whole = parsed(row, &rc);
		bool fired = true;

		cr_expect(whole, "%s: %d", parsers[row].name, rc);
		if (!whole)
			continue;
		for (nth = 1; fired && nth < MOST; nth++) {
			char *json;

			alloc_fault_arm(nth);
			json = parsed(row, &rc);
			fired = alloc_fault_disarm();
			if (json)
				cr_expect_str_eq(
				    json, whole, "%s: allocation %d", parsers[row].name, nth);
			else
				cr_expect(fired, "%s fails without reason", parsers[row].name);
			free(json);
		}
		cr_expect(nth < MOST, "%s has no end", parsers[row].name);
		cr_expect(nth > 3, "%s asks for no memory here", parsers[row].name);
		free(whole);
	}
	zone_cache_free(zones);
}
