/* SPDX-License-Identifier: MIT */
/*
 * Whom a job runs as: ids, groups, home and shell. Looked up in the system's
 * databases, which may be slow, and remembered for a minute.
 */
#ifndef SCHEDD_EXECUTOR_ACCOUNT_H
#define SCHEDD_EXECUTOR_ACCOUNT_H

#include <stdbool.h>
#include <sys/types.h>
#include <schedd/clock.h>
#include <schedd/error.h>

struct account_cache;

struct account {
	uid_t uid;
	gid_t gid;
	gid_t *groups; /* supplementary */
	int group_count;
	char *name;  /* the uid in digits where it has none */
	char *home;  /* "/" where it has none */
	char *shell; /* "/bin/sh" where it has none */
	bool change; /* the process must change its ids */
};

/* NULL: no memory. */
struct account_cache *account_cache_new(void);
void account_cache_free(struct account_cache *cache);
/*
 * The account of USER[:GROUP] (names or numbers), or schedd's own for NULL. It
 * stays valid until the next call. SCHEDD_EINVAL: there is no such user or
 * group; SCHEDD_EPERM: schedd is not root and may not become that user.
 */
int account_cache_get(struct account_cache *cache, const char *user, struct schedd_mono now,
    const struct account **out, struct schedd_error *err) __attribute__((warn_unused_result));

#endif
