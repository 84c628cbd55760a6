/* SPDX-License-Identifier: MIT */
#include "model/job_pool.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "model/job_fields.h"

static struct schedd_job *made(const char *json)
{
	const struct trigger_context trigger = {.zone = zone_utc(), .seed = 1};
	const struct job_fields_context context = {.trigger = &trigger};
	struct schedd_job *job = job_new();
	struct arena arena;
	struct value map;
	struct schedd_error err;

	arena_init(&arena);
	cr_assert_eq(json_parse(json, strlen(json), &arena, &map, &err), 0, "%s", err.message);
	cr_assert_eq(job_fields_read(job, NULL, &map, JOB_FIELD_ADD_ONLY, &context, &err), 0, "%s",
	    err.message);
	arena_clear(&arena);
	return job;
}

static char *written(const struct schedd_job *job)
{
	struct strbuf text = STRBUF_EMPTY;
	struct arena arena;
	struct value value;

	arena_init(&arena);
	value = job_fields_write(job, NULL, &arena);
	json_write(&text, &value);
	arena_clear(&arena);
	return strbuf_take(&text);
}

/* One of each kind of field that has memory of its own. */
#define DETAILS                                                                                    \
	"\"owner\":\"ops\",\"executor\":\"wide\",\"tags\":{\"a\":\"1\"},\"env\":{\"B\":\"2\"},"    \
	"\"after\":[{\"job\":\"x\",\"on\":\"ok\"}],\"stdin\":{\"text\":\"in\"},"                   \
	"\"notify\":[{\"on\":\"late\",\"target\":\"true\"}],\"rlimits\":{\"nofile\":9},"           \
	"\"secrets\":{\"S\":\"/s\"},\"hook\":\"/h\",\"timeout\":5,\"max_instances\":3,\"success_codes\":[0,3]"

static const char *const kinds[] = {
    "\"command\":[\"a\",\"b c\"]",
    "\"shell\":\"a | b\"",
    "\"call\":{\"function\":\"f\",\"args\":[1]}",
    "\"http\":{\"method\":\"GET\",\"url\":\"http://h/\",\"headers\":{\"X\":\"y\"}}",
};

Test(job_pool, seals_without_a_change)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct job_pool *pool = job_pool_new();
		struct strbuf json = STRBUF_EMPTY;
		struct schedd_job *job;
		char *before, *after;

		strbuf_printf(&json, "{\"id\":\"j\",\"name\":\"N\",%s," DETAILS "}", kinds[i]);
		job = made(strbuf_peek(&json));
		before = written(job);
		job = job_pool_seal(pool, job);
		after = written(job);
		cr_assert_str_eq(before, after);
		job_pool_free(pool);
		free(after);
		after = written(job);
		cr_assert_str_eq(before, after);
		job_unref(job);
		free(before);
		free(after);
		strbuf_clear(&json);
	}
}

Test(job_pool, shares_what_is_the_same)
{
	struct job_pool *pool = job_pool_new();
	struct schedd_job *a, *b, *c;

	a = job_pool_seal(pool, made("{\"id\":\"a\",\"command\":[\"x\",\"y\"]," DETAILS "}"));
	b = job_pool_seal(pool, made("{\"id\":\"b\",\"command\":[\"x\",\"y\"]," DETAILS "}"));
	c = job_pool_seal(pool, made("{\"id\":\"c\",\"command\":[\"x\"],\"owner\":\"ops\"}"));
	cr_assert_eq(a->details, b->details);
	cr_assert_eq(a->argv, b->argv);
	cr_assert_neq(a->argv, c->argv);
	cr_assert_neq(a->details, c->details);
	cr_assert_str_eq(a->id, "a");
	cr_assert_str_eq(b->id, "b");
	job_unref(a);
	job_unref(b);
	job_unref(c);
	job_pool_free(pool);
}

Test(job_pool, keeps_no_details_that_are_the_defaults)
{
	struct job_pool *pool = job_pool_new();
	struct schedd_job *job =
	    job_pool_seal(pool, made("{\"id\":\"a\",\"shell\":\"x\",\"max_instances\":1}"));

	cr_assert_null(job->details);
	job_unref(job);
	job_pool_free(pool);
}

Test(job_pool, changes_of_a_clone_touch_nobody_else)
{
	struct job_pool *pool = job_pool_new();
	struct schedd_job *a =
	    job_pool_seal(pool, made("{\"id\":\"a\",\"shell\":\"x\"," DETAILS "}"));
	struct schedd_job *clone = job_clone(a);
	char *before = written(a), *after;

	cr_assert_eq(clone->details, a->details);
	job_details_edit(clone)->max_instances = 9;
	cr_assert_neq(clone->details, a->details);
	cr_assert_eq(job_set_shell(clone, "y"), 0);
	after = written(a);
	cr_assert_str_eq(before, after);
	cr_assert_str_eq(clone->id, "a");
	job_unref(a);
	job_unref(clone);
	job_pool_free(pool);
	free(before);
	free(after);
}

/* Whatever field is taken back to its default, whoever shares the rest keeps it. */
Test(job_pool, resets_of_a_clone_touch_nobody_else)
{
	static const char json[] = "\"shell\":\"x\",\"retry\":{\"limit\":2}," DETAILS "}";
	struct job_pool *pool = job_pool_new();
	struct strbuf text = STRBUF_EMPTY;
	struct value nil = value_nil();
	struct schedd_job *a;
	uint32_t count = 0;
	char *before;

	strbuf_printf(&text, "{\"id\":\"a\",%s", json);
	a = job_pool_seal(pool, made(strbuf_peek(&text)));
	before = written(a);
	for (const struct job_field *field = job_fields(); field->name; field++) {
		struct schedd_job *clone;
		struct schedd_error err;
		char *after;

		if (field->place != JOB_IN_DETAILS && field->place != JOB_IN_JOB)
			continue;
		clone = job_clone(a);
		cr_assert_eq(job_fields_set(clone, NULL, field, &nil, NULL, &err), 0, "%s: %s",
		    field->name, err.message);
		after = written(a);
		cr_expect_str_eq(before, after, "%s", field->name);
		free(after);
		job_unref(clone);
		count++;
	}
	cr_expect_gt(count, 40);
	job_unref(a);
	job_pool_free(pool);
	strbuf_clear(&text);
	free(before);
}
