/* SPDX-License-Identifier: MIT */
/*
 * Values in the text of statements. A text is written in hexadecimal: whatever
 * is in it, no quote, backslash, character set or sql_mode can make a statement
 * of it. So the columns of texts are binary: bytes come back as they went.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "store/modules/store_mysql.h"

void my_add_bytes(struct strbuf *out, const char *bytes, size_t length)
{
	static const char digits[] = "0123456789abcdef";
	char part[256];
	size_t used = 0;

	strbuf_add(out, "x'");
	for (size_t i = 0; i < length; i++) {
		part[used++] = digits[(unsigned char)bytes[i] >> 4];
		part[used++] = digits[(unsigned char)bytes[i] & 15];
		if (used == sizeof(part)) {
			strbuf_add_n(out, part, used);
			used = 0;
		}
	}
	part[used++] = '\'';
	strbuf_add_n(out, part, used);
}

void my_add_text(struct strbuf *out, const char *text)
{
	if (text)
		my_add_bytes(out, text, strlen(text));
	else
		strbuf_add(out, "NULL");
}

void my_add_number(struct strbuf *out, int64_t number)
{
	strbuf_printf(out, "%" PRId64, number);
}

void my_vadd(struct strbuf *out, const char *format, va_list args)
{
	for (;;) {
		size_t plain = strcspn(format, "?");

		strbuf_add_n(out, format, plain);
		format += plain;
		if (!*format)
			return;
		if (format[1] == 't')
			my_add_text(out, va_arg(args, const char *));
		else
			my_add_number(out, va_arg(args, int64_t));
		format += 2;
	}
}

void my_add(struct strbuf *out, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	my_vadd(out, format, args);
	va_end(args);
}

int64_t my_row_number(const struct my_row *row, unsigned column, int64_t nothing)
{
	return row->fields[column] ? strtoll(row->fields[column], NULL, 10) : nothing;
}

const char *my_row_text(const struct my_row *row, unsigned column)
{
	return row->fields[column];
}
