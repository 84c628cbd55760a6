/* SPDX-License-Identifier: MIT */
/* Defaults, and what does not go together. */
#include "executor/worker_config.h"

#include <string.h>

#define WORKER_IDLE (600 * SCHEDD_SECOND)
#define WORKER_READY_TIMEOUT (10 * SCHEDD_SECOND)

const char *const worker_config_languages[] = {"python", "node", NULL};

void worker_config_init(struct worker_config *config)
{
	*config = (struct worker_config){
	    .language = "python",
	    .processes = 4,
	    .concurrency = 1,
	    .max_calls = -1,
	    .max_rss = -1,
	    .max_age = SCHEDD_SPAN_NONE,
	    .idle = WORKER_IDLE,
	    .ready_timeout = WORKER_READY_TIMEOUT,
	};
}

static int worker_config_check_language(
    const struct worker_config *config, struct schedd_error *err)
{
	for (const char *const *word = worker_config_languages; *word; word++)
		if (config->command || strcmp(config->language, *word) == 0)
			return 0;
	return schedd_error_set(err, SCHEDD_EINVAL,
	    "language: there is no worker of schedd's own for '%.64s', only for python and node: "
	    "give the command of one",
	    config->language);
}

int worker_config_check(const struct worker_config *config, struct schedd_error *err)
{
	if (config->command && !config->command[0])
		return schedd_error_set(err, SCHEDD_EINVAL, "command: it is empty");
	if (config->processes < 1 || config->processes > WORKER_PROCESSES_MAX)
		return schedd_error_set(err, SCHEDD_EINVAL, "processes: %u is out of 1-%d",
		    config->processes, WORKER_PROCESSES_MAX);
	if (config->min > config->processes)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "min: %u is more than the %u of processes", config->min, config->processes);
	if (config->concurrency < 1 || config->concurrency > WORKER_CONCURRENCY_MAX)
		return schedd_error_set(err, SCHEDD_EINVAL, "concurrency: %u is out of 1-%d",
		    config->concurrency, WORKER_CONCURRENCY_MAX);
	for (const char *const *name = config->preload; name && *name; name++)
		if (!(*name)[0] || strchr(*name, ':'))
			return schedd_error_set(err, SCHEDD_EINVAL,
			    "preload: '%.64s' is no name of a module", *name);
	return worker_config_check_language(config, err);
}

static const char *const *worker_config_texts(const char *const *from, struct arena *arena)
{
	const char **copy;
	size_t count = 0;

	if (!from)
		return NULL;
	while (from[count])
		count++;
	copy = arena_alloc(arena, (count + 1) * sizeof(*copy));
	for (size_t i = 0; copy && i < count; i++)
		copy[i] = arena_strdup(arena, from[i]);
	return copy;
}

int worker_config_copy(
    struct worker_config *to, const struct worker_config *from, struct arena *arena)
{
	*to = *from;
	to->language = arena_strdup(arena, from->language);
	to->command = worker_config_texts(from->command, arena);
	to->preload = worker_config_texts(from->preload, arena);
	if (to->world)
		job_ref(to->world);
	return arena_failed(arena) ? SCHEDD_ENOMEM : 0;
}

void worker_config_clear(struct worker_config *config)
{
	job_unref(config->world);
	config->world = NULL;
}
