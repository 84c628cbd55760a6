/* SPDX-License-Identifier: MIT */
/*
 * The environment is a job's, with the folder of schedd's workers first in
 * PYTHONPATH and what a worker must know in SCHEDD_WORKER_*.
 */
#include "executor/worker_world.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/installed.h"
#include "executor/environment.h"

#define WORLD_VARIABLES 6

struct worker_world {
	const struct executor_config *executor; /* borrowed */
	struct arena arena;                     /* holds the config's texts */
	struct worker_config config;
	struct account_cache *accounts;
	struct spawner_pool *spawners;
	char folder[PATH_MAX];
};

/* Where it was built: worker/ beside the directory of the program. */
static bool worker_world_beside(char *text)
{
	char program[PATH_MAX], probe[PATH_MAX];
	ssize_t end = readlink("/proc/self/exe", program, sizeof(program) - 1);
	int length;

	if (end <= 0)
		return false;
	program[end] = '\0';
	*strrchr(program, '/') = '\0';
	length = snprintf(probe, sizeof(probe), "%s/../worker/schedd_worker.py", program);
	if (length < 0 || (size_t)length >= sizeof(probe) || access(probe, R_OK) < 0)
		return false;
	*strrchr(probe, '/') = '\0';
	return realpath(probe, text) != NULL;
}

void worker_world_folder(char *text)
{
	const char *told = getenv("SCHEDD_WORKER_DIR");

	if (told && told[0])
		snprintf(text, PATH_MAX, "%s", told);
	else if (!worker_world_beside(text))
		installed_find(SCHEDD_WORKERS, SCHEDD_WORKER_DIR, text);
}

int worker_world_new(const struct executor_config *executor, const struct executor_config *given,
    struct worker_world **out, struct schedd_error *err)
{
	struct worker_world *world = calloc(1, sizeof(*world));
	const struct worker_config *config = given->worker;
	const struct spawner_pool_config spawners = {
	    .loop = executor->loop, .log = executor->log, .inherit = given->inherit};
	struct worker_config fallback;
	int rc;

	if (!world)
		return schedd_error_nomem(err);
	*out = world;
	arena_init(&world->arena);
	world->executor = executor;
	if (!config) {
		worker_config_init(&fallback);
		config = &fallback;
	}
	world->accounts = account_cache_new(executor->loop);
	if (worker_config_copy(&world->config, config, &world->arena) || !world->accounts)
		return schedd_error_nomem(err);
	rc = worker_config_check(&world->config, err);
	if (rc)
		return schedd_error_prefix(err, "executor '%s'", executor->name);
	worker_world_folder(world->folder);
	return spawner_pool_new(&spawners, &world->spawners, err);
}

void worker_world_free(struct worker_world *world)
{
	if (!world)
		return;
	spawner_pool_free(world->spawners);
	account_cache_free(world->accounts);
	worker_config_clear(&world->config);
	arena_clear(&world->arena);
	free(world);
}

const struct worker_config *worker_world_config(const struct worker_world *world)
{
	return &world->config;
}

const struct executor_config *worker_world_executor(const struct worker_world *world)
{
	return world->executor;
}

struct account_cache *worker_world_accounts(const struct worker_world *world)
{
	return world->accounts;
}

const char *worker_world_user(const struct worker_world *world, const char *user)
{
	return user || !world->config.world ? user : job_details(world->config.world)->user;
}

/* ---- What is executed ---- */

static const char *const *worker_world_argv(const struct worker_world *world, struct arena *arena)
{
	const char *const *given = world->config.command;
	const char **argv = arena_alloc(arena, (WORKER_COMMAND_MAX + 4) * sizeof(*argv));
	size_t count = 0;

	if (!argv)
		return NULL;
	for (; given && *given && count < WORKER_COMMAND_MAX; given++)
		argv[count++] = *given;
	if (world->config.command)
		return argv;
	if (strcmp(world->config.language, "node") == 0) {
		argv[count++] = "/usr/bin/node";
		argv[count++] = arena_printf(arena, "%s/schedd_worker.js", world->folder);
	} else {
		argv[count++] = "/usr/bin/python3";
		argv[count++] = "-m";
		argv[count++] = "schedd_worker";
	}
	return argv;
}

static char *worker_world_preload(const struct worker_world *world, struct arena *arena)
{
	struct strbuf text = STRBUF_EMPTY;
	char *copy;

	for (const char *const *name = world->config.preload; name && *name; name++)
		strbuf_printf(&text, "%s%s", text.length ? ":" : "", *name);
	copy = arena_strdup(arena, strbuf_peek(&text));
	strbuf_clear(&text);
	return copy;
}

static const char *const *worker_world_environment(
    struct worker_world *world, const struct account *account, struct arena *arena)
{
	struct schedd_job nothing = {0};
	struct job_pair items[WORLD_VARIABLES];
	struct job_pairs extra = {.items = items};
	struct task_request request = {
	    .job = world->config.world ? world->config.world : &nothing, .extra_env = &extra};
	const char *path = job_pairs_get(&job_details(request.job)->env, "PYTHONPATH");
	const struct {
		const char *name;
		char *text;
	} rows[WORLD_VARIABLES] = {
	    {"PYTHONPATH", arena_printf(arena, "%s%s%s", world->folder, path ? ":" : "",
			       path ? path : "")},
	    {"SCHEDD_WORKER_FD", arena_strdup(arena, "3")},
	    {"SCHEDD_SOCKET", world->executor->socket
				  ? arena_strdup(arena, world->executor->socket)
				  : NULL},
	    {"SCHEDD_WORKER_EXECUTOR", arena_strdup(arena, world->executor->name)},
	    {"SCHEDD_WORKER_CONCURRENCY",
		arena_printf(arena, "%u", world->config.concurrency)},
	    {"SCHEDD_WORKER_PRELOAD", worker_world_preload(world, arena)},
	};

	for (size_t i = 0; i < WORLD_VARIABLES; i++)
		if (rows[i].text)
			items[extra.count++] =
			    (struct job_pair){arena_strdup(arena, rows[i].name), rows[i].text};
	return environment_build(&request, account, NULL, arena);
}

struct spawner_wanted *worker_world_spawn(struct worker_world *world,
    const struct account *account, const int fds[3], spawner_wanted_fn done, void *context, struct schedd_error *err)
{
	struct spawner_wanted *asked = NULL;
	struct schedd_job nothing = {0};
	const struct job_details *details =
	    job_details(world->config.world ? world->config.world : &nothing);
	struct spawn how = {
	    .account = account,
	    .cwd = details->cwd,
	    .rlimits = details->rlimits,
	    .rlimit_count = details->rlimit_count,
	    .nice = details->nice,
	    .umask = details->umask,
	    /* What is in a loop hears nothing of our death. Another thread may end before us. */
	    .tied = gettid() == getpid(),
	    .fds = {[SPAWN_FD_INPUT] = -1,
		[SPAWN_FD_OUTPUT] = fds[1],
		[SPAWN_FD_ERROR] = fds[2],
		[SPAWN_FD_CGROUP] = -1,
		[SPAWN_FD_EXTRA] = fds[0]},
	};
	struct arena arena;

	arena_init(&arena);
	how.argv = worker_world_argv(world, &arena);
	how.envp = worker_world_environment(world, how.account, &arena);
	if (!how.argv || !how.envp || arena_failed(&arena))
		schedd_error_nomem(err);
	else
		asked = spawner_want(
		    world->spawners, world->executor->loop, &how, done, context, err);
	arena_clear(&arena);
	return asked;
}
