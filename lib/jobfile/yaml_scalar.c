/* SPDX-License-Identifier: MIT */
/* YAML 1.2.2, 10.3.2, without octal and hexadecimal numbers, infinities and NaN. */
#include "jobfile/yaml_scalar.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Is the text one of those, the list ended by NULL? */
static bool yaml_scalar_among(const struct value *value, const char *const *words)
{
	for (; *words; words++)
		if (value_is_text(value, *words))
			return true;
	return false;
}

bool yaml_scalar_is_null(const struct value *value)
{
	static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};

	if (value->type != VALUE_STRING)
		return value->type == VALUE_NIL;
	return value->plain && yaml_scalar_among(value, nulls);
}

/* [-+]?[0-9]+, or with a point or an exponent a real. */
static bool yaml_scalar_number(const char *text, bool *real)
{
	size_t digits;

	*real = false;
	text += *text == '-' || *text == '+';
	digits = strspn(text, "0123456789");
	text += digits;
	if (*text == '.') {
		size_t fraction = strspn(text + 1, "0123456789");

		*real = true;
		digits += fraction;
		text += 1 + fraction;
	}
	if (digits > 0 && (*text == 'e' || *text == 'E')) {
		*real = true;
		text++;
		text += *text == '-' || *text == '+';
		if (strspn(text, "0123456789") == 0)
			return false;
		text += strspn(text, "0123456789");
	}
	return digits > 0 && *text == '\0';
}

struct value yaml_scalar_core(const struct value *value)
{
	static const char *const trues[] = {"true", "True", "TRUE", NULL};
	static const char *const falses[] = {"false", "False", "FALSE", NULL};
	struct value typed = *value;
	bool real;

	if (value->type != VALUE_STRING || !value->plain)
		return typed;
	if (yaml_scalar_is_null(value))
		typed = value_nil();
	else if (yaml_scalar_among(value, trues))
		typed = value_bool(true);
	else if (yaml_scalar_among(value, falses))
		typed = value_bool(false);
	else if (strlen(value->string.text) == value->string.length &&
		 yaml_scalar_number(value->string.text, &real)) {
		errno = 0;
		typed = real ? value_real(strtod(value->string.text, NULL))
			     : value_int(strtoll(value->string.text, NULL, 10));
		/* An integer too long to be one keeps its digits as text. */
		if (errno == ERANGE)
			typed = *value;
	}
	typed.line = value->line;
	typed.column = value->column;
	return typed;
}

void yaml_scalar_core_deep(struct value *value)
{
	if (value->type == VALUE_STRING)
		*value = yaml_scalar_core(value);
	else if (value->type == VALUE_ARRAY)
		for (uint32_t i = 0; i < value->array.count; i++)
			yaml_scalar_core_deep(&value->array.items[i]);
	else if (value->type == VALUE_MAP)
		for (uint32_t i = 0; i < value->map.count; i++)
			yaml_scalar_core_deep(&value->map.members[i].value);
}

void yaml_scalar_nulls(struct value *value)
{
	if (value->type == VALUE_STRING && yaml_scalar_is_null(value))
		*value = yaml_scalar_core(value);
	else if (value->type == VALUE_ARRAY)
		for (uint32_t i = 0; i < value->array.count; i++)
			yaml_scalar_nulls(&value->array.items[i]);
	else if (value->type == VALUE_MAP)
		for (uint32_t i = 0; i < value->map.count; i++)
			yaml_scalar_nulls(&value->map.members[i].value);
}
