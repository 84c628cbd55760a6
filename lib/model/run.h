/* SPDX-License-Identifier: MIT */
/*
 * A run: one due time (or one request) and what became of it. The record that
 * is stored, sent and shown; the scheduler's live run embeds one.
 */
#ifndef SCHEDD_MODEL_RUN_H
#define SCHEDD_MODEL_RUN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <schedd/clock.h>
#include <schedd/error.h>
#include "base/value.h"

enum run_state {
	RUN_QUEUED, /* waits for a worker, an instance or its group */
	RUN_RUNNING,
	RUN_RETRYING, /* an attempt failed, the next one waits for its delay */
	/* From here on: ended. */
	RUN_SUCCESS,
	RUN_FAILED,
	RUN_TIMEOUT,
	RUN_KILLED,
	RUN_CANCELLED, /* taken out of the queue */
	RUN_MISSED,    /* too late by its misfire grace time, or never possible */
	RUN_SKIPPED,   /* max_instances were running */
	RUN_LOST,      /* schedd died meanwhile */
};

/* Why it came to be. */
enum run_trigger {
	RUN_BY_SCHEDULE,
	RUN_BY_HAND, /* "manual" */
	RUN_BY_RETRY,
	RUN_BY_CATCHUP,
	RUN_BY_AFTER,
};

struct run {
	char *job;       /* id; owned */
	uint32_t number; /* JOB/N */
	enum run_state state;
	enum run_trigger trigger;
	uint32_t attempt;         /* 1, 2, … */
	schedd_time scheduled_at; /* the fire time it stands for; of several, the first */
	schedd_time started_at;   /* SCHEDD_TIME_NONE: not yet, or never */
	schedd_time ended_at;     /* likewise */
	schedd_time until; /* the last fire time of a row that stands for several; NONE: just one */
	uint64_t count;    /* fire times this row stands for (missed, skipped); 1 otherwise */
	uint64_t coalesced;      /* further fire times this run stands for */
	int exit_code;           /* -1: none */
	int signal;              /* that ended it; 0: none */
	char *reason;            /* in words; owned; NULL: none */
	int64_t max_rss;         /* bytes */
	int64_t cpu_us;          /* user and system time */
	uint64_t output_bytes;   /* written by the job */
	uint64_t output_dropped; /* of these, not kept */
	schedd_time
	    attempt_started; /* of the latest attempt; SCHEDD_TIME_NONE: it did not begin. Not
				kept: once it has ended after others it is in attempts */
	pid_t pid;           /* main process; 0: none */
	uint64_t pid_start;  /* its start time, field 22 of /proc/PID/stat */
	char
	    *attempts; /* JSON list of ended attempts, once there were several; owned; NULL: none */
	char *result;  /* what its call returned: JSON {"value": …}, or {"repr": text, "cut"?: true}
			  where JSON cannot say it or it is too long; owned; NULL: nothing */
	char *node;    /* it ran on, of a store that is shared; owned; NULL: not known, or it is not */
	char *actor;   /* who asked, for runs by hand: "uid 1000 pid 77 job.run"; owned */
	uint64_t serial; /* place among all runs of its store, where a store answers it; not kept */
};

void run_init(struct run *run);
void run_clear(struct run *run);
/* Frees what it owns; it is of no use until run_init(). */
void run_drop(struct run *run);
/* A deep copy; SCHEDD_ENOMEM. */
int run_copy(struct run *to, const struct run *from) __attribute__((warn_unused_result));
bool run_ended(enum run_state state);
/* "success", … never NULL. */
const char *run_state_name(enum run_state state);
/* false: no such state. */
bool run_state_parse(const char *name, enum run_state *out);
const char *run_trigger_name(enum run_trigger trigger);
bool run_trigger_parse(const char *name, enum run_trigger *out);
/*
 * The JSON of a run: times as µs integers, durations in seconds, null for what
 * is not known (yet). Its members are the rows of run_fields().
 */
struct value run_to_value(const struct run *run, struct arena *arena);
/* Adds result and result_form: json, repr, cut, or nil where nothing was returned. For run.get. */
void run_put_result(const struct run *run, struct arena *arena, struct value *map);
/* The attempts that began, the latest included, for run.get; empty: none. */
struct value run_attempts(const struct run *run, struct arena *arena);
/* "JOB/N" into its parts; false: not of that form. id needs JOB_ID_MAX + 1 bytes. */
/* "JOB/N", of the part of a job on all nodes that is one's "JOB/N@NODE". */
struct value run_id_value(const char *job, uint32_t number, struct arena *arena);
bool run_parse_id(const char *text, char *id, uint32_t *number);

/* Types of the members of a run's JSON, for displays; rows end with a NULL name. */
enum run_field_type {
	RUN_FIELD_TEXT,
	RUN_FIELD_INT,
	RUN_FIELD_TIME,
	RUN_FIELD_SPAN,
	RUN_FIELD_SIZE
};

struct run_field {
	const char *name;
	enum run_field_type type;
	const char *doc;
};

const struct run_field *run_fields(void);

#endif
