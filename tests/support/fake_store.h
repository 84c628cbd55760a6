/* SPDX-License-Identifier: MIT */
/*
 * A server for stores that lives in this process: a thread behind a socket
 * pair for each link. It can be slow, stand still, end before or after it has
 * stored something, refuse, and be written by somebody else: by a test, or by
 * other nodes that share it. What it holds outlives the stores that use it;
 * each name ("fake://NAME") is one server.
 */
#ifndef TESTS_SUPPORT_FAKE_STORE_H
#define TESTS_SUPPORT_FAKE_STORE_H

#include "store/store_ops.h"

extern const struct store_ops store_fake_ops;
/* The same, but it keeps jobs alone. */
extern const struct store_ops store_alone_ops;

/* How the next commits end; each is used up by one. */
enum fake_end {
	FAKE_DIES_BEFORE, /* the connection ends, nothing is stored */
	FAKE_DIES_AFTER,  /* it is stored, then the connection ends without an answer */
};

/* Forgets everything on that server, or makes it. */
void fake_server_reset(const char *name);
/* Microseconds before every answer. */
void fake_server_delay(const char *name, int64_t delay);
/* The next count commits end so. */
void fake_server_end(const char *name, enum fake_end end, int count);
/* It answers nothing, or does again. */
void fake_server_freeze(const char *name, bool frozen);
/* Links are refused and cut, or let in again. */
void fake_server_down(const char *name, bool down);
/* Every write is refused, or no more. */
void fake_server_read_only(const char *name, bool read_only);
/* Another owner takes it: links of before are fenced. holder NULL: gives it back. */
void fake_server_hold(const char *name, const char *holder);
/* Another writes the job's last run, or (0) removes it. */
void fake_server_claim(const char *name, const char *id, uint32_t last_run);
/*
 * An answer over one link waits until one over another has overtaken it, or some
 * milliseconds have passed. Over one link they come in order, as on any server.
 */
void fake_server_shuffle(const char *name, bool shuffled);
/* That node's links are cut and refused, or let in again. */
void fake_server_bar(const char *name, const char *node, bool barred);
/* Another node's lease is over, whatever it has. */
void fake_server_expire(const char *name, const char *node);
/* What nodes have written is not told any more to those that have not read it. */
void fake_server_forget_feed(const char *name);
/* That node's beats stay on their way; NULL: they arrive. */
void fake_server_stick(const char *name, const char *node);
/* How many do; how many have been answered well. */
int fake_server_stuck_beats(const char *name);
int fake_server_beats(const char *name);
/* Commits that were stored. */
int fake_server_commits(const char *name);

#endif
