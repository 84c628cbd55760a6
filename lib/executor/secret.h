/* SPDX-License-Identifier: MIT */
/*
 * Secrets of a run: copies that its user alone can read, in a directory of
 * their own in memory (/dev/shm, else /tmp), gone when the run has ended.
 */
#ifndef SCHEDD_EXECUTOR_SECRET_H
#define SCHEDD_EXECUTOR_SECRET_H

#include "base/value.h"
#include "executor/account.h"
#include "model/job.h"

#define SECRET_SIZE_MAX (1024 * 1024) /* bytes of one secret */

struct secret_set {
	char directory[64];     /* "": there is none */
	struct job_pairs files; /* name and path of each copy; owned */
};

/*
 * Is there a file to copy, that this process may read? SCHEDD_EINVAL says why
 * not. It is not opened.
 */
int secret_check(const struct job_pair *secret, struct schedd_error *err)
    __attribute__((warn_unused_result));
/*
 * Copies each secrets item (name, file) for the account. SCHEDD_EFAILED:
 * "secret DB: /etc/db.pw: No such file or directory"; nothing is left then.
 */
int secret_set_make(struct secret_set *set, const struct job_pairs *secrets,
    const struct account *account, struct schedd_error *err) __attribute__((warn_unused_result));
/* Removes the copies. An all-zero set is fine. */
void secret_set_remove(struct secret_set *set);

/* The set as a value, for secret_set_resume(); it is empty then and the copies stay. */
struct value secret_set_release(struct secret_set *set, struct arena *arena);
/* SCHEDD_ENOMEM: what is missing in the set then is never removed. */
int secret_set_resume(struct secret_set *set, const struct value *from)
    __attribute__((warn_unused_result));

#endif
