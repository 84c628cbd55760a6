/* SPDX-License-Identifier: MIT */
/* Built from the strongest to the weakest: the first to take a name keeps it. */
#include "executor/environment.h"

#include <stdlib.h>
#include <string.h>
#include "base/iso8601.h"

#define TAG_PREFIX "SCHEDD_TAG_"

struct environment {
	struct arena *arena;
	const char **items; /* room for all that could come, and a NULL */
	size_t *lengths;    /* of their names */
	size_t count;
};

static void environment_add(struct environment *env, const char *name, const char *text)
{
	size_t length = strlen(name), size = text ? strlen(text) + 1 : 0;
	char *item;

	if (!text || !name[0] || strchr(name, '='))
		return;
	for (size_t i = 0; i < env->count; i++)
		if (env->lengths[i] == length && memcmp(env->items[i], name, length) == 0)
			return;
	item = arena_alloc(env->arena, length + 1 + size);
	if (!item)
		return;
	memcpy(item, name, length);
	item[length] = '=';
	memcpy(item + length + 1, text, size);
	env->lengths[env->count] = length;
	env->items[env->count++] = item;
}

/* "NAME=VALUE" */
static void environment_add_text(struct environment *env, const char *text)
{
	const char *equals = strchr(text, '=');
	char *name = equals ? arena_strndup(env->arena, text, (size_t)(equals - text)) : NULL;

	if (name)
		environment_add(env, name, equals + 1);
}

/* "team.name" is SCHEDD_TAG_TEAM_NAME. */
static void environment_add_tag(struct environment *env, const char *tag, const char *text)
{
	char *name = arena_printf(env->arena, TAG_PREFIX "%s", tag);

	if (!name)
		return;
	for (char *c = name + strlen(TAG_PREFIX); *c; c++) {
		if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - 'a' + 'A');
		else if (!(*c >= 'A' && *c <= 'Z') && !(*c >= '0' && *c <= '9'))
			*c = '_';
	}
	environment_add(env, name, text ? text : "");
}

static void environment_add_pairs(struct environment *env, const struct job_pairs *pairs)
{
	for (uint32_t i = 0; pairs && i < pairs->count; i++)
		environment_add(env, pairs->items[i].name, pairs->items[i].text);
}

static const char *environment_time(const struct task_request *request, struct arena *arena)
{
	const struct zone *zone =
	    request->time && request->time->zone ? request->time->zone : zone_utc();
	struct strbuf text = STRBUF_EMPTY;
	char *copy;

	iso8601_format(&text, request->scheduled_at,
	    zone_offset(zone, request->scheduled_at / SCHEDD_SECOND), zone == zone_utc());
	copy = arena_strdup(arena, strbuf_peek(&text));
	strbuf_clear(&text);
	return copy;
}

static void environment_add_run(struct environment *env, const struct task_request *request)
{
	const struct job_pairs *tags = &job_details(request->job)->tags;

	/* First, so that it is found soon in /proc/PID/environ. */
	environment_add(env, "SCHEDD_INVOCATION", request->invocation);
	environment_add(env, "SCHEDD_RUN", job_id_plain(request->run_id));
	environment_add(env, "SCHEDD_SOCKET", request->socket);
	environment_add(env, "SCHEDD_JOB_ID", job_id_plain(request->job->id));
	environment_add(env, "SCHEDD_JOB_NAME", job_title(request->job));
	environment_add(env, "SCHEDD_SCHEDULED_AT", environment_time(request, env->arena));
	environment_add(env, "SCHEDD_ATTEMPT", arena_printf(env->arena, "%u", request->attempt));
	if (request->epoch)
		environment_add(env, "SCHEDD_EPOCH",
		    arena_printf(env->arena, "%llu", (unsigned long long)request->epoch));
	for (uint32_t i = 0; i < tags->count; i++)
		environment_add_tag(env, tags->items[i].name, tags->items[i].text);
}

/* TZ, where it is what schedd has its zone from; a zone of the config is none of a command's. */
static const char *environment_zone(const struct task_request *request)
{
	const char *told = getenv("TZ"), *name, *slash;
	const struct zone *zone = request->time ? request->time->zone : NULL;

	if (!told || !told[0] || !zone)
		return NULL;
	name = told + (told[0] == ':');
	slash = strstr(name, zone_name(zone));
	if (!slash || strcmp(slash, zone_name(zone)) != 0 || (slash > name && slash[-1] != '/'))
		return NULL;
	return told;
}

static void environment_add_defaults(struct environment *env, const struct task_request *request,
    const struct account *account, const char *shell)
{
	environment_add(env, "PATH", ENVIRONMENT_PATH);
	environment_add(env, "HOME", account->home);
	environment_add(env, "LOGNAME", account->name);
	/* What runs the lines, never the shell of a login, which may be none. */
	environment_add(env, "SHELL", shell ? shell : "/bin/sh");
	/* cron gives none of these. */
	if (job_is_of_table(request->job))
		return;
	environment_add(env, "USER", account->name);
	environment_add(env, "LANG", getenv("LANG"));
	environment_add(env, "TZ", environment_zone(request));
}

const char *const *environment_build(const struct task_request *request,
    const struct account *account, const struct job_pairs *files, struct arena *arena)
{
	const struct job_details *details = job_details(request->job);
	size_t most = 18 + account->env_count + (size_t)details->tags.count + details->env.count +
		      (files ? files->count : 0) +
		      (request->extra_env ? request->extra_env->count : 0);
	struct environment env = {
	    .arena = arena,
	    .items = arena_alloc(arena, most * sizeof(*env.items)),
	    .lengths = arena_alloc(arena, most * sizeof(*env.lengths)),
	};

	if (!env.items || !env.lengths)
		return NULL;
	if (request->run_id)
		environment_add_run(&env, request);
	for (uint32_t i = 0; files && i < files->count; i++) {
		char *name = arena_printf(arena, "%s_FILE", files->items[i].name);

		if (name)
			environment_add(&env, name, files->items[i].text);
	}
	environment_add_pairs(&env, request->extra_env);
	environment_add_pairs(&env, &details->env);
	environment_add_defaults(&env, request, account, details->shell_path);
	/* What PAM gives is the weakest, as under cron. */
	for (uint32_t i = 0; i < account->env_count; i++)
		environment_add_text(&env, account->env[i]);
	return arena_failed(arena) ? NULL : env.items;
}
