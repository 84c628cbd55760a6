/* SPDX-License-Identifier: MIT */
/* One small reader and writer a type of settings; the rows are in config_rows.c. */
#include "server/config_table.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <schedd/clock.h>
#include "base/duration.h"
#include "base/json.h"
#include "base/size.h"
#include "base/strbuf.h"
#include "base/suggest.h"
#include "base/system_user.h"
#include "executor/executor.h"
#include "jobfile/jobfile_type.h"
#include "jobfile/yaml_scalar.h"
#include "model/job_fields.h"
#include "model/node.h"
#include "server/config.h"
#include "server/config_defaults.h"
#include "store/store.h"
#include "store/store_url.h"
#include "trigger/zone.h"

/* ---- Reading a value ---- */

static int config_wrong(const struct value *value, const char *wanted, struct schedd_error *err)
{
	if (yaml_scalar_is_null(value) || value_is_text(value, ""))
		return schedd_error_set(err, SCHEDD_EINVAL, "is empty, it must be %s", wanted);
	if (value->type == VALUE_STRING)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "'%.64s' is not %s", value->string.text, wanted);
	return schedd_error_set(
	    err, SCHEDD_EINVAL, "must be %s, not %s", wanted, value_type_name(value->type));
}

static int config_word(
    const struct config_row *row, int *out, const struct value *value, struct schedd_error *err)
{
	struct strbuf all = STRBUF_EMPTY;
	size_t count = 0;
	const char *closest;
	int rc;

	if (value->type != VALUE_STRING)
		return config_wrong(value, "a word", err);
	for (; row->words[count]; count++) {
		if (value_is_text(value, row->words[count])) {
			*out = (int)count;
			strbuf_clear(&all);
			return 0;
		}
		strbuf_printf(&all, "%s%s", count ? ", " : "", row->words[count]);
	}
	closest = suggest_closest(value->string.text, row->words, count);
	rc = closest ? schedd_error_set(err, SCHEDD_EINVAL,
			   "'%.64s' is unknown, did you mean '%s'?", value->string.text, closest)
		     : schedd_error_set(err, SCHEDD_EINVAL, "'%.64s' is unknown; it is one of %s",
			   value->string.text, strbuf_peek(&all));
	strbuf_clear(&all);
	return rc;
}

static int config_integer(
    const struct config_row *row, int64_t *out, const struct value *value, struct schedd_error *err)
{
	if (value->type != VALUE_INT)
		return config_wrong(value, "an integer", err);
	if (value->integer < row->min || value->integer > row->max)
		return schedd_error_set(err, SCHEDD_EINVAL, "%lld is out of %lld-%lld",
		    (long long)value->integer, (long long)row->min, (long long)row->max);
	*out = value->integer;
	return 0;
}

static int config_texts(const char *const **out, const struct value *value, struct arena *arena,
    struct schedd_error *err)
{
	const char **list;
	uint32_t count = value->type == VALUE_ARRAY ? value->array.count : 1;

	if (value->type != VALUE_ARRAY && value->type != VALUE_STRING)
		return config_wrong(value, "a list of texts", err);
	list = arena_alloc(arena, (count + 1) * sizeof(*list));
	for (uint32_t i = 0; list && i < count; i++) {
		const struct value *item =
		    value->type == VALUE_ARRAY ? &value->array.items[i] : value;

		if (item->type != VALUE_STRING)
			return config_wrong(item, "a text", err);
		list[i] = arena_strdup(arena, item->string.text);
	}
	*out = list;
	return arena_failed(arena) ? schedd_error_nomem(err) : 0;
}

static int config_text(
    const char **out, const struct value *value, struct arena *arena, struct schedd_error *err)
{
	if (value->type != VALUE_STRING || !value->string.length ||
	    strlen(value->string.text) != value->string.length)
		return config_wrong(value, "a text", err);
	*out = arena_strdup(arena, value->string.text);
	return *out ? 0 : schedd_error_nomem(err);
}

/* Its password is kept once. */
static int config_url(
    const char **out, const struct value *value, struct arena *arena, struct schedd_error *err)
{
	int rc = config_text(out, value, arena, err);

	if (!rc)
		store_url_blot(value->string.text);
	return rc;
}

static int config_zone(const char *name, struct schedd_error *err)
{
	struct zone_cache *zones = zone_cache_new(NULL);
	const struct zone *zone;
	int rc = zones ? zone_cache_get(zones, name, &zone, err) : schedd_error_nomem(err);

	zone_cache_free(zones);
	return rc;
}

/* A text that means something elsewhere is looked up there. */
static int config_name(const struct config_row *row, const char **out, const struct value *value,
    struct arena *arena, struct schedd_error *err)
{
	int rc = config_text(out, value, arena, err);

	if (!rc && row->type == CONFIG_ZONE)
		rc = config_zone(*out, err);
	if (!rc && row->type == CONFIG_STORE)
		rc = store_type_check(*out, err);
	if (!rc && row->type == CONFIG_EXEC)
		rc = executor_type_check(*out, err);
	if (!rc && row->type == CONFIG_NODE)
		rc = node_name_check(*out, err);
	return rc;
}

static int config_bool(bool *out, const struct value *value, struct schedd_error *err)
{
	if (value->type == VALUE_BOOL)
		*out = value->boolean;
	else
		return config_wrong(value, "true or false", err);
	return 0;
}

static int config_span(const struct config_row *row, schedd_span *out, const struct value *value,
    struct schedd_error *err)
{
	schedd_span span;
	int rc = duration_from_value(value, &span, err);

	if (!rc && (span < (row->min > 0 ? row->min : 0) || span > row->max))
		rc = schedd_error_set(
		    err, SCHEDD_EINVAL, "that is too %s", span > row->max ? "long" : "short");
	if (!rc)
		*out = span;
	return rc;
}

static int config_size(
    const struct config_row *row, int64_t *out, const struct value *value, struct schedd_error *err)
{
	int64_t size;
	int rc = size_from_value(value, &size, err);

	if (!rc && (size < row->min || size > row->max))
		rc = schedd_error_set(err, SCHEDD_EINVAL, "%lld bytes are out of %lld-%lld",
		    (long long)size, (long long)row->min, (long long)row->max);
	if (!rc)
		*out = size;
	return rc;
}

/* Octal as chmod takes it: 0660, in quotes or not, since YAML 1.2 knows no such numbers. */
static int config_mode(const struct config_row *row, uint32_t *out, const struct value *value,
    struct schedd_error *err)
{
	const char *text = value->type == VALUE_STRING ? value->string.text : "";
	size_t digits = strspn(text, "01234567");
	unsigned long mode = digits && !text[digits] ? strtoul(text, NULL, 8) : ULONG_MAX;

	if (mode > (unsigned long)row->max)
		return config_wrong(value, "permissions in octal, as 0660", err);
	*out = (uint32_t)mode;
	return 0;
}

/* "none" where the row knows it. */
static bool config_is_none(const struct config_row *row, const struct value *value)
{
	return row->min == -1 && (yaml_scalar_is_null(value) || value_is_text(value, "none"));
}

static int config_number(
    const struct config_row *row, void *slot, const struct value *value, struct schedd_error *err)
{
	bool size = row->type == CONFIG_SIZE || row->type == CONFIG_BYTES;
	int64_t number = -1;
	int rc = 0;

	if (!config_is_none(row, value))
		rc = size ? config_size(row, &number, value, err)
			  : config_integer(row, &number, value, err);
	if (rc)
		return rc;
	if (row->type == CONFIG_COUNT)
		*(uint32_t *)slot = (uint32_t)number;
	else if (row->type == CONFIG_BYTES)
		*(size_t *)slot = (size_t)number;
	else
		*(int64_t *)slot = number;
	return 0;
}

/* Kept as it is given; what the job's field says of it is said here. */
/* A number alone names a group only through its account: jobs and workers would be refused one by one. */
static int config_check_user(const struct value *value, struct schedd_error *err)
{
	const char *text = value->type == VALUE_STRING ? value->string.text : "";
	struct system_user user;
	unsigned long uid;

	if (!*text || text[strspn(text, "0123456789")])
		return 0;
	errno = 0;
	uid = strtoul(text, NULL, 10);
	/* While nobody says who that is it is taken: a reload does not wait for that. */
	if (errno == 0 && (uid == geteuid() || (uid < UINT32_MAX &&
		system_user_numbered((uid_t)uid, &user, NULL) != SCHEDD_ENOTFOUND)))
		return 0;
	return schedd_error_set(err, SCHEDD_EINVAL,
	    "that number has no account and so no group: name one, %.32s:GROUP", text);
}

static int config_job(const struct config_row *row, struct value *out, const struct value *given,
    struct arena *arena, struct schedd_error *err)
{
	const char *dot = strrchr(row->key, '.');
	const struct job_field *field = job_fields_find(dot ? dot + 1 : row->key);
	const struct job_fields_context context = {0};
	struct schedd_job *job = schedd_job_new();
	struct value typed = *given;
	int rc;

	/* A copy no longer knows which of its texts were plain. */
	jobfile_type(field, &typed);
	*out = value_copy(arena, &typed);
	rc = job && !arena_failed(arena) ? job_fields_set(job, NULL, field, out, &context, err)
					 : schedd_error_nomem(err);
	job_unref(job);
	return rc || strcmp(field->name, "user") != 0 ? rc : config_check_user(out, err);
}

int config_table_set(const struct config_row *row, void *base, const struct value *given,
    struct arena *arena, struct schedd_error *err)
{
	void *slot = (char *)base + row->offset;
	/* A text may look like a number; everything else is what YAML says it is. */
	struct value typed = yaml_scalar_core(given);

	switch (row->type) {
	case CONFIG_URL:
		return config_url(slot, given, arena, err);
	case CONFIG_TEXT:
	case CONFIG_ZONE:
	case CONFIG_STORE:
	case CONFIG_EXEC:
	case CONFIG_NODE:
		return config_name(row, slot, given, arena, err);
	case CONFIG_LABELS:
		return node_labels_read(given, arena, slot, err);
	case CONFIG_JOB:
		return config_job(row, slot, given, arena, err);
	case CONFIG_TEXTS:
	case CONFIG_PATHS:
		return config_texts(slot, given, arena, err);
	case CONFIG_WORD:
		return config_word(row, slot, given, err);
	case CONFIG_BOOL:
		return config_bool(slot, &typed, err);
	case CONFIG_SPAN:
		if (!config_is_none(row, given))
			return config_span(row, slot, &typed, err);
		*(schedd_span *)slot = SCHEDD_SPAN_NONE;
		return 0;
	case CONFIG_MODE:
		return config_mode(row, slot, given, err);
	case CONFIG_ACCOUNTS:
		return 0; /* it was read member by member */
	case CONFIG_COUNT:
	case CONFIG_LONG:
	case CONFIG_SIZE:
	case CONFIG_BYTES:
		break;
	}
	return config_number(row, slot, &typed, err);
}

/* ---- Writing it again ---- */

static struct value config_get_texts(const char *const *texts, struct arena *arena)
{
	struct value list = value_array();

	if (!texts)
		return value_nil();
	for (; *texts; texts++)
		value_append(arena, &list, value_string_ref(*texts));
	return list;
}

static struct value config_get_accounts(const struct config_users *users, struct arena *arena)
{
	struct value all = value_map();

	for (uint32_t i = 0; i < users->account_count; i++) {
		const struct config_account *account = &users->accounts[i];
		struct value limits = value_map();

		for (const struct config_row *row = config_table_account(); row->key; row++) {
			const int64_t *slot = (const int64_t *)(const void *)((const char *)&account->limits + row->offset);

			if (*slot != INT64_MIN)
				value_put(arena, &limits, row->key,
				    config_table_get(row, &account->limits, arena));
		}
		value_put(arena, &all, account->name, limits);
	}
	return users->account_count ? all : value_nil();
}

struct value config_table_get(const struct config_row *row, const void *base, struct arena *arena)
{
	const void *slot = (const char *)base + row->offset;
	size_t bytes;

	switch (row->type) {
	case CONFIG_URL:
		return *(const char *const *)slot
			   ? value_string_ref(store_url_shown(*(const char *const *)slot, arena))
			   : value_nil();
	case CONFIG_TEXT:
	case CONFIG_ZONE:
	case CONFIG_STORE:
	case CONFIG_EXEC:
	case CONFIG_NODE:
		return value_string_ref(*(const char *const *)slot);
	case CONFIG_LABELS:
		return *(const char *const *)slot
			   ? node_labels_value(*(const char *const *)slot, arena)
			   : value_nil();
	case CONFIG_JOB:
		return value_copy(arena, slot);
	case CONFIG_TEXTS:
	case CONFIG_PATHS:
		return config_get_texts(*(const char *const *const *)slot, arena);
	case CONFIG_WORD:
		return value_string_ref(row->words[*(const int *)slot]);
	case CONFIG_BOOL:
		return value_bool(*(const bool *)slot);
	case CONFIG_MODE:
		return value_string_ref(arena_printf(arena, "%04o", *(const uint32_t *)slot));
	case CONFIG_COUNT:
		return value_int(*(const uint32_t *)slot);
	case CONFIG_BYTES:
		bytes = *(const size_t *)slot;
		return value_int((int64_t)bytes);
	case CONFIG_SPAN:
		return duration_to_value(*(const schedd_span *)slot);
	case CONFIG_ACCOUNTS:
		return config_get_accounts(slot, arena);
	case CONFIG_LONG:
	case CONFIG_SIZE:
		if (*(const int64_t *)slot == -1)
			return value_nil();
		return value_int(*(const int64_t *)slot);
	}
	return value_nil();
}

/* 64M where it is so many whole units, else the bytes. */
static void config_text_bytes(struct strbuf *out, int64_t bytes)
{
	static const char units[] = "KMGT";
	int unit = -1;

	while (bytes >= 1024 && bytes % 1024 == 0 && unit < 3) {
		bytes /= 1024;
		unit++;
	}
	strbuf_printf(out, "%lld", (long long)bytes);
	if (unit >= 0)
		strbuf_add_char(out, units[unit]);
}

void config_table_text(const struct config_row *row, const void *base, struct strbuf *out)
{
	const void *slot = (const char *)base + row->offset;
	struct value value;
	struct arena arena;

	arena_init(&arena);
	value = config_table_get(row, base, &arena);
	if (row->type == CONFIG_SPAN && *(const schedd_span *)slot == SCHEDD_SPAN_NONE)
		strbuf_add(out, "none");
	else if (row->type == CONFIG_SPAN)
		duration_format(out, *(const schedd_span *)slot);
	else if ((row->type == CONFIG_SIZE || row->type == CONFIG_LONG) &&
		 *(const int64_t *)slot == -1)
		strbuf_add(out, "none");
	else if (row->type == CONFIG_SIZE || row->type == CONFIG_BYTES)
		config_text_bytes(out, value.integer);
	else if (value.type == VALUE_STRING)
		strbuf_add(out, value.string.text);
	else if (value.type != VALUE_NIL)
		json_write(out, &value);
	arena_clear(&arena);
}
