/* SPDX-License-Identifier: MIT */
/* Error codes, their wire names, and sentences that are always UTF-8. */
#include <schedd/error.h>

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "base/utf8.h"

static const struct {
	int code;
	const char *name;
} error_names[] = {
    {SCHEDD_EFAILED, "failed"},
    {SCHEDD_EINVAL, "invalid_argument"},
    {SCHEDD_EUNREACHABLE, "unreachable"},
    {SCHEDD_ENOTFOUND, "not_found"},
    {SCHEDD_ECONFLICT, "conflict"},
    {SCHEDD_EPERM, "permission_denied"},
    {SCHEDD_EFILE, "invalid_file"},
    {SCHEDD_ETIMEOUT, "timeout"},
    {SCHEDD_ENOMEM, "out_of_memory"},
    {SCHEDD_EMETHOD, "unknown_method"},
};

/*
 * What vsnprintf wrote is a sentence that may quote anything: half a character
 * that was cut off at the end goes, and each byte that is no UTF-8, or that a
 * terminal would obey, becomes a question mark.
 */
static void error_scrub(char *text, size_t size, int wanted)
{
	size_t length = wanted < 0 ? 0 : (size_t)wanted < size ? (size_t)wanted : size - 1;
	bool cut = wanted >= 0 && (size_t)wanted >= size;

	for (size_t i = 0; i < length;) {
		unsigned char byte = (unsigned char)text[i];
		size_t step = utf8_size(text + i, length - i);

		if (step == 0 && cut && byte >= 0xc2 && length - i < 4) {
			length = i;
			break;
		}
		if (step == 0 || (byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f)
			text[i] = '?';
		i += step ? step : 1;
	}
	text[length] = '\0';
}

__attribute__((format(printf, 4, 0))) static int error_set(
    struct schedd_error *err, int code, int offset, const char *format, va_list ap)
{
	if (err) {
		err->code = code;
		err->offset = offset;
		error_scrub(err->message, sizeof(err->message),
		    vsnprintf(err->message, sizeof(err->message), format, ap));
	}
	return code;
}

int schedd_error_set(struct schedd_error *err, int code, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	error_set(err, code, -1, format, ap);
	va_end(ap);
	return code;
}

int schedd_error_at(struct schedd_error *err, int code, int offset, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	error_set(err, code, offset, format, ap);
	va_end(ap);
	return code;
}

int schedd_error_prefix(struct schedd_error *err, const char *format, ...)
{
	char prefix[256], old[SCHEDD_ERROR_MESSAGE_MAX];
	va_list ap;

	if (!err)
		return SCHEDD_EFAILED;
	va_start(ap, format);
	error_scrub(prefix, sizeof(prefix), vsnprintf(prefix, sizeof(prefix), format, ap));
	va_end(ap);
	memcpy(old, err->message, sizeof(old));
	error_scrub(err->message, sizeof(err->message),
	    snprintf(err->message, sizeof(err->message), "%s: %s", prefix, old));
	return err->code;
}

int schedd_error_nomem(struct schedd_error *err)
{
	return schedd_error_set(err, SCHEDD_ENOMEM, "out of memory");
}

const char *schedd_error_name(int code)
{
	for (size_t i = 0; i < sizeof(error_names) / sizeof(error_names[0]); i++)
		if (error_names[i].code == code)
			return error_names[i].name;
	return "failed";
}

int schedd_error_code(const char *name)
{
	for (size_t i = 0; i < sizeof(error_names) / sizeof(error_names[0]); i++)
		if (strcmp(error_names[i].name, name) == 0)
			return error_names[i].code;
	return SCHEDD_EFAILED;
}
