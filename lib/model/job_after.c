/* SPDX-License-Identifier: MIT */
/* after: ['backup:ok', {job: fetch, on: any}]; a single one may stand without its list. */
#include <string.h>
#include "base/system_user.h"
#include "model/job_details.h"
#include "model/job_field_ops.h"
#include "model/job_member.h"
#include "model/job_text.h"
#include "model/job_word.h"

struct job_after_parts {
	char job[JOB_ID_MAX + 1]; /* "": not given */
	unsigned on;              /* enum job_after_on */
};

static int job_after_id(
    struct job_after_parts *parts, const char *text, size_t length, struct schedd_error *err)
{
	if (length <= JOB_ID_MAX) {
		memcpy(parts->job, text, length);
		parts->job[length] = '\0';
	}
	if (length > JOB_ID_MAX || !job_id_valid(parts->job))
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "'%.*s' is not the id of a job", (int)length, text);
	return 0;
}

static int job_after_read_job(void *target, const struct value *value, struct schedd_error *err)
{
	const char *text;
	int rc = job_text_plain(value, &text, err);

	return rc ? rc : job_after_id(target, text, strlen(text), err);
}

static int job_after_read_on(void *target, const struct value *value, struct schedd_error *err)
{
	return job_word_read(value, job_after_words, &((struct job_after_parts *)target)->on, err);
}

/* Does the text begin with the name of an account of this machine? SCHEDD_EFAILED: nobody has said it yet. */
static int job_after_account(const char *text, bool *is, struct schedd_error *err)
{
	char name[JOB_ACCOUNT_MAX + 1];
	size_t length = job_id_account(text);
	struct system_user user;
	int rc;

	*is = false;
	if (length == 0 || length > JOB_ACCOUNT_MAX)
		return 0;
	memcpy(name, text, length);
	name[length] = '\0';
	rc = system_user_named(name, &user, err);
	*is = rc == 0;
	return rc == SCHEDD_ENOTFOUND ? 0 : rc;
}

/*
 * "JOB", "JOB:ok", "ACCOUNT:JOB:ok". A condition at the end is one; what else
 * stands before a ':' is an account, if there is one of that name.
 */
static int job_after_text(
    struct job_after_parts *parts, const struct value *value, struct schedd_error *err)
{
	const char *text, *colon;
	bool account = false, word;
	size_t length;
	int rc = job_text_plain(value, &text, err);

	if (rc)
		return rc;
	length = strlen(text);
	colon = strrchr(text, ':');
	word = colon && !job_word_find(colon + 1, strlen(colon + 1), job_after_words, &parts->on, NULL);
	if (!rc && colon && !word)
		rc = job_after_account(text, &account, err);
	if (!rc && colon && !account) {
		rc = job_word_find(colon + 1, strlen(colon + 1), job_after_words, &parts->on, err);
		length = (size_t)(colon - text);
	}
	return rc ? rc : job_after_id(parts, text, length, err);
}

static int job_after_add(
    struct job_details *details, const struct value *value, struct schedd_error *err)
{
	static const struct job_member rows[] = {
	    {"job", job_after_read_job},
	    {"on", job_after_read_on},
	    {NULL, NULL},
	};
	struct job_after_parts parts = {.on = JOB_AFTER_OK};
	int rc;

	if (value->type == VALUE_MAP)
		rc = job_member_read(value, rows, &parts, err);
	else
		rc = job_after_text(&parts, value, err);
	if (!rc && !parts.job[0])
		rc =
		    schedd_error_set(err, SCHEDD_EINVAL, "job is missing, write {job: ID, on: ok}");
	if (!rc && job_details_add_after(details, parts.job, (enum job_after_on)parts.on))
		rc = schedd_error_nomem(err);
	return rc;
}

static int job_after_read(const struct job_halves *halves, const struct job_field *field,
    const struct value *value, const struct job_fields_context *context, struct schedd_error *err)
{
	struct job_details *details = job_details_edit(halves->job);
	int rc = 0;

	(void)field;
	(void)context;
	if (!details)
		return schedd_error_nomem(err);
	job_details_clear_after(details);
	if (value->type != VALUE_ARRAY)
		return job_after_add(details, value, err);
	if (value->array.count > JOB_FIELD_ITEMS_MAX)
		return schedd_error_set(err, SCHEDD_EINVAL, "%u entries are more than %d",
		    value->array.count, JOB_FIELD_ITEMS_MAX);
	for (uint32_t i = 0; i < value->array.count && !rc; i++)
		rc = job_after_add(details, &value->array.items[i], err);
	return rc;
}

static struct value job_after_write(
    const struct job_halves *halves, const struct job_field *field, struct arena *arena)
{
	const struct job_details *details = job_details(halves->job);
	struct value list = value_array();

	(void)field;
	for (uint32_t i = 0; i < details->after_count; i++) {
		struct value map = value_map();

		value_put(arena, &map, "job", value_string(arena, details->after[i].job));
		value_put(
		    arena, &map, "on", value_string_ref(job_after_words[details->after[i].on]));
		value_append(arena, &list, map);
	}
	return list;
}

static bool job_after_is_default(const struct job_halves *halves, const struct job_field *field)
{
	(void)field;
	return job_details(halves->job)->after_count == 0;
}

static void job_after_reset(const struct job_halves *halves, const struct job_field *field)
{
	(void)field;
	job_details_clear_after(halves->job->details);
}

const struct job_field_ops job_after_ops = {
    .read = job_after_read,
    .write = job_after_write,
    .is_default = job_after_is_default,
    .reset = job_after_reset,
};
