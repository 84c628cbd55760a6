/* SPDX-License-Identifier: MIT */
/* One check a form; paths and arguments may be any bytes, what people read must be UTF-8. */
#include "model/job_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/utf8.h"
#include "model/job_field_ops.h"

int job_text_plain(const struct value *value, const char **out, struct schedd_error *err)
{
	if (value->type != VALUE_STRING)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "%s is not a text", value_type_name(value->type));
	if (strlen(value->string.text) != value->string.length)
		return schedd_error_set(err, SCHEDD_EINVAL, "a NUL cannot stand in it");
	*out = value->string.text;
	return 0;
}

int job_text_scalar(
    const struct value *value, struct arena *scratch, const char **out, struct schedd_error *err)
{
	switch (value->type) {
	case VALUE_BOOL:
		*out = value->boolean ? "true" : "false";
		return 0;
	case VALUE_INT:
		*out = arena_printf(scratch, "%" PRId64, value->integer);
		break;
	case VALUE_REAL:
		*out = arena_printf(scratch, "%.15g", value->real);
		break;
	default:
		return job_text_plain(value, out, err);
	}
	return *out ? 0 : schedd_error_nomem(err);
}

static int job_text_check_any(const char *text, struct schedd_error *err)
{
	if (!utf8_valid(text, strlen(text)))
		return schedd_error_set(err, SCHEDD_EINVAL, "it is not UTF-8");
	return 0;
}

static int job_text_check_id(const char *text, struct schedd_error *err)
{
	if (!job_id_known(text))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "'%.140s' is not of the form [A-Za-z0-9_][A-Za-z0-9._-]{0,127}", text);
	return 0;
}

static int job_text_check_owner(const char *text, struct schedd_error *err)
{
	bool good = job_id_valid((char[]){*text, '\0'});

	for (const char *c = text; *c; c++)
		good &= *c > ' ' && *c < 0x7f;
	return good ? 0
		    : schedd_error_set(err, SCHEDD_EINVAL,
			  "'%.140s' is not of the form [A-Za-z0-9_] and what is printed of ASCII "
			  "without blanks",
			  text);
}

static int job_text_check_alias(const char *text, struct schedd_error *err)
{
	if (!job_alias_valid(text))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "'%.140s' is not of the form [A-Za-z0-9_][A-Za-z0-9._-]{0,127}", text);
	return 0;
}

static int job_text_check_path(const char *text, struct schedd_error *err)
{
	if (text[0] != '/')
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "'%.200s' is relative, write the path from / on", text);
	return 0;
}

static int job_text_check_user(const char *text, struct schedd_error *err)
{
	const char *colon = strchr(text, ':');

	if (!*text || colon == text || (colon && (!colon[1] || strchr(colon + 1, ':'))) ||
	    strpbrk(text, " \t\n/"))
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "'%.100s' is not of the form USER or USER:GROUP", text);
	return 0;
}

/* Names: something, no '=', nothing that moves a cursor. */
static int job_text_check_name(const char *text, struct schedd_error *err)
{
	if (!*text)
		return schedd_error_set(err, SCHEDD_EINVAL, "a name is empty");
	for (const char *c = text; *c; c++)
		if (*c == '=' || (unsigned char)*c < 0x20 || *c == 0x7f)
			return schedd_error_set(err, SCHEDD_EINVAL,
			    "name '%.100s' has a '=' or a control character in it", text);
	return job_text_check_any(text, err);
}

static int job_text_check_word(const char *text, struct schedd_error *err)
{
	for (const char *c = text; *c || c == text; c++)
		if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '_' ||
			(c > text && *c >= '0' && *c <= '9')))
			return schedd_error_set(err, SCHEDD_EINVAL,
			    "name '%.100s' is not of the form [A-Za-z_][A-Za-z0-9_]*", text);
	return 0;
}

int job_text_check(
    const char *text, enum job_field_form form, int64_t max, struct schedd_error *err)
{
	static int (*const checks[])(const char *text, struct schedd_error *err) = {
	    [JOB_FORM_ANY] = job_text_check_any,
	    [JOB_FORM_ID] = job_text_check_id,
	    [JOB_FORM_OWNER] = job_text_check_owner,
	    [JOB_FORM_ALIAS] = job_text_check_alias,
	    [JOB_FORM_PATH] = job_text_check_path,
	    [JOB_FORM_USER] = job_text_check_user,
	    [JOB_FORM_TAG] = job_text_check_name,
	    [JOB_FORM_ENV] = job_text_check_name,
	    [JOB_FORM_SECRET] = job_text_check_word,
	};

	if (max > 0 && strlen(text) > (size_t)max)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "%zu bytes are more than %" PRId64, strlen(text), max);
	return checks[form](text, err);
}

/* Of executor and store alone the default is a value. */
static const char *job_text_fallback(const struct job_field *field)
{
	return field->form == JOB_FORM_ALIAS && strcmp(field->fallback, "default") == 0 ? field->fallback
											 : NULL;
}

static bool job_text_is_default(const struct job_halves *halves, const struct job_field *field)
{
	return *(char *const *)job_place_peek(halves, field) == NULL;
}

static int job_text_read(const struct job_halves *halves, const struct job_field *field,
    const struct value *value, const struct job_fields_context *context, struct schedd_error *err)
{
	const char *text, *fallback = job_text_fallback(field);
	char **at, *copy = NULL;
	int rc = job_text_plain(value, &text, err);
	bool says;

	(void)context;
	/* "" says as much as nothing, except where a form is asked for. */
	if (!rc && (*text || field->form != JOB_FORM_ANY))
		rc = job_text_check(text, field->form, field->max, err);
	if (rc)
		return rc;
	/* So does the default: a job that names it is as small, and as fast to store, as one that does not. */
	says = *text && !(fallback && strcmp(text, fallback) == 0);
	if (!says && job_text_is_default(halves, field))
		return 0;
	at = job_place_edit(halves, field);
	if (says)
		copy = strdup(text);
	if (!at || (says && !copy)) {
		free(copy);
		return schedd_error_nomem(err);
	}
	free(*at);
	*at = copy;
	return 0;
}

static const char *job_text_peek(const struct job_halves *halves, const struct job_field *field)
{
	const char *text = *(char *const *)job_place_peek(halves, field);

	return text ? text : job_text_fallback(field);
}

static struct value job_text_write(
    const struct job_halves *halves, const struct job_field *field, struct arena *arena)
{
	return value_string(arena, job_text_peek(halves, field));
}

static void job_text_reset(const struct job_halves *halves, const struct job_field *field)
{
	char **at = job_place_edit(halves, field);

	free(*at);
	*at = NULL;
}

const struct job_field_ops job_text_ops = {
    .read = job_text_read,
    .write = job_text_write,
    .text = job_text_peek,
    .is_default = job_text_is_default,
    .reset = job_text_reset,
};
