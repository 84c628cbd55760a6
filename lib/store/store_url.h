/* SPDX-License-Identifier: MIT */
/*
 * Where a server is: SCHEME://[USER[:PASSWORD]@]HOST[:PORT][,HOST[:PORT]…][/PATH][?NAME=VALUE…],
 * parts percent-encoded. zk1:2181,zk2/chroot without a scheme is read as well.
 */
#ifndef SCHEDD_STORE_STORE_URL_H
#define SCHEDD_STORE_STORE_URL_H

#include <stdint.h>

#include <schedd/error.h>
#include "base/arena.h"
#include "base/strbuf.h"

struct store_url_host {
	const char *name; /* "" where none stands: a local socket, or the type's default */
	uint16_t port;    /* 0: the type's default */
};

struct store_url_param {
	const char *name;
	const char *text;
};

struct store_url {
	const char *scheme;   /* "": none */
	const char *user;     /* NULL: none; "" as in redis://:secret@host */
	const char *password; /* NULL: none */
	struct store_url_host *hosts;
	uint32_t host_count; /* at least 1, unless it is a path alone: unix:///run/redis.sock */
	const char *path;    /* without its first '/'; for scheme unix with it; "": none */
	struct store_url_param *params;
	uint32_t param_count;
};

/* Texts live in the arena. SCHEDD_EINVAL names what is wrong, never the password. */
int store_url_parse(const char *text, struct arena *arena, struct store_url *url,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* SCHEDD_EINVAL: a parameter that is not among names (NULL-terminated). */
int store_url_check(const struct store_url *url, const char *const *names,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* NULL: it is not there. */
const char *store_url_param(const struct store_url *url, const char *name);
/* The whole of it but the password and parameters, fit to be shown. */
void store_url_address(const struct store_url *url, struct strbuf *out);

/* Any text as a url with its secrets blotted out, in the arena. */
const char *store_url_shown(const char *url, struct arena *arena);
/* Blots the secrets out in the text itself, wherever it lives; NULL is fine. */
void store_url_blot(const char *url);

#endif
