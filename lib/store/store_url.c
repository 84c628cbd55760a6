/* SPDX-License-Identifier: MIT */
#include "store/store_url.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int url_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Undoes percent-encoding. A NUL or a broken escape is an error. */
static int url_decode(const char *from, size_t length, struct arena *arena, const char **out,
    struct schedd_error *err)
{
	char *text = arena_alloc(arena, length + 1), *to = text;

	if (!text)
		return schedd_error_nomem(err);
	for (size_t i = 0; i < length; i++) {
		int high, low;

		if (from[i] != '%') {
			*to++ = from[i];
			continue;
		}
		high = i + 2 < length ? url_digit(from[i + 1]) : -1;
		low = i + 2 < length ? url_digit(from[i + 2]) : -1;
		if (high < 0 || low < 0 || high * 16 + low == 0)
			return schedd_error_set(err, SCHEDD_EINVAL,
			    "url: a %% must be followed by two hexadecimal digits (write %%25 for "
			    "the sign itself)");
		*to++ = (char)(high * 16 + low);
		i += 2;
	}
	*to = '\0';
	*out = text;
	return 0;
}

/* USER[:PASSWORD]; both may be empty. */
static int url_read_login(struct store_url *url, const char *text, size_t length,
    struct arena *arena, struct schedd_error *err)
{
	const char *colon = memchr(text, ':', length);
	size_t user = colon ? (size_t)(colon - text) : length;
	int rc = url_decode(text, user, arena, &url->user, err);

	if (rc == 0 && colon)
		rc = url_decode(colon + 1, length - user - 1, arena, &url->password, err);
	return rc;
}

static int url_read_port(const char *text, size_t length, uint16_t *port, struct schedd_error *err)
{
	unsigned long number = 0;

	for (size_t i = 0; i < length; i++) {
		if (!isdigit((unsigned char)text[i]) || number > 65535)
			number = 65536;
		else
			number = number * 10 + (unsigned long)(text[i] - '0');
	}
	if (length == 0 || number == 0 || number > 65535)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "url: '%.*s' is no port, write a number from 1 to 65535",
		    (int)(length < 20 ? length : 20), text);
	*port = (uint16_t)number;
	return 0;
}

/* HOST, HOST:PORT, [::1]:PORT. */
static int url_read_host(const char *text, size_t length, struct arena *arena,
    struct store_url_host *host, struct schedd_error *err)
{
	const char *end = text + length, *colon;

	if (length && text[0] == '[') {
		const char *close = memchr(text, ']', length);

		if (!close)
			return schedd_error_set(
			    err, SCHEDD_EINVAL, "url: an address in [ has no ]");
		host->name = arena_strndup(arena, text + 1, (size_t)(close - text - 1));
		colon = close + 1 < end ? close + 1 : NULL;
		if (colon && *colon != ':')
			return schedd_error_set(
			    err, SCHEDD_EINVAL, "url: only :PORT may stand behind ]");
		if (!host->name)
			return schedd_error_nomem(err);
	} else {
		int rc;

		colon = memchr(text, ':', length);
		rc = url_decode(
		    text, colon ? (size_t)(colon - text) : length, arena, &host->name, err);
		if (rc)
			return rc;
	}
	return colon ? url_read_port(colon + 1, (size_t)(end - colon - 1), &host->port, err) : 0;
}

static int url_read_hosts(struct store_url *url, const char *text, size_t length,
    struct arena *arena, struct schedd_error *err)
{
	uint32_t count = 1;
	int rc = 0;

	for (size_t i = 0; i < length; i++)
		count += text[i] == ',';
	url->hosts = arena_alloc(arena, count * sizeof(url->hosts[0]));
	if (!url->hosts)
		return schedd_error_nomem(err);
	url->host_count = count;
	for (uint32_t i = 0; i < count && rc == 0; i++) {
		const char *comma = memchr(text, ',', length);
		size_t part = comma ? (size_t)(comma - text) : length;

		if (part == 0 && count > 1)
			return schedd_error_set(
			    err, SCHEDD_EINVAL, "url: there is nothing between two commas");
		rc = url_read_host(text, part, arena, &url->hosts[i], err);
		text += part + (comma != NULL);
		length -= part + (comma != NULL);
	}
	return rc;
}

static int url_read_params(
    struct store_url *url, const char *text, struct arena *arena, struct schedd_error *err)
{
	uint32_t count = 1;
	int rc = 0;

	for (const char *at = text; *at; at++)
		count += *at == '&';
	url->params = arena_alloc(arena, count * sizeof(url->params[0]));
	if (!url->params)
		return schedd_error_nomem(err);
	while (*text && rc == 0) {
		size_t length = strcspn(text, "&"), name = strcspn(text, "=&");
		struct store_url_param *param = &url->params[url->param_count];

		if (name >= length)
			return schedd_error_set(err, SCHEDD_EINVAL,
			    "url: the parameter '%.*s' has no value, write NAME=VALUE",
			    (int)(length < 40 ? length : 40), text);
		rc = url_decode(text, name, arena, &param->name, err);
		if (rc == 0)
			rc = url_decode(
			    text + name + 1, length - name - 1, arena, &param->text, err);
		for (uint32_t i = 0; rc == 0 && i < url->param_count; i++)
			if (strcmp(url->params[i].name, param->name) == 0)
				rc = schedd_error_set(err, SCHEDD_EINVAL,
				    "url: the parameter '%.40s' is there twice", param->name);
		url->param_count++;
		text += length + (text[length] == '&');
	}
	return rc;
}

/* http://a:1,http://b:1 is http://a:1,b:1: as others write a list of servers. */
static int url_join(const char **text, struct arena *arena, struct schedd_error *err)
{
	const char *scheme = strstr(*text, "://");
	size_t length = scheme ? (size_t)(scheme + 3 - *text) : 0;
	char *joined, *at;

	if (!scheme || !strstr(scheme + 3, "://"))
		return 0;
	joined = arena_strdup(arena, *text);
	if (!joined)
		return schedd_error_nomem(err);
	*text = joined;
	for (at = joined + length; (at = strchr(at, ','));) {
		at++;
		if (strncmp(at, joined, length) == 0)
			memmove(at, at + length, strlen(at + length) + 1);
	}
	return 0;
}

int store_url_parse(
    const char *text, struct arena *arena, struct store_url *url, struct schedd_error *err)
{
	const char *scheme, *rest, *at = NULL;
	size_t authority, query;
	int rc;

	memset(url, 0, sizeof(*url));
	rc = url_join(&text, arena, err);
	if (rc)
		return rc;
	scheme = strstr(text, "://");
	rest = scheme ? scheme + 3 : text;
	authority = strcspn(rest, "/?");
	query = strcspn(rest, "?");
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c < 0x21 || *c == 0x7f)
			return schedd_error_set(err, SCHEDD_EINVAL,
			    "url: it has a space or control character in it, write %%20");
	url->scheme = arena_strndup(arena, text, scheme ? (size_t)(scheme - text) : 0);
	for (size_t i = 0; i < authority; i++)
		if (rest[i] == '@')
			at = rest + i;
	if (at) {
		rc = url_read_login(url, rest, (size_t)(at - rest), arena, err);
		authority -= (size_t)(at + 1 - rest);
		query -= (size_t)(at + 1 - rest);
		rest = at + 1;
	}
	if (!at && memchr(rest, '@', query))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "url: a / before the @ must be written %%2F (as in a password)");
	if (rc == 0)
		rc = url_read_hosts(url, rest, authority, arena, err);
	if (rc == 0 && rest[authority] == '/') {
		bool whole = url->scheme && strcmp(url->scheme, "unix") == 0;
		size_t from = authority + !whole;

		rc = url_decode(rest + from, query - from, arena, &url->path, err);
	}
	if (rc == 0 && rest[query] == '?')
		rc = url_read_params(url, rest + query + 1, arena, err);
	if (!url->path)
		url->path = "";
	return rc == 0 && arena_failed(arena) ? schedd_error_nomem(err) : rc;
}

int store_url_check(
    const struct store_url *url, const char *const *names, struct schedd_error *err)
{
	for (uint32_t i = 0; i < url->param_count; i++) {
		const char *const *name = names;

		while (*name && strcmp(*name, url->params[i].name) != 0)
			name++;
		if (!*name)
			return schedd_error_set(err, SCHEDD_EINVAL,
			    "url: the parameter '%.64s' is not known", url->params[i].name);
	}
	return 0;
}

const char *store_url_param(const struct store_url *url, const char *name)
{
	for (uint32_t i = 0; i < url->param_count; i++)
		if (strcmp(url->params[i].name, name) == 0)
			return url->params[i].text;
	return NULL;
}

void store_url_address(const struct store_url *url, struct strbuf *out)
{
	if (url->scheme[0])
		strbuf_printf(out, "%s://", url->scheme);
	if (url->user && url->user[0])
		strbuf_printf(out, "%s@", url->user);
	for (uint32_t i = 0; i < url->host_count; i++) {
		const struct store_url_host *host = &url->hosts[i];

		strbuf_printf(out, strchr(host->name, ':') ? "%s[%s]" : "%s%s", i ? "," : "",
		    host->name);
		if (host->port)
			strbuf_printf(out, ":%u", (unsigned)host->port);
	}
	if (url->path[0])
		strbuf_printf(out, url->path[0] == '/' ? "%s" : "/%s", url->path);
}

/* Where its password begins, by what it looks like, for it may be no url at all; 0: there is none. */
static size_t url_find_password(const char *url, size_t *length)
{
	const char *scheme = strstr(url, "://"), *rest = scheme ? scheme + 3 : url;
	size_t end = strcspn(rest, "?");
	const char *at = NULL, *colon;

	for (size_t i = 0; i < end; i++)
		if (rest[i] == '@')
			at = rest + i;
	colon = at ? memchr(rest, ':', (size_t)(at - rest)) : NULL;
	*length = colon ? (size_t)(at - colon - 1) : 0;
	return colon ? (size_t)(colon + 1 - url) : 0;
}

static void url_blot_params(char *url)
{
	for (char *param = strchr(url, '?'); param; param = strchr(param + 1, '&')) {
		size_t name = strcspn(param + 1, "=&");

		if (param[1 + name] == '=' && memmem(param + 1, name, "pass", 4))
			memset(param + 2 + name, '*', strcspn(param + 2 + name, "&"));
	}
}

const char *store_url_shown(const char *url, struct arena *arena)
{
	size_t length, begin = url_find_password(url, &length);
	char *copy = begin ? arena_printf(arena, "%.*s***%s", (int)begin, url, url + begin + length)
			   : arena_strdup(arena, url);

	if (copy)
		url_blot_params(copy);
	return copy ? copy : "";
}

void store_url_blot(const char *url)
{
	char *text = (char *)(uintptr_t)url;
	size_t length, begin;

	if (!text)
		return;
	begin = url_find_password(text, &length);
	if (begin)
		memset(text + begin, '*', length);
	url_blot_params(text);
}
