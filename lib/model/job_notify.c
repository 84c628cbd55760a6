/* SPDX-License-Identifier: MIT */
/*
 * notify: ['failure=mail:root', {on: recovery, target: 'https://…'}], or a map
 * from event to target or targets.
 */
#include <string.h>
#include "model/job_details.h"
#include "model/job_field_ops.h"
#include "model/job_member.h"
#include "model/job_text.h"
#include "model/job_word.h"

#define TARGET_MAX 65536
/* What the name of a scheme is made of. */
#define JOB_NOTIFY_SCHEME "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-."

struct job_notify_parts {
	int on;             /* enum job_notify_on, -1: not given */
	const char *target; /* NULL: not given */
};

enum job_notify_kind job_notify_kind(const char *target)
{
	if (strncmp(target, "mail:", 5) == 0)
		return JOB_NOTIFY_MAIL;
	if (strncmp(target, "http://", 7) == 0 || strncmp(target, "https://", 8) == 0)
		return JOB_NOTIFY_URL;
	return JOB_NOTIFY_COMMAND;
}

static int job_notify_check(const char *target, struct schedd_error *err)
{
	if (target[strspn(target, " \t")] == '\0')
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "the target is empty, write mail:ADDR, a URL or a shell line");
	if (strlen(target) > TARGET_MAX)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "the target is longer than %d bytes", TARGET_MAX);
	switch (job_notify_kind(target)) {
	case JOB_NOTIFY_MAIL:
		/* One that begins with '-' would be an option of sendmail. */
		if (!target[5] || target[5] == '-' || strpbrk(target, " \t\r\n"))
			return schedd_error_set(
			    err, SCHEDD_EINVAL, "'%.100s' is not of the form mail:ADDRESS", target);
		break;
	case JOB_NOTIFY_URL:
		if (strpbrk(target, " \t\r\n") || !strstr(target, "://")[3])
			return schedd_error_set(err, SCHEDD_EINVAL,
			    "'%.100s' is not a URL of the form https://HOST…", target);
		break;
	case JOB_NOTIFY_COMMAND:
		/* "ftp://…" is a scheme that was meant to be one of ours. */
		if (strncmp(target + strspn(target, JOB_NOTIFY_SCHEME), "://", 3) == 0)
			return schedd_error_set(err, SCHEDD_EINVAL,
			    "'%.100s' is neither http:// nor https://, write one of these, "
			    "mail:ADDR or a shell line",
			    target);
		break;
	}
	return 0;
}

static int job_notify_read_on(void *target, const struct value *value, struct schedd_error *err)
{
	struct job_notify_parts *parts = target;
	unsigned on;
	int rc = job_word_read(value, job_notify_words, &on, err);

	if (!rc)
		parts->on = (int)on;
	return rc;
}

static int job_notify_read_target(void *target, const struct value *value, struct schedd_error *err)
{
	struct job_notify_parts *parts = target;
	int rc = job_text_plain(value, &parts->target, err);

	return rc ? rc : job_notify_check(parts->target, err);
}

/* "failure=mail:root" */
static int job_notify_text(
    struct job_notify_parts *parts, const struct value *value, struct schedd_error *err)
{
	const char *text, *equal;
	unsigned on;
	int rc = job_text_plain(value, &text, err);

	if (rc)
		return rc;
	equal = strchr(text, '=');
	if (!equal)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "'%.100s' is not of the form EVENT=TARGET, as in failure=mail:root", text);
	rc = job_word_find(text, (size_t)(equal - text), job_notify_words, &on, err);
	if (rc)
		return rc;
	parts->on = (int)on;
	parts->target = equal + 1;
	return job_notify_check(parts->target, err);
}

static int job_notify_add(
    struct job_details *details, const struct value *value, struct schedd_error *err)
{
	static const struct job_member rows[] = {
	    {"on", job_notify_read_on},
	    {"target", job_notify_read_target},
	    {NULL, NULL},
	};
	struct job_notify_parts parts = {.on = -1};
	int rc;

	if (value->type == VALUE_MAP)
		rc = job_member_read(value, rows, &parts, err);
	else
		rc = job_notify_text(&parts, value, err);
	if (!rc && (parts.on < 0 || !parts.target))
		rc = schedd_error_set(err, SCHEDD_EINVAL, "write {on: EVENT, target: TARGET}");
	if (!rc && job_details_add_notify(details, (enum job_notify_on)parts.on, parts.target))
		rc = schedd_error_nomem(err);
	return rc;
}

/* One member of {failure: TARGET, success: [TARGET, …]}. */
static int job_notify_add_event(
    struct job_details *details, const struct value_member *member, struct schedd_error *err)
{
	const struct value *value = &member->value;
	const struct value *targets = value->type == VALUE_ARRAY ? value->array.items : value;
	uint32_t count = value->type == VALUE_ARRAY ? value->array.count : 1;
	struct job_notify_parts parts;
	unsigned on;
	int rc = job_word_find(member->key, strlen(member->key), job_notify_words, &on, err);

	for (uint32_t i = 0; i < count && !rc; i++) {
		rc = job_notify_read_target(&parts, &targets[i], err);
		if (rc)
			schedd_error_prefix(err, "%s", job_notify_words[on]);
		else if (job_details_add_notify(details, (enum job_notify_on)on, parts.target))
			rc = schedd_error_nomem(err);
	}
	return rc;
}

static int job_notify_read(const struct job_halves *halves, const struct job_field *field,
    const struct value *value, const struct job_fields_context *context, struct schedd_error *err)
{
	struct job_details *details = job_details_edit(halves->job);
	int rc = 0;

	(void)field;
	(void)context;
	if (!details)
		return schedd_error_nomem(err);
	job_details_clear_notify(details);
	if (value->type == VALUE_STRING || (value->type == VALUE_MAP && value_get(value, "on")))
		return job_notify_add(details, value, err);
	if (value->type != VALUE_ARRAY && value->type != VALUE_MAP)
		return schedd_error_set(err, SCHEDD_EINVAL, "%s is no list of 'EVENT=TARGET'",
		    value_type_name(value->type));
	if (value->type == VALUE_ARRAY && value->array.count > JOB_FIELD_ITEMS_MAX)
		return schedd_error_set(err, SCHEDD_EINVAL, "%u entries are more than %d",
		    value->array.count, JOB_FIELD_ITEMS_MAX);
	if (value->type == VALUE_ARRAY)
		for (uint32_t i = 0; i < value->array.count && !rc; i++)
			rc = job_notify_add(details, &value->array.items[i], err);
	else
		for (uint32_t i = 0; i < value->map.count && !rc; i++)
			rc = job_notify_add_event(details, &value->map.members[i], err);
	return rc;
}

static struct value job_notify_write(
    const struct job_halves *halves, const struct job_field *field, struct arena *arena)
{
	const struct job_details *details = job_details(halves->job);
	struct value list = value_array();

	(void)field;
	for (uint32_t i = 0; i < details->notify_count; i++) {
		struct value map = value_map();

		value_put(
		    arena, &map, "on", value_string_ref(job_notify_words[details->notify[i].on]));
		value_put(arena, &map, "target", value_string(arena, details->notify[i].target));
		value_append(arena, &list, map);
	}
	return list;
}

static bool job_notify_is_default(const struct job_halves *halves, const struct job_field *field)
{
	(void)field;
	return job_details(halves->job)->notify_count == 0;
}

static void job_notify_reset(const struct job_halves *halves, const struct job_field *field)
{
	(void)field;
	job_details_clear_notify(halves->job->details);
}

const struct job_field_ops job_notify_ops = {
    .read = job_notify_read,
    .write = job_notify_write,
    .is_default = job_notify_is_default,
    .reset = job_notify_reset,
};
