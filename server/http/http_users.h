/* SPDX-License-Identifier: MIT */
/*
 * The files that say who may ask: http.tokens, lines "NAME ROLE SHA-256
 * [ACCOUNT]", and http.basic, lines "NAME:HASH:ROLE[:ACCOUNT]". Empty lines and
 * lines that begin with # do not count. Nobody but the daemon's user may write
 * them, nobody else read the tokens' hashes.
 */
#ifndef SCHEDD_SERVER_HTTP_HTTP_USERS_H
#define SCHEDD_SERVER_HTTP_HTTP_USERS_H

#include <schedd/error.h>
#include "base/arena.h"
#include "server/web.h"

struct http_user {
	struct web_identity identity; /* first; texts are the list's */
	const char *hash;             /* SHA-256 in hexadecimal, or of crypt(3) */
};

/* What a file held. */
struct http_users {
	struct arena arena;
	struct http_user *items;
	size_t count;
	int64_t stamp[4]; /* device, inode, size and change time of what was read; 0: nothing */
};

/* path NULL, or no such file: nobody. passwords: the form of http.basic. SCHEDD_EFILE:
 * "FILE:LINE: reason". On failure users is as it was. */
int http_users_read(struct http_users *users, const char *path, bool passwords,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* Is the file another than was read? */
bool http_users_changed(const struct http_users *users, const char *path);
/* Takes the file as it is now for read: one that is wrong is not tried again. */
void http_users_mark(struct http_users *users, const char *path);
void http_users_clear(struct http_users *users);
const struct http_user *http_users_find(const struct http_users *users, const char *name);
/*
 * Writes the file of tokens anew (0600, renamed into place, synced): without
 * the line of name, and with line at its end unless that is NULL. A disk that does
 * not answer is waited for a moment (SCHEDD_EFAILED).
 */
int http_users_write(const char *path, const char *name, const char *line,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* 0, or SCHEDD_EINVAL: no role is called so. */
int http_users_role(const char *role, struct schedd_error *err)
    __attribute__((warn_unused_result));

#endif
