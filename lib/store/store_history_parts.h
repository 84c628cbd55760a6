/* SPDX-License-Identifier: MIT */
/* The parts of a history in memory: its slots, and its entries of jobs. Only store_history*.c include this. */
#ifndef SCHEDD_STORE_STORE_HISTORY_PARTS_H
#define SCHEDD_STORE_STORE_HISTORY_PARTS_H

#include "store/store_history.h"

#define CHUNK_BITS 9
#define CHUNK_SLOTS (1u << CHUNK_BITS)

struct history_extra;

struct history_run {
	struct history_job *job;
	struct history_extra *extra; /* owned; NULL: all defaults */
	uint64_t serial;             /* place among all runs ever */
	schedd_time scheduled_at;
	schedd_time started_at;
	schedd_time ended_at;
	uint32_t self;      /* its own index */
	uint32_t older;     /* in the list of all, if it is not the oldest; of a free slot: the next free one */
	uint32_t newer;     /* likewise; of a prepared one: that behind it, of the last the first */
	uint32_t job_older; /* in the job's list, by number; likewise */
	uint32_t job_newer;
	uint32_t number;
	uint32_t attempt;
	int16_t exit_code;
	uint8_t signal;
	uint8_t state : 5;   /* enum run_state */
	uint8_t trigger : 3; /* enum run_trigger */
};

struct history_job {
	uint32_t newest; /* run of the highest number; HISTORY_NONE: none */
	uint32_t oldest;
	uint32_t highest; /* that number, so that the run itself need not be looked at; 0: none */
	uint32_t count;    /* runs linked */
	uint32_t holds;    /* runs, linked or prepared, and holders */
	uint32_t last_run; /* of the job that was removed; 0: nothing to remember */
	uint32_t known;    /* its number */
	char id[];
};

/* What has a number, or the next one that is free as an odd number. */
union history_known {
	struct history_job *job;
	uintptr_t free;
};

static inline struct history_run *history_slot(const struct store_history *history, uint32_t index)
{
	return &history->chunks[index >> CHUNK_BITS][index & (CHUNK_SLOTS - 1)];
}

/* As store_history_hold(); known is its number, if it is known. */
struct history_job *store_history_hold_known(
    struct store_history *history, const char *id, uint32_t known);

#endif
