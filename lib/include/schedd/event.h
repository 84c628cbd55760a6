/* SPDX-License-Identifier: MIT */
/* What happened: the events, for listeners in the same process. */
#ifndef SCHEDD_EVENT_H
#define SCHEDD_EVENT_H

#include <stdint.h>
#include <schedd/clock.h>
#include <schedd/export.h>

SCHEDD_BEGIN

/* The numbers are APScheduler's; those from 1 << 20 on are ours. */
enum schedd_event_code {
	SCHEDD_EVENT_SCHEDULER_STARTED = 1 << 0,
	SCHEDD_EVENT_SCHEDULER_SHUTDOWN = 1 << 1,
	SCHEDD_EVENT_SCHEDULER_PAUSED = 1 << 2,
	SCHEDD_EVENT_SCHEDULER_RESUMED = 1 << 3,
	SCHEDD_EVENT_EXECUTOR_ADDED = 1 << 4,
	SCHEDD_EVENT_EXECUTOR_REMOVED = 1 << 5,
	SCHEDD_EVENT_JOBSTORE_ADDED = 1 << 6,
	SCHEDD_EVENT_JOBSTORE_REMOVED = 1 << 7,
	SCHEDD_EVENT_ALL_JOBS_REMOVED = 1 << 8,
	SCHEDD_EVENT_JOB_ADDED = 1 << 9,
	SCHEDD_EVENT_JOB_REMOVED = 1 << 10,
	SCHEDD_EVENT_JOB_MODIFIED = 1 << 11,
	SCHEDD_EVENT_JOB_EXECUTED = 1 << 12,
	SCHEDD_EVENT_JOB_ERROR = 1 << 13,
	SCHEDD_EVENT_JOB_MISSED = 1 << 14,
	SCHEDD_EVENT_JOB_SUBMITTED = 1 << 15,
	SCHEDD_EVENT_JOB_MAX_INSTANCES = 1 << 16,
	SCHEDD_EVENT_RUN_STARTED = 1 << 20,
	SCHEDD_EVENT_RUN_RETRYING = 1 << 21,
	SCHEDD_EVENT_RUN_KILLED = 1 << 22,
	SCHEDD_EVENT_RUN_LOST = 1 << 23,
	SCHEDD_EVENT_STORE_ERROR = 1 << 24, /* a commit failed; error says why */
	SCHEDD_EVENT_STORE_RECOVERED = 1 << 25,
	SCHEDD_EVENT_EXECUTOR_FAILED = 1 << 26, /* it cannot run anything; error: NAME: why */
	SCHEDD_EVENT_EXECUTOR_RECOVERED = 1 << 27,
	SCHEDD_EVENT_CRON_TABLE = 1
				  << 28, /* a line or table of cron is not taken; error says why */
	SCHEDD_EVENT_ACCESS_DENIED = 1 << 29, /* wrong tokens or the like; error says from where */
	SCHEDD_EVENT_ALL = 0x7fffffff,
};

/* Pointers are valid during the call of a listener. Absent texts are NULL. */
struct schedd_event {
	uint64_t seq;     /* never reused, survives a restart */
	schedd_time time; /* when it happened */
	enum schedd_event_code code;
	const char *job;          /* id */
	const char *store;        /* alias */
	uint32_t run;             /* run number; 0: none */
	schedd_time scheduled_at; /* SCHEDD_TIME_NONE: none */
	int exit_code;            /* -1: none */
	int signal;               /* 0: none */
	const char *error;        /* why, in words */
	int64_t uid;              /* who made a change; -1: the scheduler itself */
	int64_t pid;              /* likewise */
	const char *method;       /* by which call: "job.pause" */
};

/* On the loop's thread, after the change is durable. It may call the scheduler. */
typedef void (*schedd_listener_fn)(const struct schedd_event *event, void *context);

SCHEDD_END

#endif
