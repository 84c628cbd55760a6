/* SPDX-License-Identifier: MIT */
/*
 * A start as one piece of memory that can be sent to another process of the
 * same build: header, lists, room for pointers, strings. Descriptors and
 * inherit are not in it. Needs nothing of the library, as spawn_child.h.
 */
#ifndef SCHEDD_EXECUTOR_SPAWN_PACK_H
#define SCHEDD_EXECUTOR_SPAWN_PACK_H

#include <stddef.h>
#include "executor/spawn.h"

/* In malloc'd memory; NULL: no memory. */
void *spawn_pack(const struct spawn *spawn, size_t *size);
/*
 * Makes *spawn of it, with pointers into bytes (aligned for any type) and
 * *account; fds are all -1, inherit is NULL. False: it is damaged.
 */
bool spawn_unpack(void *bytes, size_t size, struct spawn *spawn, struct account *account);

#endif
