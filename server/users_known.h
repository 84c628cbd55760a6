/* SPDX-License-Identifier: MIT */
/*
 * Which uid an account had when it first came here, in STATE_DIR/accounts. A name that is
 * given to another person later must not bring that person jobs, output and
 * secrets of the first one.
 */
#ifndef SCHEDD_SERVER_USERS_KNOWN_H
#define SCHEDD_SERVER_USERS_KNOWN_H

#include <stdbool.h>
#include <sys/types.h>
#include <schedd/error.h>

struct schedd_log;
struct users_known;

/* The log is borrowed. */
int users_known_new(const char *state_dir, const struct schedd_log *log, struct users_known **out,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* NULL is fine. */
void users_known_free(struct users_known *known);
/* The file is as the administrator has left it; what cannot be read leaves all as it is. */
void users_known_read(struct users_known *known);
/*
 * Is it the same account as before? One that comes for the first time is noted.
 * False: why, of size bytes, says what is to be done. known NULL: it always is.
 */
bool users_known_same(
    struct users_known *known, const char *account, uid_t uid, char *why, size_t size);

#endif
