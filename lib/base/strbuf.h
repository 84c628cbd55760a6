/* SPDX-License-Identifier: MIT */
/*
 * A growing string. Always NUL-terminated once something was added.
 * Failure is sticky, as in arena.h: check strbuf_failed() once at the end.
 */
#ifndef SCHEDD_BASE_STRBUF_H
#define SCHEDD_BASE_STRBUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct strbuf {
	char *data;	 /* NULL while nothing was added */
	size_t length;	 /* bytes without the final NUL */
	size_t capacity; /* bytes allocated */
	bool failed;	 /* an allocation has failed; data is what was there before */
	bool lent;	 /* data is an array of the caller's, as long as it is enough */
};

#define STRBUF_EMPTY ((struct strbuf){0})

/* On an array of chars that begins with NUL: what is short takes no memory of its own. Not to be copied. */
#define STRBUF_ON(array) ((struct strbuf){.data = (array), .capacity = sizeof(array), .lent = true})

void strbuf_init(struct strbuf *buf);
void strbuf_clear(struct strbuf *buf);
/* Forgets the text, keeps the memory. */
void strbuf_reset(struct strbuf *buf);
/* Where there is no room yet; what strbuf_add_n() does then. */
void strbuf_grow_n(struct strbuf *buf, const char *bytes, size_t length);

/* Mostly there is room, and all that is left are some bytes to be copied: what writes many texts is made of these. */
static inline void strbuf_add_n(struct strbuf *buf, const char *bytes, size_t length)
{
	if (buf->failed || buf->capacity - buf->length <= length) {
		strbuf_grow_n(buf, bytes, length);
		return;
	}
	if (length > 0)
		memcpy(buf->data + buf->length, bytes, length);
	buf->length += length;
	buf->data[buf->length] = '\0';
}

/* The first bytes of an array of so many, which is copied whole: that its size is known makes it quick. */
#define STRBUF_WHOLE 32
static inline void strbuf_add_whole(struct strbuf *buf, const char bytes[STRBUF_WHOLE], size_t length)
{
	if (buf->failed || buf->capacity - buf->length <= STRBUF_WHOLE) {
		strbuf_grow_n(buf, bytes, length);
		return;
	}
	memcpy(buf->data + buf->length, bytes, STRBUF_WHOLE);
	buf->length += length;
	buf->data[buf->length] = '\0';
}

static inline void strbuf_add_char(struct strbuf *buf, char c)
{
	strbuf_add_n(buf, &c, 1);
}

static inline void strbuf_add(struct strbuf *buf, const char *text)
{
	strbuf_add_n(buf, text, strlen(text));
}

/* Decimal, as printf writes it; lists have many. */
void strbuf_add_integer(struct strbuf *buf, int64_t integer);
void strbuf_printf(struct strbuf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void strbuf_vprintf(struct strbuf *buf, const char *format, va_list ap)
    __attribute__((format(printf, 2, 0)));
/* Room for at least length more bytes; false: no memory. */
bool strbuf_reserve(struct strbuf *buf, size_t length);
/* So many more bytes are soon to come: much memory is taken at once, in large pages where the system has them. */
void strbuf_expect(struct strbuf *buf, size_t length);
bool strbuf_failed(const struct strbuf *buf);
/* The text, "" while empty; valid until the next change. */
const char *strbuf_peek(const struct strbuf *buf);
/* Hands the text to the caller (to free) and empties the buffer; NULL if it failed. */
char *strbuf_take(struct strbuf *buf);

#endif
