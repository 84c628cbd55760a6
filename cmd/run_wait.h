/* SPDX-License-Identifier: MIT */
/* What a run or job that somebody waits for waits for itself, told on stderr. */
#ifndef SCHEDD_CMD_RUN_WAIT_H
#define SCHEDD_CMD_RUN_WAIT_H

#include "cmd/command.h"

/* What was said last. */
struct run_wait {
	struct strbuf said;
	int64_t attempt; /* of which run's attempt */
};

#define RUN_WAIT_NEW {STRBUF_EMPTY, 0}

/*
 * Says for what that run (or job, if it has no run) waits now, unless that was said last;
 * nothing of one that waits for nothing. Notifications that come meanwhile are kept.
 */
void run_wait_say(struct command *command, const char *run, struct run_wait *wait);
void run_wait_clear(struct run_wait *wait);

#endif
