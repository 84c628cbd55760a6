/* SPDX-License-Identifier: MIT */
#include "cmd/apscheduler_url.h"

#include <string.h>

static int url_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A copy of length bytes with %41 as A; NULL for nothing. */
static char *url_part(struct arena *arena, const char *text, size_t length)
{
	char *copy, *to;

	if (length == 0)
		return NULL;
	copy = to = arena_strndup(arena, text, length);
	for (const char *at = copy; at && *at; at++) {
		int high = *at == '%' ? url_digit(at[1]) : -1;
		int low = high >= 0 ? url_digit(at[2]) : -1;

		if (low >= 0 && high * 16 + low > 0) {
			*to++ = (char)(high * 16 + low);
			at += 2;
		} else {
			*to++ = *at;
		}
	}
	if (to)
		*to = '\0';
	return copy;
}

/* user:password@host:port; a host in brackets is an IPv6 address. */
static void url_authority(
    struct apscheduler_url *url, const char *text, size_t length, struct arena *arena)
{
	const char *end = text + length, *at = memrchr(text, '@', length), *colon;

	if (at) {
		colon = memchr(text, ':', (size_t)(at - text));
		url->user = url_part(arena, text, (size_t)((colon ? colon : at) - text));
		if (colon)
			url->password = url_part(arena, colon + 1, (size_t)(at - colon - 1));
		text = at + 1;
	}
	at = text < end && *text == '[' ? memchr(text, ']', (size_t)(end - text)) : NULL;
	if (at) {
		url->host = url_part(arena, text + 1, (size_t)(at - text - 1));
		text = at + 1;
	}
	colon = memchr(text, ':', (size_t)(end - text));
	if (!at)
		url->host = url_part(arena, text, (size_t)((colon ? colon : end) - text));
	if (colon)
		url->port = url_part(arena, colon + 1, (size_t)(end - colon - 1));
}

int apscheduler_url_parse(const char *text, struct arena *arena, struct apscheduler_url *out,
    struct schedd_error *err)
{
	const char *rest = strstr(text, "://");
	size_t scheme = strcspn(text, "+:"), length;

	*out = (struct apscheduler_url){0};
	if (!rest || scheme == 0)
		return schedd_error_set(err, SCHEDD_EINVAL, "'%.100s' is no URL", text);
	out->scheme = arena_strndup(arena, text, scheme);
	rest += 3;
	length = strcspn(rest, "/?");
	url_authority(out, rest, length, arena);
	rest += length;
	if (*rest == '/') {
		length = strcspn(++rest, "?");
		out->path = url_part(arena, rest, length);
		rest += length;
	}
	if (*rest == '?')
		out->query = arena_strdup(arena, rest + 1);
	return arena_failed(arena) ? schedd_error_nomem(err) : 0;
}

char *apscheduler_url_option(
    const struct apscheduler_url *url, const char *name, struct arena *arena)
{
	size_t length = strlen(name);
	const char *at = url->query;

	while (at && *at) {
		size_t whole = strcspn(at, "&");

		if (strncmp(at, name, length) == 0 && at[length] == '=')
			return url_part(arena, at + length + 1, whole - length - 1);
		at += whole + (at[whole] == '&');
	}
	return NULL;
}
