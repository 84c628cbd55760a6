/* SPDX-License-Identifier: MIT */
/*
 * What schedd and one of the small programs that start its jobs share: a page
 * of memory and a socket pair (SOCK_SEQPACKET).
 *
 * A request is a struct spawner_request, then what spawn_pack() made, or, if
 * that is large, a file in memory that holds it as the first descriptor. What
 * came of it stands in the page, and after a few starts, or before it waits for
 * more of them, the program sends a byte, SPAWNER_NEWS: so many that are made one
 * after the other wake schedd once. The first byte that comes is SPAWNER_READY.
 */
#ifndef SCHEDD_EXECUTOR_SPAWNER_PAGE_H
#define SCHEDD_EXECUTOR_SPAWNER_PAGE_H

#include "executor/spawn_child.h"

#define SPAWNER_PROGRAM "schedd-spawn"
#define SPAWNER_ABI "schedd-spawn 4, " SCHEDD_VERSION
#define SPAWNER_DEPTH 16              /* requests under way at one of them, with those called off */
#define SPAWNER_INLINE ((size_t)16384) /* bytes of a request within the message */
#define SPAWNER_READY 0xff
#define SPAWNER_NEWS 0
#define SPAWNER_UNTOLD 4 /* starts that are made without a word while others wait */
#define SPAWNER_IDLE 10 /* s without a request, after which it ends */

/* Where the program finds them. */
enum { SPAWNER_SOCKET = 3, SPAWNER_PAGE = 4 };

struct spawner_page {
	char abi[64]; /* SPAWNER_ABI of who made the page */
	struct spawn_inherit inherit;
	cpu_set_t cpus; /* affinity for what it starts */
	int cpu;        /* its own; -1: any */
	pid_t daemon;   /* its parent: nothing is started when that is gone */
	struct spawn_progress slots[SPAWNER_DEPTH];
};

struct spawner_request {
	uint32_t slot;
	uint32_t size;      /* of what spawn_pack() made */
	uint8_t large;      /* it is in the first descriptor */
	uint8_t with[SPAWN_FDS]; /* those that follow */
};

#endif
