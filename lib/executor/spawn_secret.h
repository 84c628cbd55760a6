/* SPDX-License-Identifier: MIT */
/*
 * Copies of secrets for one start: files that its user alone can read, in a
 * directory made for them. Needs nothing of the library, as spawn_child.h.
 */
#ifndef SCHEDD_EXECUTOR_SPAWN_SECRET_H
#define SCHEDD_EXECUTOR_SPAWN_SECRET_H

#include "executor/spawn.h"

#define SPAWN_SECRET_MAX (1024 * 1024) /* bytes of one secret */
#define SPAWN_SECRET_PIPE ESPIPE       /* the error of one that is a pipe */

/*
 * Makes the directory, unless it is there and ours, and the copies. 0 or errno, of
 * secrets[*index], or of the directory with *index secret_count. What was made
 * until then stays.
 *
 * A file is opened with the rights of the account. Where these do not suffice
 * root opens it, if root alone decides what stands there: no directory, link or
 * name on the way is in others' hands.
 */
int spawn_secret_copy(const struct spawn *spawn, uint32_t *index);
/* Takes all that away again, where it is there. */
void spawn_secret_remove(const struct spawn *spawn);
/* Opens it so, for reading; own: with the rights of the account alone. -errno. */
int spawn_secret_open(const char *path, const struct account *account, bool own);

#endif
