/* SPDX-License-Identifier: MIT */
/* Exit codes as a set of 256 bits. */
#include "model/job_codes.h"

#include <stdlib.h>
#include <string.h>
#include "model/job_field_ops.h"

bool job_codes_has(const struct job_codes *codes, int code)
{
	if (code < 0 || code > 255)
		return false;
	return (codes->bits[code / 64] >> (code % 64)) & 1;
}

static int job_codes_add(
    struct job_codes *codes, int64_t first, int64_t last, struct schedd_error *err)
{
	if (first < 0 || first > 255 || last < 0 || last > 255)
		return schedd_error_set(err, SCHEDD_EINVAL, "exit code %lld is out of 0-255",
		    (long long)(first < 0 || first > 255 ? first : last));
	if (first > last)
		return schedd_error_set(err, SCHEDD_EINVAL, "range %lld-%lld is upside down",
		    (long long)first, (long long)last);
	for (int64_t code = first; code <= last; code++)
		codes->bits[code / 64] |= (uint64_t)1 << (code % 64);
	return 0;
}

/* Up to four digits; NULL: there are none. */
static const char *job_codes_digits(const char *at, int64_t *out)
{
	size_t digits = 0;

	for (*out = 0; at[digits] >= '0' && at[digits] <= '9' && digits < 4; digits++)
		*out = *out * 10 + (at[digits] - '0');
	return digits > 0 ? at + digits : NULL;
}

/* "1,3-5" */
static int job_codes_text(const char *text, struct job_codes *codes, struct schedd_error *err)
{
	const char *at = text;

	for (;;) {
		int64_t first, last;
		int rc;

		at = job_codes_digits(at + strspn(at, " "), &first);
		last = first;
		if (at && *at == '-')
			at = job_codes_digits(at + 1, &last);
		if (!at)
			break;
		rc = job_codes_add(codes, first, last, err);
		if (rc)
			return rc;
		at += strspn(at, " ");
		if (!*at)
			return 0;
		if (*at++ != ',')
			break;
	}
	return schedd_error_set(
	    err, SCHEDD_EINVAL, "'%.60s' is no list of exit codes, write it as 0,3-5", text);
}

static int job_codes_item(
    const struct value *value, struct job_codes *codes, struct schedd_error *err)
{
	if (value->type == VALUE_INT)
		return job_codes_add(codes, value->integer, value->integer, err);
	if (value->type == VALUE_STRING && strlen(value->string.text) == value->string.length)
		return job_codes_text(value->string.text, codes, err);
	return schedd_error_set(err, SCHEDD_EINVAL, "%s is no exit code, write [0, 3] or '0,3-5'",
	    value_type_name(value->type));
}

int job_codes_read(const struct value *value, struct job_codes *out, struct schedd_error *err)
{
	struct job_codes codes = {.given = true};
	int rc = 0;

	if (value->type != VALUE_ARRAY)
		rc = job_codes_item(value, &codes, err);
	else if (value->array.count == 0)
		rc = schedd_error_set(
		    err, SCHEDD_EINVAL, "the list is empty, name one exit code at least");
	else
		for (uint32_t i = 0; i < value->array.count && !rc; i++)
			rc = job_codes_item(&value->array.items[i], &codes, err);
	if (!rc)
		*out = codes;
	return rc;
}

struct value job_codes_write(const struct job_codes *codes, struct arena *arena)
{
	struct value list = value_array();

	if (!codes->given)
		return value_nil();
	for (int word = 0; word < 4; word++)
		for (uint64_t bits = codes->bits[word]; bits; bits &= bits - 1)
			value_append(arena, &list, value_int(word * 64 + __builtin_ctzll(bits)));
	return list;
}

static int job_codes_read_field(const struct job_halves *halves, const struct job_field *field,
    const struct value *value, const struct job_fields_context *context, struct schedd_error *err)
{
	struct job_codes codes, *at;
	int rc = job_codes_read(value, &codes, err);

	(void)context;
	if (rc)
		return rc;
	at = job_place_edit(halves, field);
	if (!at)
		return schedd_error_nomem(err);
	*at = codes;
	return 0;
}

static struct value job_codes_write_field(
    const struct job_halves *halves, const struct job_field *field, struct arena *arena)
{
	static const struct job_codes success = {.bits = {1}, .given = true};
	const struct job_codes *codes = job_place_peek(halves, field);

	return job_codes_write(codes->given ? codes : &success, arena);
}

/* {0} given is the default too, or a file that says so would differ from one that does not. */
static bool job_codes_is_default(const struct job_halves *halves, const struct job_field *field)
{
	const struct job_codes *codes = job_place_peek(halves, field);

	return !codes->given ||
	       (codes->bits[0] == 1 && !codes->bits[1] && !codes->bits[2] && !codes->bits[3]);
}

const struct job_field_ops job_codes_ops = {
    .read = job_codes_read_field,
    .write = job_codes_write_field,
    .is_default = job_codes_is_default,
    .reset = job_place_reset,
};
