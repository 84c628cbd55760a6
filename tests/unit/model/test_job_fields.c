/* SPDX-License-Identifier: MIT */
#include "model/job_fields.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "model/job_check.h"

/* A job, its state and all that is needed to read into them. */
struct bench {
	struct schedd_job *job;
	struct job_state state;
	struct zone_cache *zones;
	struct trigger_context trigger;
	struct job_fields_context context;
	struct arena arena;
	struct schedd_error err;
};

static void bench_open(struct bench *bench)
{
	memset(bench, 0, sizeof(*bench));
	bench->job = job_new();
	job_state_init(&bench->state);
	bench->zones = zone_cache_new(NULL);
	bench->trigger = (struct trigger_context){
	    .zones = bench->zones,
	    .zone = zone_utc(),
	    .now = 1767225600 * SCHEDD_SECOND,
	    .seed = 1,
	};
	bench->context.trigger = &bench->trigger;
	arena_init(&bench->arena);
}

static void bench_close(struct bench *bench)
{
	job_unref(bench->job);
	job_state_clear(&bench->state);
	zone_cache_free(bench->zones);
	arena_clear(&bench->arena);
}

static struct value bench_json(struct bench *bench, const char *json)
{
	struct value value;

	cr_assert_eq(json_parse(json, strlen(json), &bench->arena, &value, &bench->err), 0,
	    "%s: %s", json, bench->err.message);
	return value;
}

static int bench_read(struct bench *bench, const char *json, unsigned allowed)
{
	struct value map = bench_json(bench, json);

	bench->err.message[0] = '\0';
	return job_fields_read(
	    bench->job, &bench->state, &map, allowed, &bench->context, &bench->err);
}

static const char *bench_text(struct bench *bench, const struct value *value)
{
	struct strbuf out = STRBUF_EMPTY;
	const char *text;

	json_write(&out, value);
	text = arena_strdup(&bench->arena, strbuf_peek(&out));
	strbuf_clear(&out);
	return text;
}

#define ADDING (JOB_FIELD_ADD_ONLY | JOB_FIELD_STATE)

/* What is read, and how it is written; NULL: as it was read. */
struct form {
	const char *field, *in, *out;
};

static const struct form forms[] = {
    {"id", "\"a.b-C_9\"", NULL},
    {"name", "\"Sicherung \xc3\xa4\"", NULL},
    {"description", "\"x\\ny\"", NULL},
    {"tags", "{\"a\":\"b\",\"c\":\"\"}", NULL},
    {"tags", "[\"a=b=c\",\"d\"]", "{\"a\":\"b=c\",\"d\":\"\"}"},
    {"tags", "{\"n\":null}", "{\"n\":\"\"}"},
    {"group", "\"io\"", NULL},
    {"priority", "-5", NULL},
    {"owner", "\"site\"", NULL},
    {"command", "[\"/bin/echo\",\"\"]", NULL},
    {"command", "[\"sleep\",1,2.5,true]", "[\"sleep\",\"1\",\"2.5\",\"true\"]"},
    {"shell", "\"echo a | b\"", NULL},
    {"call", "{\"function\":\"p:f\",\"args\":[1,{\"a\":null}]}", NULL},
    {"call", "\"f\"", "{\"function\":\"f\"}"},
    {"http", "\"https://a/b\"", "{\"method\":\"GET\",\"url\":\"https://a/b\"}"},
    {"http", "\"POST http://a\"", "{\"method\":\"POST\",\"url\":\"http://a\"}"},
    {"http",
	"{\"method\":\"PUT\",\"url\":\"http://a/\",\"headers\":{\"X-A\":\"1\"},\"body\":\"b\"}",
	NULL},
    {"trigger", "{\"cron\":\"30 2 * * *\",\"timezone\":\"Europe/Berlin\"}",
	"{\"type\":\"cron\",\"expr\":\"30 2 * * *\",\"timezone\":\"Europe/Berlin\"}"},
    {"executor", "\"fast\"", NULL},
    {"store", "\"memory\"", NULL},
    {"misfire_grace_time", "\"1h30m\"", "5400"},
    {"misfire_grace_time", "0.5", NULL},
    {"misfire_grace_time", "\"none\"", "null"},
    {"coalesce", "\"all\"", NULL},
    {"max_instances", "3", NULL},
    {"max_instances", "3.0", "3"},
    {"overlap", "\"replace\"", NULL},
    {"max_runs", "9007199254740993", NULL},
    {"keep", "true", NULL},
    {"recover", "true", NULL},
    {"next_run_time", "1767225600000001", NULL},
    {"next_run_time", "\"2026-01-01T01:00:00+01:00\"", "1767225600000000"},
    {"paused", "true", NULL},
    {"paused_until", "\"2026-01-02\"", "1767312000000000"},
    {"paused_reason", "\"upgrade\"", NULL},
    {"after", "[{\"job\":\"a\",\"on\":\"any\"},{\"job\":\"b\",\"on\":\"ok\"}]", NULL},
    {"after", "\"a:fail\"", "[{\"job\":\"a\",\"on\":\"fail\"}]"},
    {"after", "[\"a\",{\"job\":\"b\"}]",
	"[{\"job\":\"a\",\"on\":\"ok\"},{\"job\":\"b\",\"on\":\"ok\"}]"},
    {"on_partition", "\"kill\"", NULL},
    {"nodes", "[\"web1\",\"zone=a,!spot\"]", NULL},
    {"nodes", "\"web1\"", "[\"web1\"]"},
    {"nodes", "[\"b\",\"a\",\"b\"]", "[\"a\",\"b\"]"},
    {"nodes", "\"any\"", "null"},
    {"nodes", "\"all\"", NULL},
    {"nodes", "[\"all\"]", "\"all\""},
    {"nodes", "[\"any\"]", "null"},
    {"cwd", "\"/srv\"", NULL},
    {"env", "{\"A\":\"x=y\",\"B\":\"\"}", NULL},
    {"env", "{\"A\":1,\"B\":false,\"C\":0.1}", "{\"A\":\"1\",\"B\":\"false\",\"C\":\"0.1\"}"},
    {"env", "[\"A=b=c\"]", "{\"A\":\"b=c\"}"},
    {"user", "\"www-data:adm\"", NULL},
    {"umask", "\"22\"", "\"022\""},
    {"umask", "\"0077\"", "\"077\""},
    {"nice", "-20", NULL},
    {"rlimits",
	"{\"nofile\":1024,\"core\":\"unlimited\",\"as\":{\"soft\":1,\"hard\":\"unlimited\"}}",
	NULL},
    {"rlimits", "{\"AS\":\"1G\",\"stack\":\"1M:unlimited\"}",
	"{\"as\":1073741824,\"stack\":{\"soft\":1048576,\"hard\":\"unlimited\"}}"},
    {"rlimits", "[\"nproc=5\"]", "{\"nproc\":5}"},
    {"stdin", "\"/etc/motd\"", NULL},
    {"stdin", "{\"path\":\"/etc/motd\"}", "\"/etc/motd\""},
    {"stdin", "{\"text\":\"a\\u0000b\\n\"}", NULL},
    {"hook", "\"/etc/hook\"", "{\"secret_file\":\"/etc/hook\"}"},
    {"hook", "{\"secret_file\":\"/etc/hook\"}", NULL},
    {"secrets", "{\"DB_PASSWORD\":\"/etc/secret\"}", NULL},
    {"secrets", "[\"DB=/etc/secret\"]", "{\"DB\":\"/etc/secret\"}"},
    {"shell_path", "\"/bin/bash\"", NULL},
    {"timeout", "\"PT1H\"", "3600"},
    {"kill_after", "0", NULL},
    {"kill_signal", "\"sigusr1\"", "\"USR1\""},
    {"kill_signal", "9", "\"KILL\""},
    {"kill_signal", "\"RTMIN+2\"", NULL},
    {"retry", "3", "{\"limit\":3,\"delay\":1,\"backoff\":1,\"max_delay\":null,\"on\":null}"},
    {"retry", "{\"limit\":2,\"delay\":\"10s\",\"backoff\":1.5,\"max_delay\":60,\"on\":\"1,7-9\"}",
	"{\"limit\":2,\"delay\":10,\"backoff\":1.5,\"max_delay\":60,\"on\":[1,7,8,9]}"},
    {"success_codes", "[0,3]", NULL},
    {"success_codes", "\"0, 3-5\"", "[0,3,4,5]"},
    {"success_codes", "2", "[2]"},
    {"notify", "[{\"on\":\"failure\",\"target\":\"mail:root\"}]", NULL},
    {"notify", "\"late=logger late\"", "[{\"on\":\"late\",\"target\":\"logger late\"}]"},
    {"notify", "{\"success\":[\"a\",\"https://b\"],\"change\":\"c\"}",
	"[{\"on\":\"success\",\"target\":\"a\"},{\"on\":\"success\",\"target\":\"https://b\"},"
	"{\"on\":\"change\",\"target\":\"c\"}]"},
    {"capture", "\"split\"", NULL},
    {"output_max", "\"64K\"", "65536"},
    {"keep_runs", "0", NULL},
    {"keep_for", "\"2w\"", "1209600"},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

Test(job_fields, reads_and_writes_every_form)
{
	for (size_t i = 0; i < COUNT(forms); i++) {
		const struct form *form = &forms[i];
		const struct job_field *field = job_fields_find(form->field);
		struct bench bench;
		struct value value;

		bench_open(&bench);
		value = bench_json(&bench, form->in);
		cr_assert_eq(job_fields_set(bench.job, &bench.state, field, &value, &bench.context,
				 &bench.err),
		    0, "%s", bench.err.message);
		value = job_fields_get(bench.job, &bench.state, field, &bench.arena);
		cr_assert_str_eq(bench_text(&bench, &value), form->out ? form->out : form->in);
		cr_assert_eq(
		    job_fields_is_default(bench.job, &bench.state, field), value.type == VALUE_NIL);
		value = value_nil();
		cr_assert_eq(job_fields_set(bench.job, &bench.state, field, &value, &bench.context,
				 &bench.err),
		    0);
		cr_assert(job_fields_is_default(bench.job, &bench.state, field), "%s", form->field);
		bench_close(&bench);
	}
}

Test(job_fields, tries_every_row_that_can_be_set)
{
	for (const struct job_field *field = job_fields(); field->name; field++) {
		bool tried = (field->flags & JOB_FIELD_READONLY) != 0;

		for (size_t i = 0; i < COUNT(forms); i++)
			tried |= strcmp(forms[i].field, field->name) == 0;
		cr_assert(tried, "%s", field->name);
	}
}

Test(job_fields, names_fields_once_and_documents_them)
{
	for (const struct job_field *field = job_fields(); field->name; field++) {
		cr_assert_eq(job_fields_find(field->name), field);
		cr_assert(field->doc && field->doc[0]);
		cr_assert(
		    (field->flags & JOB_FIELD_READONLY) || field->fallback, "%s", field->name);
		cr_assert_eq(field->type == JOB_FIELD_ENUM, field->words != NULL);
	}
	cr_assert_null(job_fields_find("nonsense"));
}

Test(job_fields, has_defaults_in_every_row_of_a_new_job)
{
	struct bench bench;
	struct value export;

	bench_open(&bench);
	for (const struct job_field *field = job_fields(); field->name; field++)
		cr_assert(job_fields_is_default(bench.job, &bench.state, field), "%s", field->name);
	export = job_fields_export(bench.job, &bench.arena);
	cr_assert_eq(export.map.count, 0);
	bench_close(&bench);
}

Test(job_fields, writes_defaults_where_they_are_values)
{
	struct bench bench;
	struct value map;

	bench_open(&bench);
	cr_assert_eq(bench_read(&bench, "{\"id\":\"x\",\"shell\":\"true\"}", ADDING), 0);
	map = job_fields_write(bench.job, &bench.state, &bench.arena);
	cr_assert_str_eq(bench_text(&bench, &map),
	    "{\"id\":\"x\",\"name\":null,\"description\":null,\"tags\":{},\"group\":null,"
	    "\"priority\":0,\"owner\":null,\"command\":null,\"shell\":\"true\",\"call\":null,"
	    "\"http\":null,\"trigger\":null,\"executor\":\"default\",\"store\":\"default\","
	    "\"nodes\":null,\"on_partition\":\"keep\",\"misfire_grace_time\":null,\"coalesce\":\"latest\",\"max_instances\":1,"
	    "\"overlap\":\"skip\",\"max_runs\":null,\"keep\":false,\"recover\":false,"
	    "\"next_run_time\":null,\"paused\":false,\"paused_until\":null,\"paused_reason\":null,"
	    "\"after\":[],\"hook\":null,\"cwd\":null,\"env\":{},\"user\":null,\"umask\":null,\"nice\":0,"
	    "\"rlimits\":{},\"stdin\":null,\"secrets\":{},\"shell_path\":null,\"timeout\":null,"
	    "\"kill_after\":10,\"kill_signal\":\"TERM\",\"retry\":null,\"success_codes\":[0],"
	    "\"notify\":[],\"capture\":\"merged\",\"output_max\":null,\"keep_runs\":null,"
	    "\"keep_for\":null,\"revision\":1,\"created_at\":0,\"updated_at\":0,\"created_by\":0,"
	    "\"run_count\":0,\"invalid\":null}");
	bench_close(&bench);
}

/* A map of one random form of about half the fields, of actions exactly one. */
/* It is as small in memory and in its store as a job that names none. */
Test(job_fields, says_nothing_by_naming_the_default_store)
{
	struct bench bench;
	static const char *const names[] = {"executor", "store"};

	bench_open(&bench);
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(bench_read(&bench, "{\"executor\":\"default\",\"store\":\"default\"}", ADDING), 0, "%s",
		    bench.err.message);
		for (int k = 0; k < 2; k++) {
			const struct job_field *field = job_fields_find(names[k]);
			struct value value = job_fields_get(bench.job, &bench.state, field, &bench.arena);

			cr_expect(job_fields_is_default(bench.job, &bench.state, field), "%s", names[k]);
			cr_expect_str_eq(value.string.text, "default", "%s", names[k]);
		}
		cr_expect(i == 1 || !bench.job->details);
		/* What was named before is gone with it. */
		cr_assert_eq(bench_read(&bench, "{\"executor\":\"other\",\"store\":\"other\"}", ADDING), 0, "%s",
		    bench.err.message);
		cr_expect(!job_fields_is_default(bench.job, &bench.state, job_fields_find("store")));
	}
	bench_close(&bench);
}

static struct value random_map(struct bench *bench, unsigned *seed)
{
	static const char *const actions[] = {"command", "shell", "call", "http"};
	const char *action = actions[rand_r(seed) % 4];
	struct value map = value_map();

	for (size_t i = 0; i < COUNT(forms); i++) {
		const struct job_field *field = job_fields_find(forms[i].field);
		bool is_action = false;

		for (size_t k = 0; k < COUNT(actions); k++)
			is_action |= strcmp(field->name, actions[k]) == 0;
		if (is_action ? strcmp(field->name, action) != 0 : rand_r(seed) % 2)
			continue;
		if (field->place != JOB_IN_STATE && !value_get(&map, field->name))
			value_put(&bench->arena, &map, field->name, bench_json(bench, forms[i].in));
	}
	return map;
}

Test(job_fields, reads_back_what_it_exports)
{
	unsigned seed = 7;

	for (int round = 0; round < 500; round++) {
		struct value map, export, again;
		struct schedd_job *clone, *second = job_new();
		struct bench bench;

		bench_open(&bench);
		map = random_map(&bench, &seed);
		cr_assert_eq(job_fields_read(bench.job, NULL, &map, JOB_FIELD_ADD_ONLY,
				 &bench.context, &bench.err),
		    0, "%s", bench.err.message);
		cr_assert_eq(job_check(bench.job, &bench.err), 0, "%s", bench.err.message);
		export = job_fields_export(bench.job, &bench.arena);
		cr_assert_eq(job_fields_read(second, NULL, &export, JOB_FIELD_ADD_ONLY,
				 &bench.context, &bench.err),
		    0, "%s", bench.err.message);
		again = job_fields_export(second, &bench.arena);
		cr_assert(value_equal(&export, &again), "%s", bench_text(&bench, &again));
		clone = job_clone(bench.job);
		again = job_fields_export(clone, &bench.arena);
		cr_assert(value_equal(&export, &again), "%s", bench_text(&bench, &again));
		job_unref(clone);
		job_unref(second);
		bench_close(&bench);
	}
}

Test(job_fields, reads_id_before_the_trigger_that_hashes_it)
{
	struct bench one, two;
	struct value first, second;

	bench_open(&one);
	bench_open(&two);
	cr_assert_eq(bench_read(&one,
			 "{\"trigger\":{\"every\":\"1h\",\"splay\":3000},\"id\":\"a\"}", ADDING),
	    0, "%s", one.err.message);
	cr_assert_eq(bench_read(&two,
			 "{\"trigger\":{\"every\":\"1h\",\"splay\":3000},\"id\":\"b\"}", ADDING),
	    0);
	first = value_int(trigger_next(one.job->trigger, one.trigger.now));
	second = value_int(trigger_next(two.job->trigger, two.trigger.now));
	cr_assert_neq(first.integer, second.integer);
	bench_close(&one);
	bench_close(&two);
}

Test(job_fields, keeps_what_was_drawn_for_an_unchanged_trigger)
{
	struct bench bench, later;
	struct job_record previous = {0};

	bench_open(&bench);
	bench_open(&later);
	cr_assert_eq(bench_read(&bench, "{\"trigger\":{\"every\":\"7m\"}}", ADDING), 0);
	previous.job = bench.job;
	later.trigger.now += 123 * SCHEDD_SECOND;
	later.context.previous = &previous;
	cr_assert_eq(bench_read(&later, "{\"trigger\":{\"every\":\"7m\"}}", ADDING), 0);
	cr_assert(trigger_equal(bench.job->trigger, later.job->trigger));
	bench_close(&bench);
	bench_close(&later);
}

Test(job_fields, pauses_by_a_next_run_time_of_null)
{
	struct bench bench;

	bench_open(&bench);
	cr_assert_eq(bench_read(&bench, "{\"next_run_time\":null}", ADDING), 0);
	cr_assert(bench.state.paused);
	cr_assert_eq(bench_read(&bench, "{\"next_run_time\":1000}", ADDING), 0);
	cr_assert_not(bench.state.paused);
	cr_assert_eq(bench_read(&bench, "{\"next_run_time\":null,\"paused\":false}", ADDING), 0);
	cr_assert_not(bench.state.paused);
	cr_assert_eq(bench_read(&bench, "{\"paused_until\":1767312000000000}", ADDING), 0);
	cr_assert(bench.state.paused);
	bench_close(&bench);
}

Test(job_fields, changes_only_the_members_of_retry_that_are_given)
{
	const struct job_details *details;
	struct bench bench;

	bench_open(&bench);
	cr_assert_eq(bench_read(&bench, "{\"retry\":{\"limit\":3,\"delay\":5}}", ADDING), 0);
	cr_assert_eq(bench_read(&bench, "{\"retry\":{\"backoff\":2}}", ADDING), 0);
	details = job_details(bench.job);
	cr_assert_eq(details->retry_limit, 3);
	cr_assert_eq(details->retry_delay, 5 * SCHEDD_SECOND);
	cr_assert_eq(details->retry_backoff, 2);
	bench_close(&bench);
}

Test(job_fields, replaces_what_a_run_does)
{
	struct bench bench;

	bench_open(&bench);
	cr_assert_eq(bench_read(&bench, "{\"shell\":\"a\"}", ADDING), 0);
	cr_assert_eq(bench_read(&bench, "{\"command\":[\"b\"],\"shell\":null}", ADDING), 0);
	cr_assert_eq(bench.job->kind, JOB_COMMAND);
	cr_assert_str_eq(bench.job->argv[0], "b");
	cr_assert_eq(bench_read(&bench, "{\"http\":\"http://x\",\"command\":null}", ADDING), 0);
	cr_assert_eq(bench.job->kind, JOB_HTTP);
	bench_close(&bench);
}

Test(job_fields, refuses_what_is_not_for_the_caller)
{
	struct bench bench;

	bench_open(&bench);
	cr_assert_eq(bench_read(&bench, "{\"id\":\"x\"}", JOB_FIELD_STATE), SCHEDD_EINVAL);
	cr_assert_str_eq(
	    bench.err.message, "id: it is set when a job is added and cannot be changed");
	cr_assert_eq(bench_read(&bench, "{\"paused\":true}", 0), SCHEDD_EINVAL);
	cr_assert_eq(bench_read(&bench, "{\"revision\":3}", ADDING), SCHEDD_EINVAL);
	cr_assert_str_eq(bench.err.message, "revision: it is shown only and cannot be set");
	cr_assert_eq(bench_read(&bench, "{\"state\":\"x\"}", ~0u), SCHEDD_EINVAL);
	cr_assert_eq(bench_read(&bench, "{\"revision\":3,\"last_run\":7}", ~0u), 0);
	cr_assert_eq(bench.state.last_run, 7);
	bench_close(&bench);
}

Test(job_fields, suggests_what_was_meant)
{
	static const char *const meant[][2] = {{"comand", "command"}, {"Timeout", "timeout"},
	    {"maxruns", "max_runs"}, {"func", "call"}, {"jobstore", "store"}, {"cron", "trigger"},
	    {"misfire_grace", "misfire_grace_time"}};
	struct bench bench;

	bench_open(&bench);
	for (size_t i = 0; i < COUNT(meant); i++)
		cr_expect_str_eq(
		    job_fields_suggest(meant[i][0]) ? job_fields_suggest(meant[i][0]) : "nothing",
		    meant[i][1]);
	cr_assert_eq(bench_read(&bench, "{\"comand\":[\"x\"]}", ADDING), SCHEDD_EINVAL);
	cr_assert_str_eq(
	    bench.err.message, "'comand' is no field of a job, did you mean 'command'?");
	cr_assert_null(job_fields_suggest("xyzzy"));
	bench_close(&bench);
}
