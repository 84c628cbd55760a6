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
#include <schedd/loop.h>
#include "model/job.h"

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
	bool known;  /* it has an entry in the system's databases */
	/* What PAM gives its session (see account_pam.h); nothing where that was not asked. */
	char **env; /* NAME=VALUE */
	struct job_rlimit *rlimits;
	uint32_t env_count, rlimit_count;
	int nice; /* to be added */
	bool loginuid; /* the kernel's record of who it is is to be set */
};

/* Somebody who waits for an account. */
struct account_waiter {
	struct account_waiter *next;
	/* account NULL: *err says why; it may be kept no longer than the call. */
	void (*done)(
	    const struct account *account, const struct schedd_error *err, void *context);
	void *context;
	bool waiting;
};

/*
 * loop: look-ups are made on other threads and nothing here waits long for
 * them; NULL: on this one. NULL: no memory.
 */
struct account_cache *account_cache_new(struct schedd_loop *loop);
/* Nobody is told any more. NULL is fine. */
void account_cache_free(struct account_cache *cache);
/*
 * The account of USER[:GROUP] (names, or else numbers), or schedd's own for NULL; behind
 * ACCOUNT_NAMED it is a name alone, and behind ACCOUNT_PAM PAM is asked, too, whose refusal is SCHEDD_EPERM. It
 * stays valid until the next call. SCHEDD_EINVAL: there is no such user or
 * group; SCHEDD_EPERM: schedd is not root and may not become that user;
 * SCHEDD_ETIMEOUT: the system's databases have not answered within 100 ms, or
 * not at all for somebody who has waited so long a while ago: they hang, and
 * hold up the loop once and not with each request.
 */
int account_cache_get(struct account_cache *cache, const char *user, struct schedd_mono now,
    const struct account **out, struct schedd_error *err) __attribute__((warn_unused_result));
/*
 * The same without waiting at all: 1 where it is being looked up, and the
 * waiter, whose done is set, will be told.
 */
int account_cache_ask(struct account_cache *cache, const char *user, struct schedd_mono now,
    struct account_waiter *waiter, const struct account **out, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* It waits no more, if it does. */
void account_cache_forget(struct account_cache *cache, struct account_waiter *waiter);

#endif
