/* SPDX-License-Identifier: MIT */
#include "base/strbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Of a large page: the system needs as long for it as for some dozen of the usual ones. */
#define STRBUF_PAGE ((size_t)2 << 20)
#define STRBUF_MUCH (STRBUF_PAGE / 4)
#define STRBUF_MOST ((size_t)64 << 20) /* of what is taken before it is needed */

void strbuf_init(struct strbuf *buf)
{
	*buf = STRBUF_EMPTY;
}

void strbuf_clear(struct strbuf *buf)
{
	if (!buf->lent)
		free(buf->data);
	strbuf_init(buf);
}

void strbuf_reset(struct strbuf *buf)
{
	buf->length = 0;
	buf->failed = false;
	if (buf->data)
		buf->data[0] = '\0';
}

/* Memory of its own of so many bytes, which are enough for what is there. False: none. */
static bool strbuf_move(struct strbuf *buf, size_t capacity)
{
	char *data = realloc(buf->lent ? NULL : buf->data, capacity);

	if (!data) {
		buf->failed = true;
		return false;
	}
	if (buf->lent)
		memcpy(data, buf->data, buf->length + 1);
	buf->lent = false;
	buf->data = data;
	buf->capacity = capacity;
	return true;
}

bool strbuf_reserve(struct strbuf *buf, size_t length)
{
	size_t need = buf->length + length + 1;
	size_t capacity = buf->capacity ? buf->capacity : 64;

	if (buf->failed || need <= length) {
		buf->failed = true;
		return false;
	}
	if (need <= buf->capacity)
		return true;
	while (capacity < need)
		capacity += capacity / 2;
	return strbuf_move(buf, capacity);
}

void strbuf_expect(struct strbuf *buf, size_t length)
{
	size_t most = length < STRBUF_MOST ? length : STRBUF_MOST;
	size_t capacity = (buf->length + most) / STRBUF_PAGE * STRBUF_PAGE + STRBUF_PAGE;
	char *data;

	if (buf->failed || length < STRBUF_MUCH || capacity <= buf->capacity)
		return;
	data = aligned_alloc(STRBUF_PAGE, capacity);
	if (!data)
		return;
	(void)madvise(data, capacity, MADV_HUGEPAGE);
	memcpy(data, strbuf_peek(buf), buf->length + 1);
	if (!buf->lent)
		free(buf->data);
	buf->lent = false;
	buf->data = data;
	buf->capacity = capacity;
}

void strbuf_grow_n(struct strbuf *buf, const char *bytes, size_t length)
{
	if (!strbuf_reserve(buf, length))
		return;
	if (length > 0)
		memcpy(buf->data + buf->length, bytes, length);
	buf->length += length;
	buf->data[buf->length] = '\0';
}

void strbuf_add_integer(struct strbuf *buf, int64_t integer)
{
	uint64_t left = integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer;
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + left % 10);
		left /= 10;
	} while (left > 0);
	if (integer < 0)
		strbuf_add_char(buf, '-');
	strbuf_add_n(buf, digits + at, sizeof(digits) - at);
}

void strbuf_vprintf(struct strbuf *buf, const char *format, va_list ap)
{
	bool there = buf->data && !buf->failed;
	size_t room = there ? buf->capacity - buf->length : 0;
	va_list again;
	int length;

	/* Mostly there is room already, and once is enough. */
	va_copy(again, ap);
	length = vsnprintf(there ? buf->data + buf->length : NULL, room, format, again);
	va_end(again);
	if (length >= 0 && (size_t)length < room) {
		buf->length += (size_t)length;
		return;
	}
	if (there)
		buf->data[buf->length] = '\0';
	if (length < 0 || !strbuf_reserve(buf, (size_t)length)) {
		buf->failed = true;
		return;
	}
	vsnprintf(buf->data + buf->length, (size_t)length + 1, format, ap);
	buf->length += (size_t)length;
}

void strbuf_printf(struct strbuf *buf, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	strbuf_vprintf(buf, format, ap);
	va_end(ap);
}

bool strbuf_failed(const struct strbuf *buf)
{
	return buf->failed;
}

const char *strbuf_peek(const struct strbuf *buf)
{
	return buf->data ? buf->data : "";
}

char *strbuf_take(struct strbuf *buf)
{
	char *data = NULL;

	if (!buf->failed && strbuf_reserve(buf, 0) &&
	    (!buf->lent || strbuf_move(buf, buf->length + 1))) {
		data = buf->data;
		data[buf->length] = '\0';
		buf->data = NULL;
	}
	strbuf_clear(buf);
	return data;
}
