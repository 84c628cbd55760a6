/* SPDX-License-Identifier: MIT */
/* The parts of a URL as SQLAlchemy and redis-py take it: scheme://user:password@host:port/path?name=text */
#ifndef SCHEDD_CMD_APSCHEDULER_URL_H
#define SCHEDD_CMD_APSCHEDULER_URL_H

#include <schedd/error.h>
#include "base/arena.h"

struct apscheduler_url {
	char *scheme;   /* "postgresql", without "+driver" */
	char *user;     /* NULL: not given, as all that follow; percent signs are decoded */
	char *password;
	char *host;
	char *port;
	char *path;     /* behind the slash: "db", "0"; of sqlite:////x "/x" */
	char *query;    /* as it stands */
};

/* Texts live in the arena. SCHEDD_EINVAL: it is no URL. */
int apscheduler_url_parse(const char *text, struct arena *arena, struct apscheduler_url *out,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* The text of a name in the query; NULL: it is not there. */
char *apscheduler_url_option(
    const struct apscheduler_url *url, const char *name, struct arena *arena);

#endif
