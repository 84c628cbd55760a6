/* SPDX-License-Identifier: MIT */
/*
 * The shape of a job file and the merging of its defaults. A job is first read
 * as a whole, as the daemon will; only when that fails is it read field by
 * field to find every place that is wrong.
 */
#include "jobfile/jobfile.h"

#include <stdlib.h>
#include <string.h>
#include "base/suggest.h"
#include "jobfile/jobfile_check.h"
#include "jobfile/jobfile_type.h"
#include "jobfile/json_read.h"
#include "jobfile/yaml_read.h"
#include "jobfile/yaml_scalar.h"

/* Where a job stands, for the message about a second one. */
struct jobfile_place {
	const char *id;
	const char *file;
	uint32_t line;
};

static const char *jobfile_place_key(const void *item)
{
	return ((const struct jobfile_place *)item)->id;
}

void jobfile_init(struct jobfile *set)
{
	memset(set, 0, sizeof(*set));
	arena_init(&set->arena);
	arena_init(&set->placed);
	set->jobs = value_array();
	strmap_init(&set->places, jobfile_place_key);
}

void jobfile_clear(struct jobfile *set)
{
	strmap_clear(&set->places);
	arena_clear(&set->placed);
	arena_clear(&set->arena);
	jobfile_init(set);
}

void jobfile_free_jobs(struct jobfile *set)
{
	set->jobs = value_array();
	set->owner = NULL;
	arena_clear(&set->arena);
}

const char *jobfile_place(const struct jobfile *set, const char *id, uint32_t *line)
{
	const struct jobfile_place *place = strmap_get(&set->places, id);

	*line = place ? place->line : 0;
	return place ? place->file : NULL;
}

/* ---- One job ---- */

/* Maps of both are joined, the job's members first in rank; anything else is replaced. */
static struct value jobfile_join(
    struct arena *arena, const struct value *fallback, const struct value *own)
{
	struct value joined = value_map();

	if (own->type != VALUE_MAP || fallback->type != VALUE_MAP)
		return *own;
	joined.line = own->line;
	joined.column = own->column;
	for (uint32_t i = 0; i < fallback->map.count; i++) {
		const struct value_member *member = &fallback->map.members[i];

		if (!value_find(own, member->key))
			value_put(arena, &joined, member->key, member->value);
	}
	for (uint32_t i = 0; i < own->map.count; i++)
		value_put(arena, &joined, own->map.members[i].key, own->map.members[i].value);
	return joined;
}

static void jobfile_put(
    struct arena *arena, struct value *map, const struct value_member *member, struct value value)
{
	if (value_put(arena, map, member->key, value)) {
		struct value_member *slot = &map->map.members[map->map.count - 1];

		slot->line = member->line;
		slot->column = member->column;
	}
}

static bool jobfile_has_action(const struct value *map)
{
	static const char *const names[] = {"command", "shell", "call", "http"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (value_find(map, names[i]))
			return true;
	return false;
}

/* Without defaults the job's own fields stay where they are, if there is room for the id. */
static bool jobfile_put_id(const struct jobfile_reader *reader, struct value_member *job)
{
	struct value *own = &job->value;
	struct value_member *members = own->type == VALUE_MAP ? own->map.members : NULL;

	if (reader->defaults.type == VALUE_MAP || !members || own->map.count >= own->map.capacity)
		return false;
	memmove(members + 1, members, own->map.count++ * sizeof(members[0]));
	members[0] = (struct value_member){.key = "id", .value = value_string_ref(job->key)};
	own->line = job->line;
	own->column = job->column;
	return true;
}

/* id, then what defaults have and the job has not, then the job's own fields. */
static struct value jobfile_merge(struct jobfile_reader *reader, const struct value_member *job)
{
	const struct value *own = &job->value, *defaults = &reader->defaults;
	struct arena *arena = &reader->set->arena;
	bool own_action = jobfile_has_action(own);
	struct value map = value_map();

	value_reserve(arena, &map,
	    1 + (own->type == VALUE_MAP ? own->map.count : 0) +
		(defaults->type == VALUE_MAP ? defaults->map.count : 0));
	map.line = job->line;
	map.column = job->column;
	value_put(arena, &map, "id", value_string_ref(job->key));
	for (uint32_t i = 0; defaults->type == VALUE_MAP && i < defaults->map.count; i++) {
		const struct value_member *member = &defaults->map.members[i];
		const struct job_field *field = job_fields_find(member->key);

		if (!value_find(own, member->key) &&
		    !(own_action && jobfile_check_is_action(field)))
			jobfile_put(arena, &map, member, member->value);
	}
	for (uint32_t i = 0; own->type == VALUE_MAP && i < own->map.count; i++) {
		const struct value_member *member = &own->map.members[i];
		const struct job_field *field = job_fields_find(member->key);
		const struct value *fallback = value_get(defaults, member->key);
		bool joins = fallback && field && field->type == JOB_FIELD_PAIRS;

		jobfile_put(arena, &map, member,
		    joins ? jobfile_join(arena, fallback, &member->value) : member->value);
	}
	return map;
}

/* false: it was reported. */
static bool jobfile_note_place(struct jobfile_reader *reader, const struct value_member *job)
{
	struct jobfile *set = reader->set;
	const struct jobfile_place *first = strmap_get(&set->places, job->key);
	struct jobfile_place *place;

	if (first) {
		jobfile_check_add(reader, job->line, job->column,
		    "job '%s' stands in %s, line %u, already", job->key, first->file, first->line);
		return false;
	}
	place = arena_alloc(&set->placed, sizeof(*place));
	if (place)
		*place = (struct jobfile_place){.id = arena_strdup(&set->placed, job->key),
		    .file = reader->file,
		    .line = job->line};
	if (arena_failed(&set->placed) || strmap_put(&set->places, place))
		set->arena.failed = true;
	return true;
}

static void jobfile_read_job(struct jobfile_reader *reader, struct value_member *job)
{
	struct value map;
	bool known;

	if (!job_id_valid(job->key)) {
		jobfile_check_add(reader, job->line, job->column,
		    "jobs: id '%.140s' is not of the form [A-Za-z0-9_][A-Za-z0-9._-]{0,127}",
		    job->key);
		return;
	}
	if (yaml_scalar_is_null(&job->value))
		job->value = value_map();
	if (job->value.type != VALUE_MAP) {
		jobfile_check_add(reader, job->value.line, job->value.column,
		    "jobs.%s: %s is not a map of a job's fields", job->key,
		    value_type_name(job->value.type));
		return;
	}
	if (!jobfile_note_place(reader, job))
		return;
	known = jobfile_check_keys(reader, job->key, &job->value);
	map = jobfile_put_id(reader, job) ? job->value : jobfile_merge(reader, job);
	if (!known)
		jobfile_check_fields(reader, job, &map);
	else if (jobfile_check_job(reader, job, &map))
		value_append(&reader->set->arena, &reader->set->jobs, map);
}

/* ---- The members at the top ---- */

static void jobfile_read_version(struct jobfile_reader *reader, struct value_member *member)
{
	struct value version = yaml_scalar_core(&member->value);

	if (version.type != VALUE_INT || version.integer != 1)
		jobfile_check_add(reader, version.line, version.column,
		    "version: this program reads version 1, write 'version: 1'");
}

static void jobfile_read_owner(struct jobfile_reader *reader, struct value_member *member)
{
	struct value *owner = &member->value;
	struct jobfile *set = reader->set;

	if (yaml_scalar_is_null(owner))
		return;
	if (owner->type != VALUE_STRING || strlen(owner->string.text) != owner->string.length ||
	    !job_alias_valid(owner->string.text))
		jobfile_check_add(reader, owner->line, owner->column,
		    "owner: it is not of the form [A-Za-z0-9_][A-Za-z0-9._-]{0,127}");
	else if (set->owner && strcmp(set->owner, owner->string.text) != 0)
		jobfile_check_add(reader, owner->line, owner->column,
		    "owner: '%s' differs from '%s' in a file before, apply them one by one",
		    owner->string.text, set->owner);
	else
		set->owner = arena_strdup(&set->arena, owner->string.text);
}

static void jobfile_read_defaults(struct jobfile_reader *reader, struct value_member *member)
{
	if (yaml_scalar_is_null(&member->value))
		return;
	if (member->value.type != VALUE_MAP) {
		jobfile_check_add(reader, member->value.line, member->value.column,
		    "defaults: %s is not a map of a job's fields",
		    value_type_name(member->value.type));
		return;
	}
	if (jobfile_check_keys(reader, NULL, &member->value) &&
	    jobfile_check_defaults(reader, &member->value))
		reader->defaults = member->value;
}

static void jobfile_read_jobs(struct jobfile_reader *reader, struct value_member *member)
{
	struct value *jobs = &member->value;

	if (yaml_scalar_is_null(jobs))
		return;
	if (jobs->type != VALUE_MAP) {
		jobfile_check_add(reader, jobs->line, jobs->column,
		    "jobs: %s is not a map from id to fields, write 'jobs: {ID: {…}}'",
		    value_type_name(jobs->type));
		return;
	}
	value_reserve(&reader->set->arena, &reader->set->jobs, jobs->map.count);
	for (uint32_t i = 0; i < jobs->map.count && !diagnostics_full(reader->diagnostics); i++)
		jobfile_read_job(reader, &jobs->map.members[i]);
}

/* In the order in which they are looked at, wherever they stand. */
static const struct {
	const char *name;
	void (*read)(struct jobfile_reader *reader, struct value_member *member);
	const char *missing; /* NULL: it may be left out */
} jobfile_members[] = {
    {"version", jobfile_read_version, "version is missing, begin with 'version: 1'"},
    {"owner", jobfile_read_owner, NULL},
    {"defaults", jobfile_read_defaults, NULL},
    {"jobs", jobfile_read_jobs, "jobs is missing, write 'jobs:' and a map from id to fields"},
};

#define MEMBER_COUNT (sizeof(jobfile_members) / sizeof(jobfile_members[0]))

static void jobfile_check_unknown(struct jobfile_reader *reader, const struct value_member *member)
{
	struct suggest suggest;
	const char *close;

	suggest_init(&suggest, member->key);
	for (size_t i = 0; i < MEMBER_COUNT; i++) {
		if (strcmp(jobfile_members[i].name, member->key) == 0)
			return;
		suggest_offer(&suggest, jobfile_members[i].name);
	}
	close = suggest_result(&suggest);
	if (close)
		jobfile_check_add(reader, member->line, member->column,
		    "'%.100s' does not stand at the top of a job file, did you mean '%s'?",
		    member->key, close);
	else
		jobfile_check_add(reader, member->line, member->column,
		    "'%.100s' does not stand at the top of a job file%s", member->key,
		    job_fields_find(member->key) ? ": fields belong to a job under 'jobs:'" : "");
}

static void jobfile_read_top(struct jobfile_reader *reader, struct value *top)
{
	if (yaml_scalar_is_null(top)) {
		jobfile_check_add(reader, 0, 0, "the file is empty, it begins with 'version: 1'");
		return;
	}
	if (top->type != VALUE_MAP) {
		jobfile_check_add(reader, top->line, top->column,
		    "%s is no job file, it begins with 'version: 1'", value_type_name(top->type));
		return;
	}
	for (uint32_t i = 0; i < top->map.count; i++)
		jobfile_check_unknown(reader, &top->map.members[i]);
	for (size_t i = 0; i < MEMBER_COUNT; i++) {
		/* The tree is ours: reading gives its plain scalars their types. */
		struct value_member *member =
		    (struct value_member *)(uintptr_t)value_find(top, jobfile_members[i].name);

		if (member)
			jobfile_members[i].read(reader, member);
		else if (jobfile_members[i].missing)
			jobfile_check_add(reader, 0, 0, "%s", jobfile_members[i].missing);
	}
}

/* {" is how JSON begins, and YAML hardly ever. */
static bool jobfile_is_json(const char *file, const char *text, size_t length)
{
	size_t name = strlen(file), i = 0;

	if (name > 5 && strcmp(file + name - 5, ".json") == 0)
		return true;
	while (i < length && strchr(" \t\r\n", text[i]) && text[i])
		i++;
	if (i >= length || text[i++] != '{')
		return false;
	while (i < length && strchr(" \t\r\n", text[i]) && text[i])
		i++;
	return i < length && (text[i] == '"' || text[i] == '}');
}

int jobfile_read(struct jobfile *set, const char *file, const char *text, size_t length,
    const struct trigger_context *context, struct diagnostics *diagnostics)
{
	uint32_t before = diagnostics->count + diagnostics->dropped;
	struct jobfile_reader reader = {.set = set,
	    .file = arena_strdup(&set->placed, file),
	    .context = context,
	    .diagnostics = diagnostics};
	struct value top;
	int rc;

	if (!reader.file)
		return SCHEDD_ENOMEM;
	/* A byte order mark is no part of the text. */
	if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		length -= 3;
	}
	if (jobfile_is_json(file, text, length))
		rc = json_read(file, text, length, &set->arena, &top, diagnostics);
	else
		rc = yaml_read(file, text, length, &set->arena, &top, diagnostics);
	if (rc == SCHEDD_ENOMEM)
		return rc;
	if (!rc)
		jobfile_read_top(&reader, &top);
	set->files++;
	diagnostics_sort(diagnostics);
	if (arena_failed(&set->arena))
		return SCHEDD_ENOMEM;
	return diagnostics->count + diagnostics->dropped > before ? SCHEDD_EFILE : 0;
}
