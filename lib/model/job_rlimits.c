/* SPDX-License-Identifier: MIT */
/* rlimits: {nofile: 1024, core: unlimited, as: {soft: 1G, hard: 2G}}. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include "base/size.h"
#include "base/suggest.h"
#include "model/job_details.h"
#include "model/job_field_ops.h"
#include "model/job_member.h"
#include "model/job_text.h"

static const struct {
	const char *name;
	int resource;
} job_rlimit_names[] = {
    {"as", RLIMIT_AS},
    {"core", RLIMIT_CORE},
    {"cpu", RLIMIT_CPU},
    {"data", RLIMIT_DATA},
    {"fsize", RLIMIT_FSIZE},
    {"locks", RLIMIT_LOCKS},
    {"memlock", RLIMIT_MEMLOCK},
    {"msgqueue", RLIMIT_MSGQUEUE},
    {"nice", RLIMIT_NICE},
    {"nofile", RLIMIT_NOFILE},
    {"nproc", RLIMIT_NPROC},
    {"rss", RLIMIT_RSS},
    {"rtprio", RLIMIT_RTPRIO},
    {"rttime", RLIMIT_RTTIME},
    {"sigpending", RLIMIT_SIGPENDING},
    {"stack", RLIMIT_STACK},
};

#define NAME_COUNT (sizeof(job_rlimit_names) / sizeof(job_rlimit_names[0]))

const char *job_rlimit_name(int resource)
{
	for (size_t i = 0; i < NAME_COUNT; i++)
		if (job_rlimit_names[i].resource == resource)
			return job_rlimit_names[i].name;
	return "unknown";
}

static int job_rlimit_find(const char *name, int *resource, struct schedd_error *err)
{
	struct suggest suggest;
	const char *close;

	suggest_init(&suggest, name);
	for (size_t i = 0; i < NAME_COUNT; i++) {
		if (strcasecmp(job_rlimit_names[i].name, name) == 0) {
			*resource = job_rlimit_names[i].resource;
			return 0;
		}
		suggest_offer(&suggest, job_rlimit_names[i].name);
	}
	close = suggest_result(&suggest);
	if (close)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "there is no limit '%.40s', did you mean '%s'?", name, close);
	return schedd_error_set(err, SCHEDD_EINVAL,
	    "there is no limit '%.40s': they are as core cpu data fsize locks memlock msgqueue "
	    "nice "
	    "nofile nproc rss rtprio rttime sigpending stack",
	    name);
}

static int job_rlimit_amount(const struct value *value, uint64_t *out, struct schedd_error *err)
{
	int64_t amount;
	int rc;

	if (value_is_text(value, "unlimited") || value_is_text(value, "infinity")) {
		*out = RLIM_INFINITY;
		return 0;
	}
	rc = size_from_value(value, &amount, NULL);
	if (rc)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "%.40s is not a limit, write a number, 64K, 1G or unlimited",
		    value->type == VALUE_STRING ? value->string.text
						: value_type_name(value->type));
	*out = (uint64_t)amount;
	return 0;
}

static int job_rlimit_read_soft(void *target, const struct value *value, struct schedd_error *err)
{
	return job_rlimit_amount(value, &((struct job_rlimit *)target)->soft, err);
}

static int job_rlimit_read_hard(void *target, const struct value *value, struct schedd_error *err)
{
	return job_rlimit_amount(value, &((struct job_rlimit *)target)->hard, err);
}

/* "1G", "1G:2G" */
static int job_rlimit_text(
    const char *text, size_t length, struct job_rlimit *limit, struct schedd_error *err)
{
	const char *colon = memchr(text, ':', length);
	size_t soft = colon ? (size_t)(colon - text) : length;
	struct arena scratch;
	struct value part;
	int rc;

	arena_init(&scratch);
	part = value_string_n(&scratch, text, soft);
	rc = job_rlimit_amount(&part, &limit->soft, err);
	limit->hard = limit->soft;
	if (!rc && colon) {
		part = value_string_n(&scratch, colon + 1, length - soft - 1);
		rc = job_rlimit_amount(&part, &limit->hard, err);
	}
	arena_clear(&scratch);
	return rc;
}

static int job_rlimit_value(
    const struct value *value, struct job_rlimit *limit, struct schedd_error *err)
{
	static const struct job_member rows[] = {
	    {"soft", job_rlimit_read_soft},
	    {"hard", job_rlimit_read_hard},
	    {NULL, NULL},
	};
	int rc;

	if (value->type == VALUE_STRING)
		rc = job_rlimit_text(value->string.text, value->string.length, limit, err);
	else if (value->type != VALUE_MAP) {
		rc = job_rlimit_amount(value, &limit->soft, err);
		limit->hard = limit->soft;
	} else if (!value_get(value, "soft") || !value_get(value, "hard"))
		rc = schedd_error_set(err, SCHEDD_EINVAL, "write {soft: …, hard: …}");
	else
		rc = job_member_read(value, rows, limit, err);
	if (!rc && limit->soft > limit->hard)
		rc = schedd_error_set(
		    err, SCHEDD_EINVAL, "the soft limit is more than the hard one");
	return rc;
}

static int job_rlimits_add(struct job_details *details, const char *name, const struct value *value,
    struct schedd_error *err)
{
	struct job_rlimit limit = {0};
	int rc = job_rlimit_find(name, &limit.resource, err);

	if (rc)
		return rc;
	rc = job_rlimit_value(value, &limit, err);
	for (uint32_t i = 0; i < details->rlimit_count && !rc; i++)
		if (details->rlimits[i].resource == limit.resource)
			rc = schedd_error_set(err, SCHEDD_EINVAL, "it is there more than once");
	if (rc) {
		schedd_error_prefix(err, "%.40s", name);
		return rc;
	}
	return job_details_add_rlimit(details, &limit) ? schedd_error_nomem(err) : 0;
}

/* 'nofile=1024' */
static int job_rlimits_item(
    struct job_details *details, const struct value *item, struct schedd_error *err)
{
	const char *text, *equal;
	char name[40];
	struct value amount;
	int rc = job_text_plain(item, &text, err);

	if (rc)
		return rc;
	equal = strchr(text, '=');
	if (!equal || (size_t)(equal - text) >= sizeof(name))
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "'%.60s' is not of the form LIMIT=VALUE", text);
	memcpy(name, text, (size_t)(equal - text));
	name[equal - text] = '\0';
	amount = value_string_ref(equal + 1);
	return job_rlimits_add(details, name, &amount, err);
}

static void job_rlimits_clear(struct job_details *details)
{
	free(details->rlimits);
	details->rlimits = NULL;
	details->rlimit_count = 0;
}

static int job_rlimits_read(const struct job_halves *halves, const struct job_field *field,
    const struct value *value, const struct job_fields_context *context, struct schedd_error *err)
{
	struct job_details *details;
	int rc = 0;

	(void)field;
	(void)context;
	if (value->type != VALUE_MAP && value->type != VALUE_ARRAY)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "%s is neither a map nor a list of 'LIMIT=VALUE'",
		    value_type_name(value->type));
	details = job_details_edit(halves->job);
	if (!details)
		return schedd_error_nomem(err);
	job_rlimits_clear(details);
	if (value->type == VALUE_MAP)
		for (uint32_t i = 0; i < value->map.count && !rc; i++)
			rc = job_rlimits_add(
			    details, value->map.members[i].key, &value->map.members[i].value, err);
	else
		for (uint32_t i = 0; i < value->array.count && !rc; i++)
			rc = job_rlimits_item(details, &value->array.items[i], err);
	return rc;
}

static struct value job_rlimit_write(uint64_t amount)
{
	if (amount == RLIM_INFINITY || amount > INT64_MAX)
		return value_string_ref("unlimited");
	return value_int((int64_t)amount);
}

static struct value job_rlimits_write(
    const struct job_halves *halves, const struct job_field *field, struct arena *arena)
{
	const struct job_details *details = job_details(halves->job);
	struct value map = value_map();

	(void)field;
	for (uint32_t i = 0; i < details->rlimit_count; i++) {
		const struct job_rlimit *limit = &details->rlimits[i];
		struct value both = value_map();

		if (limit->soft == limit->hard)
			both = job_rlimit_write(limit->soft);
		else {
			value_put(arena, &both, "soft", job_rlimit_write(limit->soft));
			value_put(arena, &both, "hard", job_rlimit_write(limit->hard));
		}
		value_put(arena, &map, job_rlimit_name(limit->resource), both);
	}
	return map;
}

static bool job_rlimits_is_default(const struct job_halves *halves, const struct job_field *field)
{
	(void)field;
	return job_details(halves->job)->rlimit_count == 0;
}

static void job_rlimits_reset(const struct job_halves *halves, const struct job_field *field)
{
	(void)field;
	job_rlimits_clear(halves->job->details);
}

const struct job_field_ops job_rlimits_ops = {
    .read = job_rlimits_read,
    .write = job_rlimits_write,
    .is_default = job_rlimits_is_default,
    .reset = job_rlimits_reset,
};
