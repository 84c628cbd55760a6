/* SPDX-License-Identifier: MIT */
/*
 * The JSON form of --fields: a map of names to strings. It is turned into the
 * text and back, so that both forms have one reader.
 */
#include <string.h>
#include "trigger/cron.h"
#include "trigger/cron_set.h"

/* Appends "name='value'". */
static int add_member(
    const struct value_member *member, struct strbuf *text, struct schedd_error *err)
{
	const struct value *value = &member->value;

	if (member->key[strspn(member->key, "abcdefghijklmnopqrstuvwxyz_")] != '\0')
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "fields: unknown field '%s'", member->key);
	strbuf_printf(text, text->length ? " %s=" : "%s=", member->key);
	if (value->type == VALUE_INT) {
		strbuf_printf(text, "%lld", (long long)value->integer);
		return SCHEDD_OK;
	}
	if (value->type != VALUE_STRING)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "fields: the field '%s' has to be a string or an integer, not %s", member->key,
		    value_type_name(value->type));
	if (memchr(value->string.text, '\0', value->string.length) ||
	    memchr(value->string.text, '\'', value->string.length))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "fields: the field '%s' holds a byte that is not allowed: each field is a "
		    "member of its own, as in \"day_of_week\": \"mon-fri\", \"hour\": 5",
		    member->key);
	strbuf_printf(text, "'%s'", value->string.text);
	return SCHEDD_OK;
}

int cron_parse_fields(const struct value *fields, const struct cron_draw *draw, struct cron **out,
    struct schedd_error *err)
{
	struct strbuf text = STRBUF_EMPTY;
	int rc = SCHEDD_OK;

	*out = NULL;
	if (fields->type != VALUE_MAP)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "fields: a map of field names is needed, not %s",
		    value_type_name(fields->type));
	for (uint32_t i = 0; i < fields->map.count && rc == SCHEDD_OK; i++)
		rc = add_member(&fields->map.members[i], &text, err);
	if (rc == SCHEDD_OK && strbuf_failed(&text))
		rc = schedd_error_nomem(err);
	if (rc == SCHEDD_OK) {
		rc = cron_parse(CRON_FIELDS, strbuf_peek(&text), draw, out, NULL, err);
		if (rc != SCHEDD_OK && err)
			err->offset = -1; /* there is no text that the caller knows */
	}
	strbuf_clear(&text);
	return rc;
}

struct value cron_fields_value(const struct cron *cron, struct arena *arena)
{
	struct value map = value_map();
	const char *at = cron->text;

	if (cron->dialect != CRON_FIELDS)
		return map;
	while (*at) {
		const char *equals = strchr(at, '=');
		bool quoted = equals[1] == '\'';
		const char *value = equals + 1 + quoted;
		size_t length = strcspn(value, quoted ? "'" : " ");

		value_put(arena, &map, arena_strndup(arena, at, (size_t)(equals - at)),
		    value_string_n(arena, value, length));
		at = value + length + quoted;
		at += *at == ' ';
	}
	return map;
}
