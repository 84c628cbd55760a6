/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <schedd/job.h>
#include <stdlib.h>
#include <string.h>

Test(schedd_job, is_made_field_by_field)
{
	struct schedd_job *job = schedd_job_new();
	struct schedd_error err = {0};
	char *json;

	cr_assert_null(schedd_job_id(job));
	cr_assert_eq(schedd_job_set(job, "id", "backup", &err), 0, "%s", err.message);
	cr_assert_eq(schedd_job_set(job, "command", "[\"/bin/echo\",\"hi\"]", &err), 0);
	cr_assert_eq(schedd_job_set(job, "max_instances", "5", &err), 0);
	cr_assert_eq(
	    schedd_job_set(job, "trigger", "{\"cron\":\"0 9 * * *\",\"timezone\":\"UTC\"}", &err),
	    0, "%s", err.message);
	cr_assert_str_eq(schedd_job_id(job), "backup");
	json = schedd_job_json(job);
	cr_assert(strstr(json, "\"command\":[\"/bin/echo\",\"hi\"]"));
	cr_assert(strstr(json, "\"expr\":\"0 9 * * *\""));
	cr_assert(strstr(json, "\"max_instances\":5"));
	cr_assert_null(strstr(json, "revision"));
	free(json);
	cr_assert_eq(schedd_job_set(job, "trigger", "null", &err), 0);
	schedd_job_unref(job);
}

Test(schedd_job, takes_triggers_and_calls)
{
	struct schedd_job *job = schedd_job_new();
	struct schedd_trigger *trigger;
	struct schedd_error err = {0};

	cr_assert_eq(schedd_trigger_parse("{\"every\":\"15m\"}", NULL, 0, &trigger, &err), 0);
	cr_assert_eq(schedd_job_set_trigger(job, trigger, &err), 0);
	schedd_trigger_unref(trigger);
	cr_assert_eq(schedd_job_set_call(job, "f", "{\"a\":1}", &err), 0);
	cr_assert_eq(schedd_job_set_call(job, "f", "{", &err), SCHEDD_EINVAL);
	schedd_job_unref(job);
}

Test(schedd_job, names_what_is_wrong)
{
	struct schedd_job *job = schedd_job_new();
	struct schedd_error err = {0};

	cr_assert_eq(schedd_job_set(job, "comand", "x", &err), SCHEDD_EINVAL);
	cr_assert(strstr(err.message, "did you mean 'command'?"));
	cr_assert_eq(schedd_job_set(job, "paused", "true", &err), SCHEDD_EINVAL);
	cr_assert_eq(schedd_job_set(job, "trigger", "{\"cron\":\"x\"}", &err), SCHEDD_EINVAL);
	schedd_job_unref(job);
	schedd_job_unref(NULL);
}
