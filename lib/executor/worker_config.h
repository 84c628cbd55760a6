/* SPDX-License-Identifier: MIT */
/* What an executor of type worker is told: which program, how many processes, when they are replaced. */
#ifndef SCHEDD_EXECUTOR_WORKER_CONFIG_H
#define SCHEDD_EXECUTOR_WORKER_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <schedd/clock.h>
#include <schedd/error.h>
#include "model/job.h"

#define WORKER_PROCESSES_MAX 1024
#define WORKER_CONCURRENCY_MAX 65535
#define WORKER_COMMAND_MAX 256 /* words */

struct worker_config {
	const char *language;       /* "python" or "node": whose command is the default */
	const char *const *command; /* NULL-terminated; NULL: the language's */
	uint32_t processes;         /* at most */
	uint32_t min;               /* kept even when idle */
	uint32_t concurrency;       /* calls at one time in one process */
	int64_t max_calls;          /* then a process is replaced; -1: no limit */
	int64_t max_rss;            /* bytes, likewise */
	schedd_span max_age;        /* likewise; SCHEDD_SPAN_NONE: no limit */
	schedd_span idle;           /* without a call for so long it ends; NONE: never */
	schedd_span ready_timeout;  /* from start to worker.ready */
	const char *const *preload; /* modules; NULL-terminated; NULL: none */
	bool users;                 /* each account has processes of its own */
	/* cwd, env, user, umask, nice and rlimits of every process; a reference; NULL: defaults */
	struct schedd_job *world;
};

/* All at their defaults. */
void worker_config_init(struct worker_config *config);
/* SCHEDD_EINVAL: "language: …", what does not go together. */
int worker_config_check(const struct worker_config *config, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* A copy whose texts live in the arena; world gets a reference, for worker_config_clear(). */
int worker_config_copy(struct worker_config *to, const struct worker_config *from,
    struct arena *arena) __attribute__((warn_unused_result));
void worker_config_clear(struct worker_config *config);
/* The words of the languages that come with schedd, ended by NULL. */
extern const char *const worker_config_languages[];

#endif
