/* SPDX-License-Identifier: MIT */
/* A move from the inside, for the two files that take it along. */
#ifndef SCHEDD_CORE_CHANGES_JOB_MOVE_PARTS_H
#define SCHEDD_CORE_CHANGES_JOB_MOVE_PARTS_H

#include "core/changes/job_move.h"

#define JOB_MOVE_KEY (sizeof(JOB_MOVE_MOVING) + JOB_MOVE_TOKEN)

enum job_move_stage {
	JOB_MOVE_GATHERING, /* changes of its jobs are in line */
	JOB_MOVE_HOLDING,   /* that they are held is on the way to the old store */
	JOB_MOVE_WRITING,   /* they are on the way to the new one */
	JOB_MOVE_COPYING,   /* they are there; runs that ended follow */
	JOB_MOVE_REMOVING,  /* the old store is to be rid of them */
	JOB_MOVE_OVER,
};

struct job_move {
	struct job_move *next; /* scheduler->changes.moves */
	struct schedd_scheduler *scheduler;
	struct store_slot *from, *to;
	char token[JOB_MOVE_TOKEN + 1];
	bool history;
	struct scheduler_actor actor;
	void (*done)(struct job_move *move, void *context); /* NULL: nobody waits */
	void *context;
	struct arena arena;
	struct move_item *items, **last;
	uint32_t gathering; /* of the items: not gathered yet; and one while it starts */
	enum job_move_stage stage;
	bool busy;     /* copying, removing: a question or a commit is under way */
	bool answered; /* done was called */
	bool telling;  /* it is being called */
	bool released;
	/* Copying: where pages of the runs of all its jobs begin, but for the first; newest first. */
	char (*pages)[STORE_CURSOR_MAX];
	uint32_t page_count;
	uint32_t page;   /* that is copied, from the last to the first */
	bool walked;     /* all pages are known */
};

void job_move_key(char key[JOB_MOVE_KEY], const char *prefix, const char *token);
/* Are the runs of both stores in one place? */
bool job_move_same_history(const struct job_move *move);
/* Calls done, if that was not called, and frees the move when nobody needs it. */
void job_move_told(struct job_move *move);
/* From JOB_MOVE_COPYING on: as far as it goes now. */
void job_move_rest(struct job_move *move);

#endif
