/* SPDX-License-Identifier: MIT */
/*
 * Secrets of a run: copies that its user alone can read, in a directory of
 * their own in memory (/dev/shm, else /tmp), gone when the run has ended.
 */
#ifndef SCHEDD_EXECUTOR_SECRET_H
#define SCHEDD_EXECUTOR_SECRET_H

#include "base/value.h"
#include "executor/spawn.h"
#include "model/job.h"

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
 * Chooses a directory and paths for copies of each item (name, file). Nothing is
 * made: that is done with the start (spawn_secret.h). place: the directory's
 * name, that nobody else can foresee; NULL: a random one.
 */
int secret_set_plan(struct secret_set *set, const struct job_pairs *secrets, const char *place,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* From where to where, in the arena; the same pairs. NULL: no memory. */
const struct spawn_secret *secret_set_copies(
    const struct secret_set *set, const struct job_pairs *secrets, struct arena *arena);
/* Removes the copies. An all-zero set is fine. */
void secret_set_remove(struct secret_set *set);

/* The set as a value, for secret_set_resume(); it is empty then and the copies stay. */
struct value secret_set_release(struct secret_set *set, struct arena *arena);
/* SCHEDD_ENOMEM: what is missing in the set then is never removed. */
int secret_set_resume(struct secret_set *set, const struct value *from)
    __attribute__((warn_unused_result));

/* Removes the directory of that name and all in it, where there is one that is this user's. */
void secret_place_remove(const char *place);
/* The same of all whose name begins so, and that are not to be kept. */
void secret_place_sweep(
    const char *prefix, bool (*keep)(const char *place, void *context), void *context);

#endif
