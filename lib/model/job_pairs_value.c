/* SPDX-License-Identifier: MIT */
/* Maps of texts: tags, environment, secrets. Lists of 'K=V' are taken too. */
#include "model/job_pairs_value.h"

#include <stdlib.h>
#include <string.h>
#include "base/strmap.h"
#include "model/job_field_ops.h"
#include "model/job_text.h"

#define PAIR_NAME_MAX 1024

static const char *job_pairs_value_key(const void *item)
{
	return ((const struct job_pair *)item)->name;
}

static int job_pairs_value_check(
    const char *name, const char *text, enum job_field_form form, struct schedd_error *err)
{
	int rc = job_text_check(name, form, PAIR_NAME_MAX, err);

	if (!rc && form == JOB_FORM_SECRET)
		rc = job_text_check(text, JOB_FORM_PATH, 0, err);
	else if (!rc && form == JOB_FORM_TAG)
		rc = job_text_check(text, JOB_FORM_ANY, PAIR_NAME_MAX, err);
	return rc;
}

/* Pairs on their way in: borrowed texts, names told apart by a map. */
struct job_pairs_value_reader {
	struct job_pair *items; /* room for all; names and texts borrowed */
	uint32_t count;
	struct strmap names;
	struct arena arena; /* texts of numbers and of the parts of 'K=V' */
};

static int job_pairs_value_add(struct job_pairs_value_reader *reader, const char *name,
    const char *text, enum job_field_form form, struct schedd_error *err)
{
	/* The model's pairs are not const; these are only copied from. */
	struct job_pair *pair = &reader->items[reader->count];
	int rc = job_pairs_value_check(name, text, form, err);

	if (rc)
		return rc;
	pair->name = arena_strdup(&reader->arena, name);
	pair->text = arena_strdup(&reader->arena, text);
	if (!pair->name || !pair->text)
		return schedd_error_nomem(err);
	rc = strmap_put(&reader->names, pair);
	if (rc == SCHEDD_ECONFLICT)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "'%.100s' is there more than once", name);
	if (rc)
		return schedd_error_nomem(err);
	reader->count++;
	return 0;
}

/* "K=V"; for tags also "K". */
static int job_pairs_value_item(struct job_pairs_value_reader *reader, const struct value *item,
    enum job_field_form form, struct schedd_error *err)
{
	const char *text, *equal, *name;
	int rc = job_text_plain(item, &text, err);

	if (rc)
		return rc;
	equal = strchr(text, '=');
	if (!equal && form != JOB_FORM_TAG)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "'%.100s' is not of the form NAME=VALUE", text);
	if (!equal)
		return job_pairs_value_add(reader, text, "", form, err);
	name = arena_strndup(&reader->arena, text, (size_t)(equal - text));
	if (!name)
		return schedd_error_nomem(err);
	return job_pairs_value_add(reader, name, equal + 1, form, err);
}

static int job_pairs_value_members(struct job_pairs_value_reader *reader, const struct value *value,
    enum job_field_form form, struct schedd_error *err)
{
	for (uint32_t i = 0; i < value->map.count; i++) {
		const struct value_member *member = &value->map.members[i];
		const char *text = NULL;
		int rc = job_text_scalar(&member->value, &reader->arena, &text, err);

		/* A tag may be there without a value. */
		if (rc && form == JOB_FORM_TAG && member->value.type == VALUE_NIL) {
			text = "";
			rc = 0;
		}
		if (rc) {
			schedd_error_prefix(err, "%.100s", member->key);
			return rc;
		}
		rc = job_pairs_value_add(reader, member->key, text, form, err);
		if (rc)
			return rc;
	}
	return 0;
}

static int job_pairs_value_collect(struct job_pairs_value_reader *reader, const struct value *value,
    enum job_field_form form, struct schedd_error *err)
{
	uint32_t count;
	int rc = 0;

	if (value->type != VALUE_MAP && value->type != VALUE_ARRAY)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "%s is neither a map nor a list of 'NAME=VALUE'", value_type_name(value->type));
	count = value->type == VALUE_MAP ? value->map.count : value->array.count;
	if (count > JOB_FIELD_ITEMS_MAX)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "%u entries are more than %d", count, JOB_FIELD_ITEMS_MAX);
	reader->items = arena_alloc(&reader->arena, (count + 1) * sizeof(*reader->items));
	if (!reader->items)
		return schedd_error_nomem(err);
	if (value->type == VALUE_MAP)
		return job_pairs_value_members(reader, value, form, err);
	for (uint32_t i = 0; i < count && !rc; i++)
		rc = job_pairs_value_item(reader, &value->array.items[i], form, err);
	return rc;
}

int job_pairs_value_read(const struct value *value, enum job_field_form form, struct job_pairs *out,
    struct schedd_error *err)
{
	struct job_pairs_value_reader reader = {0};
	struct job_pairs borrowed;
	int rc;

	arena_init(&reader.arena);
	strmap_init(&reader.names, job_pairs_value_key);
	rc = job_pairs_value_collect(&reader, value, form, err);
	borrowed = (struct job_pairs){.items = reader.items, .count = reader.count};
	if (!rc && job_pairs_copy(out, &borrowed))
		rc = schedd_error_nomem(err);
	strmap_clear(&reader.names);
	arena_clear(&reader.arena);
	return rc;
}

struct value job_pairs_value_write(const struct job_pairs *pairs, struct arena *arena)
{
	struct value map = value_map();

	for (uint32_t i = 0; i < pairs->count; i++) {
		const char *name = arena_strdup(arena, pairs->items[i].name);

		if (name)
			value_put(arena, &map, name, value_string(arena, pairs->items[i].text));
	}
	return map;
}

static int job_pairs_read(const struct job_halves *halves, const struct job_field *field,
    const struct value *value, const struct job_fields_context *context, struct schedd_error *err)
{
	struct job_pairs pairs = {0}, *at;
	int rc = job_pairs_value_read(value, field->form, &pairs, err);

	(void)context;
	if (rc)
		return rc;
	at = job_place_edit(halves, field);
	if (!at) {
		job_pairs_clear(&pairs);
		return schedd_error_nomem(err);
	}
	job_pairs_clear(at);
	*at = pairs;
	return 0;
}

static struct value job_pairs_write(
    const struct job_halves *halves, const struct job_field *field, struct arena *arena)
{
	return job_pairs_value_write(job_place_peek(halves, field), arena);
}

static bool job_pairs_is_default(const struct job_halves *halves, const struct job_field *field)
{
	return ((const struct job_pairs *)job_place_peek(halves, field))->count == 0;
}

static void job_pairs_reset(const struct job_halves *halves, const struct job_field *field)
{
	job_pairs_clear(job_place_edit(halves, field));
}

const struct job_field_ops job_pairs_ops = {
    .read = job_pairs_read,
    .write = job_pairs_write,
    .is_default = job_pairs_is_default,
    .reset = job_pairs_reset,
};
