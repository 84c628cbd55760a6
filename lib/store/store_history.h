/* SPDX-License-Identifier: MIT */
/*
 * Runs in memory: 80 bytes each plus what is unusual about it, in two lists at
 * once, all runs as they came to be and each job's by number. Adding one costs
 * a hash lookup and no allocation.
 *
 * Adding goes in two steps, so that a batch can be refused as a whole: prepare
 * may fail and changes nothing that can be seen, insert cannot fail.
 */
#ifndef SCHEDD_STORE_STORE_HISTORY_H
#define SCHEDD_STORE_STORE_HISTORY_H

#include "base/strmap.h"
#include "store/store_query.h"

#define HISTORY_NONE UINT32_MAX

struct history_job;
struct history_run;

struct store_history {
	struct history_run **chunks; /* slots, never moved */
	uint32_t chunk_count;
	uint32_t free;   /* list of unused slots through older; HISTORY_NONE: none */
	uint32_t newest; /* of all; HISTORY_NONE: none */
	uint32_t oldest;
	uint32_t count;     /* runs linked */
	uint32_t max;       /* more than this: the oldest that has ended goes */
	uint64_t serial;    /* of the next run */
	struct strmap jobs; /* every id with runs or a last run to remember */
	uint32_t idle;      /* of these: that have neither, and are kept as they may come back */
	union history_known *known; /* the same by their numbers, from 1 on */
	uint32_t known_count, known_capacity;
	uint32_t known_free; /* the latest number that was given back; 0: none is free */
};

void store_history_init(struct store_history *history, uint32_t max);
void store_history_clear(struct store_history *history);

/*
 * Makes room and copies the run, unlinked yet, behind those that *rows is the last of (NULL: there
 * are none); then it is the last. False: no memory. *known is the number of its job as it was told
 * at the run before, and gets it; any other only costs the search.
 */
bool store_history_prepare(struct store_history *history, const struct run *run, uint32_t *known,
    struct history_run **rows) __attribute__((warn_unused_result));
/* One is prepared soon for the job of that number. */
void store_history_fetch(const struct store_history *history, uint32_t known);
/* Takes the prepared runs, each in place of the one of that number if there is one. */
void store_history_insert(struct store_history *history, struct history_run *rows);
void store_history_discard(struct store_history *history, struct history_run *rows);
/* An entry for the id, held until released; NULL: no memory. */
struct history_job *store_history_hold(struct store_history *history, const char *id);
void store_history_release(struct store_history *history, struct history_job *job);

/* The job was removed: its number goes on from here. */
void store_history_remember(struct history_job *job, uint32_t last_run);
/* What was remembered of it, or its highest run; 0: nothing. */
uint32_t store_history_last_run(const struct store_history *history, const char *id);
/* Moves all runs to the other id, which has none. */
void store_history_rename(
    struct store_history *history, struct history_job *from, struct history_job *to);
/* Runs of a job (NULL: of all): all, or one. */
void store_history_purge(struct store_history *history, const char *id, uint32_t number);

/* NULL: nothing is known of that id. */
struct history_job *store_history_find(const struct store_history *history, const char *id);
const char *store_history_id(const struct history_job *job);
/* Runs of a job (NULL: of all). */
uint32_t store_history_count(const struct store_history *history, const struct history_job *job);
/*
 * Places of runs, HISTORY_NONE at either end: of one job by number, or (job
 * NULL) of all as they came to be. A place stays good until its run is dropped.
 */
uint32_t store_history_newest(const struct store_history *history, const struct history_job *job);
uint32_t store_history_oldest(const struct store_history *history, const struct history_job *job);
uint32_t store_history_older(
    const struct store_history *history, const struct history_job *job, uint32_t place);
uint32_t store_history_newer(
    const struct store_history *history, const struct history_job *job, uint32_t place);
/* Fills *out; its texts are borrowed. */
void store_history_view(const struct store_history *history, uint32_t place, struct run *out);
/* Its place among all runs ever. */
uint64_t store_history_serial(const struct store_history *history, uint32_t place);
/* Deletes the run; its job's entry too if nothing else keeps that. */
void store_history_drop(struct store_history *history, uint32_t place);

/* Bytes of the runs that are kept. */
uint64_t store_history_used(const struct store_history *history);
/* Bytes taken of the system, room for further runs included. */
uint64_t store_history_bytes(const struct store_history *history);
/* Walks the invariants; for tests. */
bool store_history_check(const struct store_history *history);

#endif
