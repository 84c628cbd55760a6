/* SPDX-License-Identifier: MIT */
/* Sizes are computed in integers; a fraction is kept as a quotient until it meets its unit. */
#include "base/size.h"

#include <string.h>
#include <strings.h>

/* In the order of their powers of 1024. */
static const char size_units[] = "BKMGT";

static int size_fault(const char *text, struct schedd_error *err)
{
	return schedd_error_set(
	    err, SCHEDD_EINVAL, "'%.60s' is not a size, write bytes or 64K, 10M, 2G", text);
}

/* The unit's number of bytes; 0: there is no such unit. */
static int64_t size_unit(const char *text)
{
	const char *unit;

	if (!*text)
		return 1;
	unit = strchr(size_units, *text & ~0x20);
	if (!unit || !*unit)
		return 0;
	if (text[1] && unit == size_units)
		return 0;
	if (text[1] && strcasecmp(text + 1, "b") != 0 && strcasecmp(text + 1, "ib") != 0)
		return 0;
	return (int64_t)1 << (10 * (unit - size_units));
}

int size_parse(const char *text, int64_t *out, struct schedd_error *err)
{
	int64_t whole = 0, part = 0, scale = 1, unit;
	const char *at = text;

	if (*at < '0' || *at > '9')
		return size_fault(text, err);
	for (; *at >= '0' && *at <= '9'; at++)
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, *at - '0', &whole))
			return size_fault(text, err);
	if (*at == '.')
		for (at++; *at >= '0' && *at <= '9'; at++) {
			if (scale >= 1000000)
				return size_fault(text, err);
			part = part * 10 + (*at - '0');
			scale *= 10;
		}
	while (*at == ' ')
		at++;
	unit = size_unit(at);
	if (unit == 0 || (part * unit) % scale != 0)
		return size_fault(text, err);
	if (__builtin_mul_overflow(whole, unit, &whole) ||
	    __builtin_add_overflow(whole, part * unit / scale, &whole))
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "'%.60s' is more bytes than can be counted", text);
	*out = whole;
	return 0;
}

int size_from_value(const struct value *value, int64_t *out, struct schedd_error *err)
{
	if (value->type == VALUE_INT && value->integer >= 0) {
		*out = value->integer;
		return 0;
	}
	if (value->type == VALUE_INT)
		return schedd_error_set(err, SCHEDD_EINVAL, "a size cannot be negative");
	if (value->type == VALUE_STRING && strlen(value->string.text) == value->string.length)
		return size_parse(value->string.text, out, err);
	return schedd_error_set(err, SCHEDD_EINVAL, "%s is not a size, write bytes or 64K, 10M, 2G",
	    value_type_name(value->type));
}
