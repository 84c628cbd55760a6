/* SPDX-License-Identifier: MIT */
/*
 * A job is known by its origin, its line of shell and its schedule; without the
 * schedule when that was edited; by its id alone when the command was. One of a
 * timer is known by its unit's name.
 */
#include "cmd/import_origin.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strmap.h"
#include "model/job.h"

#define ORIGIN_PREFIX "crontab:"
#define ORIGIN_TIMER "systemd:"
#define ORIGIN_MAX 200 /* bytes of a path that stand in the owner */

/* A job of the daemon. */
struct origin_job {
	const char *id, *owner, *shell;
	const char *schedule;    /* "" for one that has none of five fields */
	bool used;               /* a job of this import has its id */
	struct origin_job *next; /* one more with the same key */
};

struct origin_keyed {
	const char *key;         /* owner and shell */
	struct origin_job *jobs; /* in the order of the daemon's list */
	struct origin_job **end;
};

struct origin_world {
	struct command *command;
	struct value *jobs;   /* of the import */
	struct strmap by_id;  /* of struct origin_job */
	struct strmap by_key; /* of struct origin_keyed */
	struct strmap taken;  /* ids of this import */
	bool *done;           /* by job: it has its id */
};

static const char *origin_job_id(const void *item)
{
	return ((const struct origin_job *)item)->id;
}

static const char *origin_key(const void *item)
{
	return ((const struct origin_keyed *)item)->key;
}

static const char *origin_text(const void *item)
{
	return item;
}

static bool origin_is_timer(const char *owner)
{
	return strncmp(owner, ORIGIN_TIMER, strlen(ORIGIN_TIMER)) == 0;
}

static bool origin_is_one(const char *owner)
{
	return strncmp(owner, ORIGIN_PREFIX, strlen(ORIGIN_PREFIX)) == 0 || origin_is_timer(owner);
}

/* ---- Marking ---- */

/* The owner that stands for a path: without blanks, not too long. */
static const char *origin_of(struct command *command, const char *path)
{
	char *real = strcmp(path, "-") == 0 ? NULL : realpath(path, NULL);
	const char *text = real ? real : path, *owner;
	struct strbuf out = STRBUF_EMPTY;

	strbuf_add(&out, ORIGIN_PREFIX);
	for (const char *c = text; *c; c++)
		if (*c > ' ' && *c < 0x7f && *c != '%')
			strbuf_add_char(&out, *c);
		else
			strbuf_printf(&out, "%%%02X", (unsigned char)*c);
	if (out.length > ORIGIN_MAX)
		owner = arena_printf(&command->arena, ORIGIN_PREFIX "%%%08x%s", strmap_hash(text),
		    out.data + out.length - ORIGIN_MAX / 2);
	else
		owner = arena_strdup(&command->arena, strbuf_peek(&out));
	strbuf_clear(&out);
	free(real);
	return owner;
}

/* Does the line above the one at number line, of which *at is a beginning, give an id? */
static bool origin_is_given(
    const char **at, const char *end, uint32_t *number, uint32_t line, const char *id)
{
	const char *above = NULL;
	size_t length;

	for (; *number < line && *at < end; *number += 1) {
		const char *stop = memchr(*at, '\n', (size_t)(end - *at));

		above = *at;
		*at = stop ? stop + 1 : end;
	}
	length = strlen(id);
	return above && (size_t)(end - above) > 10 + length &&
	       strncmp(above, "# schedd: ", 10) == 0 && strncmp(above + 10, id, length) == 0 &&
	       above[10 + length] == '\n';
}

int import_origin_mark(struct command *command, const char *path, const char *text, size_t length,
    struct value *jobs, uint32_t first)
{
	const char *owner = origin_of(command, path), *end = text + length;
	uint32_t number = 1;

	for (uint32_t i = first; owner && i < jobs->array.count; i++) {
		struct value *job = &jobs->array.items[i];

		if (!origin_is_given(&text, end, &number, job->line, value_get_string(job, "id")))
			value_put(&command->arena, job, "owner", value_string_ref(owner));
	}
	return owner && !arena_failed(&command->arena) ? 0 : SCHEDD_ENOMEM;
}

/* ---- What the daemon has ---- */

static const char *origin_shell_key(struct arena *arena, const char *owner, const char *shell)
{
	return arena_printf(arena, "%s\n%s", owner, shell);
}

static int origin_know_key(struct origin_world *world, struct origin_job *job)
{
	struct arena *arena = &world->command->arena;
	const char *key = origin_shell_key(arena, job->owner, job->shell);
	struct origin_keyed *keyed = key ? strmap_get(&world->by_key, key) : NULL;

	if (!keyed) {
		keyed = arena_alloc(arena, sizeof(*keyed));
		if (!keyed || !key)
			return SCHEDD_ENOMEM;
		keyed->key = key;
		keyed->end = &keyed->jobs;
		if (strmap_put(&world->by_key, keyed))
			return SCHEDD_ENOMEM;
	}
	*keyed->end = job;
	keyed->end = &job->next;
	return 0;
}

static int origin_know(struct origin_world *world, const struct value *row)
{
	const struct value *trigger = value_get(row, "trigger");
	const char *id = value_get_string(row, "id"), *owner = value_get_string(row, "owner");
	const char *shell = value_get_string(row, "shell");
	const char *schedule = value_get_string(trigger, "expr");
	struct origin_job *job = arena_alloc(&world->command->arena, sizeof(*job));

	if (!job || !id)
		return job ? 0 : SCHEDD_ENOMEM;
	if (!schedule && value_get_string(trigger, "type"))
		schedule = value_get_string(trigger, "type");
	*job = (struct origin_job){.id = id, .owner = "", .shell = "", .schedule = ""};
	if (owner && origin_is_one(owner))
		job->owner = owner;
	/* A unit makes one job, whatever it runs and when. */
	if (shell && !origin_is_timer(job->owner))
		job->shell = shell;
	if (schedule && !origin_is_timer(job->owner))
		job->schedule = schedule;
	if (strmap_put(&world->by_id, job) == SCHEDD_ENOMEM)
		return SCHEDD_ENOMEM;
	return *job->owner ? origin_know_key(world, job) : 0;
}

static int origin_ask(struct origin_world *world, struct schedd_error *err)
{
	static const char *const fields[] = {"id", "owner", "shell", "trigger"};
	struct command *command = world->command;
	struct value params = value_map(), names = value_array(), result;
	const char *next;
	int rc;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		value_append(&command->arena, &names, value_string_ref(fields[i]));
	value_put(&command->arena, &params, "fields", names);
	value_put(&command->arena, &params, "limit", value_int(10000));
	value_put(&command->arena, &params, "after", value_nil());
	do {
		const struct value *jobs;

		rc = command_call(command, "job.list", &params, &result, err);
		jobs = rc ? NULL : value_get(&result, "jobs");
		for (uint32_t i = 0; jobs && i < jobs->array.count && !rc; i++)
			if (origin_know(world, &jobs->array.items[i]))
				rc = schedd_error_nomem(err);
		next = rc ? NULL : value_get_string(&result, "next");
		params.map.members[params.map.count - 1].value = value_string_ref(next);
	} while (next);
	return rc;
}

/* ---- Which job is which ---- */

static void origin_set(struct value *job, const char *key, const char *text)
{
	/* The list is the import's own. */
	struct value_member *member = (struct value_member *)(uintptr_t)value_find(job, key);

	member->value = value_string_ref(text);
}

static const char *origin_schedule(const struct value *job)
{
	const char *schedule = value_get_string(value_get(job, "trigger"), "cron");

	if (origin_is_timer(value_get_string(job, "owner")))
		return "";
	return schedule ? schedule : "on_boot";
}

static const char *origin_shell(const struct value *job)
{
	const char *shell = value_get_string(job, "shell");

	return shell && !origin_is_timer(value_get_string(job, "owner")) ? shell : "";
}

static int origin_take(struct origin_world *world, struct value *job, const char *id)
{
	struct origin_job *known = strmap_get(&world->by_id, id);

	if (known)
		known->used = true;
	origin_set(job, "id", id);
	return strmap_put(&world->taken, (char *)(uintptr_t)id) == SCHEDD_ENOMEM ? SCHEDD_ENOMEM
										 : 0;
}

/* The daemon's job of the same origin and shell, and of the same schedule if exact. */
static struct origin_job *origin_same(
    struct origin_world *world, const struct value *job, bool exact)
{
	const char *key = origin_shell_key(
	    &world->command->arena, value_get_string(job, "owner"), origin_shell(job));
	struct origin_keyed *keyed = key ? strmap_get(&world->by_key, key) : NULL;

	while (keyed && keyed->jobs && keyed->jobs->used)
		keyed->jobs = keyed->jobs->next;
	for (struct origin_job *known = keyed ? keyed->jobs : NULL; known; known = known->next)
		if (!known->used && (!exact || strcmp(known->schedule, origin_schedule(job)) == 0))
			return known;
	return NULL;
}

static bool origin_free(struct origin_world *world, const char *id, const char *owner)
{
	const struct origin_job *known = strmap_get(&world->by_id, id);

	if (strmap_get(&world->taken, id))
		return false;
	return !known || strcmp(known->owner, owner) == 0;
}

/* An id for a job that the daemon does not know by its command. */
static int origin_choose(struct origin_world *world, struct value *job)
{
	const char *id = value_get_string(job, "id"), *owner = value_get_string(job, "owner");
	const struct origin_job *known = strmap_get(&world->by_id, id);
	bool taken = strmap_get(&world->taken, id) != NULL;
	struct arena *arena = &world->command->arena;
	const char *other = id;

	/* A job that was made by hand is in the way, as ever. */
	if (!taken && (!known || !*known->owner || strcmp(known->owner, owner) == 0))
		return origin_take(world, job, id);
	/* The very line from elsewhere, as after a move of the file, is the same job. */
	if (!taken && !origin_is_timer(owner) && strcmp(known->shell, origin_shell(job)) == 0 &&
	    strcmp(known->schedule, origin_schedule(job)) == 0) {
		origin_set(job, "owner", known->owner);
		return origin_take(world, job, id);
	}
	for (unsigned n = 1; other && !origin_free(world, other, owner); n++)
		other = n == 1 ? arena_printf(arena, "%.100s-%04x", id, strmap_hash(owner) & 0xffff)
			       : arena_printf(
				     arena, "%.100s-%04x-%u", id, strmap_hash(owner) & 0xffff, n);
	return other ? origin_take(world, job, other) : SCHEDD_ENOMEM;
}

/*
 * Several crontabs may come by standard input. This one is the first of them
 * that it has a line in common with, or a new one.
 */
static int origin_input(struct origin_world *world)
{
	struct arena *arena = &world->command->arena;
	const char *owner = ORIGIN_PREFIX "-";
	bool seen = true, common = false;

	for (unsigned n = 2; seen && !common; n++) {
		uint32_t position = 0;
		const struct origin_job *known;

		seen = false;
		while ((known = strmap_next(&world->by_id, &position)))
			seen |= strcmp(known->owner, owner) == 0;
		for (uint32_t i = 0; i < world->jobs->array.count; i++) {
			struct value *job = &world->jobs->array.items[i];
			const char *own = value_get_string(job, "owner");

			if (!own || strncmp(own, ORIGIN_PREFIX "-", strlen(ORIGIN_PREFIX) + 1) != 0)
				continue;
			origin_set(job, "owner", owner);
			common |= origin_same(world, job, false) != NULL;
		}
		if (seen && !common)
			owner = arena_printf(arena, ORIGIN_PREFIX "-%u", n);
		if (!owner)
			return SCHEDD_ENOMEM;
	}
	return 0;
}

static int origin_settle(struct origin_world *world)
{
	struct value *jobs = world->jobs;
	int rc = origin_input(world);

	for (int exact = 1; exact >= -1; exact--)
		for (uint32_t i = 0; i < jobs->array.count && !rc; i++) {
			struct value *job = &jobs->array.items[i];
			struct origin_job *known;

			if (world->done[i])
				continue;
			if (!value_get_string(job, "owner"))
				rc = origin_take(world, job, value_get_string(job, "id"));
			else if (exact < 0)
				rc = origin_choose(world, job);
			else if ((known = origin_same(world, job, exact == 1)) &&
				 !strmap_get(&world->taken, known->id))
				rc = origin_take(world, job, known->id);
			else
				continue;
			world->done[i] = true;
		}
	return rc;
}

int import_origin_settle(struct command *command, struct value *jobs, struct schedd_error *err)
{
	struct origin_world world = {.command = command, .jobs = jobs};
	bool marked = false;
	int rc = 0;

	for (uint32_t i = 0; i < jobs->array.count; i++)
		marked |= value_get_string(&jobs->array.items[i], "owner") != NULL;
	if (!marked)
		return 0;
	strmap_init(&world.by_id, origin_job_id);
	strmap_init(&world.by_key, origin_key);
	strmap_init(&world.taken, origin_text);
	world.done = arena_alloc(&command->arena, jobs->array.count * sizeof(*world.done));
	rc = world.done ? origin_ask(&world, err) : schedd_error_nomem(err);
	if (!rc && origin_settle(&world))
		rc = schedd_error_nomem(err);
	strmap_clear(&world.by_id);
	strmap_clear(&world.by_key);
	strmap_clear(&world.taken);
	return rc;
}
