/* SPDX-License-Identifier: MIT */
/* What a schedule comes to in a window of time: fire times, counted and laid beside each other. */
#ifndef SCHEDD_CMD_SIMULATION_H
#define SCHEDD_CMD_SIMULATION_H

#include "cmd/command.h"

#define SIMULATION_RUNS_MAX 1000000 /* of a job; the rest is not looked at */
#define SIMULATION_CHANGES_MAX 64

struct simulation_job {
	const char *id;    /* in the command's arena */
	double duration;   /* of each run, seconds */
	uint64_t runs;     /* in the window */
	uint64_t overlaps; /* that begin before the one before has ended */
	uint64_t moved;    /* out of a gap of the clock */
	uint64_t doubled;  /* at a wall time that comes twice */
};

/* A run begins or ends. */
struct simulation_edge {
	schedd_time at;
	int step; /* 1: begins; -1: ends */
};

/* An offset changes. */
struct simulation_change {
	schedd_time at;
	const char *zone; /* lives with the zone */
};

struct simulation {
	struct command *command;
	schedd_time from, until; /* both inclusive */
	double usual;            /* seconds, of jobs without history */
	struct value durations;  /* map from id to seconds, of the daemon */
	schedd_time first_hour;  /* in which from lies */
	uint64_t *hours;         /* runs by the hour from first_hour on; owned */
	size_t hour_count;
	struct simulation_job *jobs; /* owned */
	size_t job_count, job_capacity;
	struct simulation_edge *edges; /* owned */
	size_t edge_count, edge_capacity;
	struct simulation_change changes[SIMULATION_CHANGES_MAX];
	size_t change_count;
	uint64_t runs, peak;
	schedd_time peak_at;
	bool cut; /* some job has more runs than are looked at */
};

/* Of the caller: command, from, until. duration: text or NULL. SCHEDD_EINVAL, SCHEDD_ENOMEM. */
int simulation_begin(struct simulation *simulation, const char *duration, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Plays one job: a map with id and trigger. */
int simulation_add(struct simulation *simulation, const struct value *job, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* All jobs of the daemon that are not paused, with their durations. */
int simulation_add_daemon(struct simulation *simulation, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Sums up. */
int simulation_end(struct simulation *simulation, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* For JSON, in the command's arena. */
struct value simulation_value(const struct simulation *simulation);
void simulation_clear(struct simulation *simulation);

#endif
