/* SPDX-License-Identifier: MIT */
/* What no kernel gives to a program is refused before it is tried; a script can be of any length. */
#include "model/job_check.h"

#include <criterion/criterion.h>
#include <schedd/job.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A job whose field is that JSON with length letters in the place of the @. */
static int check(const char *field, const char *form, size_t length, struct schedd_error *err)
{
	struct schedd_job *job = schedd_job_new();
	size_t before = strcspn(form, "@");
	char *json = malloc(length + 256);
	int rc;

	memcpy(json, form, before);
	memset(json + before, 'x', length);
	strcpy(json + before + length, form + before + 1);
	rc = schedd_job_set(job, "id", "\"a\"", err);
	if (rc == 0 && strcmp(field, "command") != 0 && strcmp(field, "shell") != 0)
		rc = schedd_job_set(job, "shell", "\"true\"", err);
	if (rc == 0)
		rc = schedd_job_set(job, field, json, err);
	if (rc == 0)
		rc = job_check(job, err);
	schedd_job_unref(job);
	free(json);
	return rc;
}

Test(job_check, refuses_what_is_too_long_for_one_argument)
{
	size_t most = job_check_argument_max() - 1;
	char expected[128];
	struct schedd_error err;

	cr_expect_eq(check("command", "[\"/bin/echo\", \"@\"]", most, &err), 0, "%s", err.message);
	cr_expect_eq(check("command", "[\"/bin/echo\", \"@\"]", most + 1, &err), SCHEDD_EINVAL);
	snprintf(expected, sizeof(expected), "command: argument 1 is %zu bytes long, a program can be given %zu",
	    most + 1, most);
	cr_expect_eq(strncmp(err.message, expected, strlen(expected)), 0, "%s", err.message);
	cr_expect_eq(check("env", "{\"AB\": \"@\"}", most - 3, &err), 0, "%s", err.message);
	cr_expect_eq(check("env", "{\"AB\": \"@\"}", most - 2, &err), SCHEDD_EINVAL);
	cr_expect_eq(strncmp(err.message, "env: 'AB' is ", 13), 0, "%s", err.message);
}

Test(job_check, takes_a_script_of_any_length)
{
	struct schedd_error err;

	cr_expect_eq(check("shell", "\"#@\"", job_check_argument_max() * 4, &err), 0, "%s", err.message);
}

Test(job_check, refuses_what_is_too_long_together)
{
	struct schedd_job *job = schedd_job_new();
	const size_t each = 100000, count = 64;
	char *json = malloc(each * count + 1024);
	size_t at = 0;
	struct schedd_error err;

	at += (size_t)sprintf(json + at, "[\"/bin/echo\"");
	for (size_t i = 0; i < count; i++) {
		at += (size_t)sprintf(json + at, ",\"");
		memset(json + at, 'x', each);
		at += each;
		at += (size_t)sprintf(json + at, "\"");
	}
	sprintf(json + at, "]");
	cr_assert_eq(schedd_job_set(job, "command", json, &err), 0, "%s", err.message);
	cr_expect_eq(job_check(job, &err), SCHEDD_EINVAL);
	cr_expect(strstr(err.message, "bytes long together, a program can be given 6291456"), "%s",
	    err.message);
	schedd_job_unref(job);
	free(json);
}
