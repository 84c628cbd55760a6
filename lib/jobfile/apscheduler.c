/* SPDX-License-Identifier: MIT */
/* A job's members one by one by rows; what nothing stands for here is said in a note. */
#include "jobfile/apscheduler.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "jobfile/apscheduler_command.h"
#include "jobfile/apscheduler_time.h"
#include "jobfile/apscheduler_trigger.h"
#include "jobfile/import_job.h"
#include "jobfile/json_read.h"
#include "jobfile/pickle_read.h"
#include "model/job.h"
#include "trigger/when.h"

/* One job on its way. */
struct apscheduler_job {
	struct import_job *import;
	const struct value *theirs; /* a map */
	struct value ours;
	const char *title; /* its id, for reports */
	struct schedd_error err;
};

static void apscheduler_note(struct apscheduler_job *job, const char *words, const char *what)
{
	diagnostics_add(job->import->notes, job->import->file, job->theirs->line, 0, "%s: %s%s%s",
	    job->title, what ? what : "", what ? ": " : "", words);
}

static int apscheduler_put(struct apscheduler_job *job, const char *key, struct value value)
{
	return value_put(job->import->arena, &job->ours, key, value) ? 0 : SCHEDD_ENOMEM;
}

/* ---- What it does ---- */

static const struct value apscheduler_nothing = {.type = VALUE_NIL};

/* Positional argument i, or nil. */
static const struct value *apscheduler_arg(const struct apscheduler_job *job, uint32_t i)
{
	const struct value *args = value_get(job->theirs, "args");

	return args && args->type == VALUE_ARRAY && i < args->array.count ? &args->array.items[i]
									  : &apscheduler_nothing;
}

/* Is there an object of Python's in it, which only Python could make again? */
static bool apscheduler_has_object(const struct value *value)
{
	if (!value)
		return false;
	if (value_find(value, "__apscheduler_pickle__") ||
	    value_find(value, "__apscheduler_class__"))
		return true;
	for (uint32_t i = 0; value->type == VALUE_ARRAY && i < value->array.count; i++)
		if (apscheduler_has_object(&value->array.items[i]))
			return true;
	for (uint32_t i = 0; value->type == VALUE_MAP && i < value->map.count; i++)
		if (apscheduler_has_object(&value->map.members[i].value))
			return true;
	return false;
}

/* What keyword arguments of subprocess have a field here. */
static int apscheduler_process_options(struct apscheduler_job *job)
{
	static const char *const same[] = {"cwd", "env", "timeout", NULL};
	const struct value *options = value_get(job->theirs, "kwargs");
	int rc = 0;

	for (uint32_t i = 0; options && options->type == VALUE_MAP && i < options->map.count && !rc;
	     i++) {
		const struct value_member *option = &options->map.members[i];
		const char *const *name = same;

		while (*name && strcmp(*name, option->key) != 0)
			name++;
		if (*name && option->value.type != VALUE_NIL)
			rc = apscheduler_put(job, *name, option->value);
		else if (!*name && strcmp(option->key, "check") != 0 &&
			 strcmp(option->key, "shell") != 0)
			apscheduler_note(job, "nothing stands for it here", option->key);
	}
	return rc;
}

static int apscheduler_process(struct apscheduler_job *job)
{
	const struct value *what = apscheduler_arg(job, 0);
	bool shell = value_get_bool(value_get(job->theirs, "kwargs"), "shell", false);
	struct value argv = value_array();
	int rc = apscheduler_process_options(job);

	if (rc)
		return rc;
	if (what->type == VALUE_ARRAY)
		return apscheduler_put(job, "command", *what);
	if (shell)
		return apscheduler_put(job, "shell", *what);
	if (!value_append(job->import->arena, &argv, *what))
		return SCHEDD_ENOMEM;
	return apscheduler_put(job, "command", argv);
}

static int apscheduler_system(struct apscheduler_job *job)
{
	return apscheduler_put(job, "shell", *apscheduler_arg(job, 0));
}

static int apscheduler_function(struct apscheduler_job *job)
{
	struct value argv = apscheduler_command_make(job->import->arena,
	    value_get_string(job->theirs, "func"), value_get(job->theirs, "args"),
	    value_get(job->theirs, "kwargs"));

	apscheduler_note(
	    job, "python3 calls it: set cwd or PYTHONPATH so that its module is found", NULL);
	return apscheduler_put(job, "command", argv);
}

/* By this a program that comes over with schedd.py knows it as one of its jobs. */
static int apscheduler_tag(struct apscheduler_job *job)
{
	const char *alias = value_get_string(job->theirs, "jobstore");
	struct value tags = value_map();

	value_put(job->import->arena, &tags, "apscheduler",
	    value_string_ref(alias && job_id_valid(alias) ? alias : "default"));
	return apscheduler_put(job, "tags", tags);
}

/* What a worker is to call. */
static int apscheduler_call(struct apscheduler_job *job, const char *func)
{
	static const char *const members[] = {"args", "kwargs"};
	struct arena *arena = job->import->arena;
	struct value call = value_map();

	value_put(arena, &call, "function", value_string_ref(func));
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		const struct value *value = value_get(job->theirs, members[i]);

		if (value && (value->type == VALUE_ARRAY ? value->array.count > 0
							 : value->type == VALUE_MAP &&
							       value->map.count > 0))
			value_put(arena, &call, members[i], *value);
	}
	return apscheduler_put(job, "call", call) ? SCHEDD_ENOMEM : apscheduler_tag(job);
}

/* The class of an object that a pickle has in the arguments, "bytes" for bytes; NULL: none. */
static const char *apscheduler_foreign(const struct value *value)
{
	const char *found = NULL;

	if (!value)
		return NULL;
	if (value->plain)
		return value->type == VALUE_STRING ? "bytes" : value_get_string(value, "class");
	if (value->type == VALUE_REAL && !isfinite(value->real))
		return "float";
	for (uint32_t i = 0; !found && value->type == VALUE_ARRAY && i < value->array.count; i++)
		found = apscheduler_foreign(&value->array.items[i]);
	for (uint32_t i = 0; !found && value->type == VALUE_MAP && i < value->map.count; i++)
		found = apscheduler_foreign(&value->map.members[i].value);
	return found;
}

static int apscheduler_check_arguments(
    const struct apscheduler_job *job, struct schedd_error *err)
{
	const struct value *args = value_get(job->theirs, "args");
	const struct value *kwargs = value_get(job->theirs, "kwargs");
	const char *foreign = apscheduler_foreign(args);
	bool first = args && args->type == VALUE_ARRAY && args->array.count > 0 &&
		     args->array.items[0].plain && args->array.items[0].type == VALUE_MAP;

	if (apscheduler_has_object(args) || apscheduler_has_object(kwargs))
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "its arguments are objects that only Python can make");
	if (!foreign)
		foreign = apscheduler_foreign(kwargs);
	if (!foreign)
		return 0;
	first = first && strncmp(foreign, "datetime.", 9) != 0 && strncmp(foreign, "builtins.", 9) != 0;
	return schedd_error_set(err, SCHEDD_EINVAL,
	    "%s among its arguments, which JSON cannot say%s", foreign,
	    first ? "; is it a method of an object?" : "");
}

/* Is the module, or the package that it is in, beside the program? Then nobody else would find it. */
static bool apscheduler_is_beside(const struct import_job *import, const char *func, int folder)
{
	const char *path = arena_printf(import->arena, "%.*s%.*s", folder, import->program,
	    (int)strcspn(func, ".:"), func);
	const char *file = path ? arena_printf(import->arena, "%s.py", path) : NULL;
	const char *package = path ? arena_printf(import->arena, "%s/__init__.py", path) : NULL;

	return (file && access(file, F_OK) == 0) || (package && access(package, F_OK) == 0);
}

/*
 * A function of the program's own file is known by no module's name, one of a
 * module beside it only with the folder. NULL: it cannot be called from elsewhere.
 */
static const char *apscheduler_find(
    const struct apscheduler_job *job, const char *func, struct schedd_error *err)
{
	const struct import_job *import = job->import;
	bool own = strncmp(func, "__main__:", 9) == 0 || strncmp(func, "__mp_main__:", 12) == 0;
	int folder = import->calls && import->program
			 ? (int)(strrchr(import->program, '/') + 1 - import->program)
			 : 0;

	if (own && folder)
		return arena_printf(import->arena, "%s%s", import->program, strchr(func, ':'));
	if (own) {
		schedd_error_set(err, SCHEDD_EINVAL,
		    "its function, %.100s, is in the program that added it: %s", func,
		    import->calls ? "the file of that is to be named (schedctl: --program)"
				  : "only from a module can it be called");
		return NULL;
	}
	if (folder && !strchr(func, '/') && apscheduler_is_beside(import, func, folder))
		return arena_printf(import->arena, "%.*s%s", folder, import->program, func);
	return func;
}

static int apscheduler_action(struct apscheduler_job *job, struct schedd_error *err)
{
	static const struct {
		const char *func;
		int (*put)(struct apscheduler_job *job);
	} rows[] = {
	    {"os:system", apscheduler_system},
	    {"os:popen", apscheduler_system},
	    {"subprocess:run", apscheduler_process},
	    {"subprocess:call", apscheduler_process},
	    {"subprocess:check_call", apscheduler_process},
	    {"subprocess:check_output", apscheduler_process},
	    {"subprocess:Popen", apscheduler_process},
	};
	const char *func = value_get_string(job->theirs, "func");
	int rc;

	if (!func || !strchr(func, ':'))
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "func is not of the form 'module:function'");
	rc = apscheduler_check_arguments(job, err);
	if (rc)
		return rc;
	func = apscheduler_find(job, func, err);
	if (!func)
		return SCHEDD_EINVAL;
	if (job->import->calls)
		return apscheduler_call(job, func);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(func, rows[i].func) == 0)
			return rows[i].put(job);
	return apscheduler_function(job);
}

/* ---- Its other members ---- */

static bool apscheduler_has_trigger(const struct apscheduler_job *job)
{
	const struct value *trigger = value_get(job->theirs, "trigger");

	return trigger && trigger->type != VALUE_NIL;
}

static int apscheduler_same(struct apscheduler_job *job, const struct value_member *member)
{
	return member->value.type == VALUE_NIL ? 0
					       : apscheduler_put(job, member->key, member->value);
}

static int apscheduler_done(struct apscheduler_job *job, const struct value_member *member)
{
	(void)job;
	(void)member;
	return 0;
}

static int apscheduler_name(struct apscheduler_job *job, const struct value_member *member)
{
	const char *func = value_get_string(job->theirs, "func");
	const char *colon = func ? strchr(func, ':') : NULL;

	/* By default a job is called like its function, or its id. */
	if ((colon && value_is_text(&member->value, colon + 1)) ||
	    value_equal(&member->value, value_get(job->theirs, "id")))
		return 0;
	return apscheduler_same(job, member);
}

static int apscheduler_coalesce(struct apscheduler_job *job, const struct value_member *member)
{
	if (member->value.type != VALUE_BOOL)
		return 0;
	return apscheduler_put(
	    job, "coalesce", value_string_ref(member->value.boolean ? "latest" : "all"));
}

/* When it runs next; null: it is paused. What is past is planned anew. */
static int apscheduler_next(struct apscheduler_job *job, const struct value_member *member)
{
	const struct trigger_context *context = job->import->context;
	const struct when_context when = {
	    .zones = context->zones, .zone = context->zone, .now = context->now};
	struct value moment;
	schedd_time next;
	int rc;

	if (member->value.type == VALUE_NIL)
		return apscheduler_put(job, "paused", value_bool(true));
	rc = apscheduler_time_moment(&member->value, job->import->arena, &moment, &job->err);
	if (!rc)
		rc = when_from_value(&moment, &when, &next, &job->err);
	if (rc)
		return schedd_error_prefix(&job->err, "next_run_time");
	/* Without a trigger it is the date itself. */
	if (!apscheduler_has_trigger(job))
		return 0;
	/* A store says where its scheduler stopped: what is due since is its grace time's affair. */
	if (next <= context->now && !job->import->calls) {
		apscheduler_note(job, "it is past, the trigger plans anew", member->key);
		return 0;
	}
	return apscheduler_put(job, member->key, value_int(next));
}

/* Kept here; whoever imports knows whether there is one of that name. */
static int apscheduler_alias(struct apscheduler_job *job, const struct value_member *member)
{
	bool executor = strcmp(member->key, "executor") == 0;

	if (member->value.type != VALUE_STRING && member->value.type != VALUE_NIL) {
		apscheduler_note(job, "not a name, left out: the default serves", member->key);
		return 0;
	}
	if (member->value.type != VALUE_STRING ||
	    (value_is_text(&member->value, "default") && !(executor && job->import->calls)))
		return 0;
	if (!job_id_valid(member->value.string.text)) {
		apscheduler_note(job, "left out, the default serves", member->key);
		return 0;
	}
	return apscheduler_put(job, executor ? "executor" : "store", member->value);
}

static const struct {
	const char *name;
	int (*put)(struct apscheduler_job *job, const struct value_member *member);
} apscheduler_members[] = {
    {"id", apscheduler_done},
    {"version", apscheduler_done},
    {"func", apscheduler_done},
    {"args", apscheduler_done},
    {"kwargs", apscheduler_done},
    {"trigger", apscheduler_done},
    {"trigger_args", apscheduler_done},
    {"replace_existing", apscheduler_done},
    {"name", apscheduler_name},
    {"misfire_grace_time", apscheduler_same},
    {"max_instances", apscheduler_same},
    {"coalesce", apscheduler_coalesce},
    {"next_run_time", apscheduler_next},
    {"executor", apscheduler_alias},
    {"jobstore", apscheduler_alias},
};

static int apscheduler_rest(struct apscheduler_job *job)
{
	const size_t count = sizeof(apscheduler_members) / sizeof(apscheduler_members[0]);
	int rc = 0;

	for (uint32_t i = 0; i < job->theirs->map.count && !rc; i++) {
		const struct value_member *member = &job->theirs->map.members[i];
		size_t row = 0;

		while (row < count && strcmp(apscheduler_members[row].name, member->key) != 0)
			row++;
		if (row < count)
			rc = apscheduler_members[row].put(job, member);
		else if (!apscheduler_trigger_is_arg(member->key))
			apscheduler_note(job, "nothing stands for it here", member->key);
	}
	return rc;
}

/* add_job() with a time and no trigger runs once, then. */
static int apscheduler_once(
    struct apscheduler_job *job, struct value *out, struct schedd_error *err)
{
	const struct value *next = value_get(job->theirs, "next_run_time");
	struct value moment;
	int rc;

	if (apscheduler_has_trigger(job) || !next || next->type == VALUE_NIL)
		return schedd_error_set(err, SCHEDD_EINVAL, "it has no trigger");
	rc = apscheduler_time_moment(next, job->import->arena, &moment, err);
	*out = value_map();
	if (!rc)
		value_put(job->import->arena, out, "at", moment);
	return rc;
}

/* A trigger's state, {"type": "cron", …}, or its alias; its arguments beside it or in a map. */
static int apscheduler_trigger(struct apscheduler_job *job, struct schedd_error *err)
{
	const struct value *trigger = value_get(job->theirs, "trigger");
	struct arena *arena = job->import->arena;
	const struct value *apart = value_get(job->theirs, "trigger_args");
	const struct value *args = apart && apart->type == VALUE_MAP ? apart : job->theirs;
	const char *alias = NULL;
	struct value made;
	int rc;

	if (trigger && trigger->type == VALUE_STRING)
		alias = trigger->string.text;
	else if (trigger && trigger->type == VALUE_MAP) {
		alias = value_get_string(trigger, "type");
		args = trigger;
	}
	if (alias)
		rc = apscheduler_trigger_from_args(alias, args, arena, &made, err);
	else if (trigger && trigger->type == VALUE_MAP)
		rc = apscheduler_trigger_from_state(trigger, arena, &made, err);
	else
		rc = apscheduler_once(job, &made, err);
	return rc ? rc : apscheduler_put(job, "trigger", made);
}

/* ---- The list ---- */

static int apscheduler_job(struct import_job *import, const struct value *theirs)
{
	struct apscheduler_job job = {.import = import, .theirs = theirs, .ours = value_map()};
	const char *id;
	int rc;

	job.title = value_get_string(theirs, "id");
	id = import_job_id(import, job.title ? job.title : "job");
	if (!id)
		return SCHEDD_ENOMEM;
	if (job.title && strcmp(id, job.title) != 0)
		diagnostics_add(import->notes, import->file, theirs->line, 0,
		    "'%.100s' gets the id %s", job.title, id);
	job.title = id;
	rc = apscheduler_put(&job, "id", value_string_ref(id));
	if (!rc)
		rc = apscheduler_action(&job, &job.err);
	if (!rc)
		rc = apscheduler_trigger(&job, &job.err);
	if (!rc)
		rc = apscheduler_rest(&job);
	if (rc == SCHEDD_EINVAL) {
		diagnostics_add(
		    import->skipped, import->file, theirs->line, 0, "%s: %s", id, job.err.message);
		return 0;
	}
	return rc ? rc : import_job_add(import, theirs->line, id, &job.ours);
}

static int apscheduler_list(struct import_job *import, const char *text, size_t length)
{
	struct diagnostics *skipped = import->skipped;
	uint32_t before = skipped->count + skipped->dropped;
	const struct value *list;
	struct value top;
	int rc = json_read(import->file, text, length, import->arena, &top, skipped);

	if (rc)
		return rc;
	list = top.type == VALUE_ARRAY ? &top : value_get(&top, "jobs");
	if (!list)
		list = value_get(&top, "JOBS");
	if (!list || list->type != VALUE_ARRAY) {
		diagnostics_add(skipped, import->file, top.line, top.column,
		    "it is neither what export_jobs() writes nor a list of jobs");
		return SCHEDD_EFILE;
	}
	for (uint32_t i = 0; i < list->array.count && !rc; i++) {
		const struct value *job = &list->array.items[i];

		if (job->type == VALUE_MAP)
			rc = apscheduler_job(import, job);
		else
			diagnostics_add(skipped, import->file, job->line, job->column,
			    "%s is not a job", value_type_name(job->type));
	}
	if (rc || arena_failed(import->arena))
		return SCHEDD_ENOMEM;
	return skipped->count + skipped->dropped > before ? SCHEDD_EFILE : 0;
}

int apscheduler_read(const char *file, const char *text, size_t length,
    const struct trigger_context *context, struct arena *arena, struct value *jobs,
    struct diagnostics *skipped, struct diagnostics *notes)
{
	struct import_job import = {.file = file,
	    .context = context,
	    .arena = arena,
	    .jobs = jobs,
	    .skipped = skipped,
	    .notes = notes};

	return apscheduler_list(&import, text, length);
}

int apscheduler_read_calls(struct import_job *import, const char *text, size_t length)
{
	import->calls = true;
	return apscheduler_list(import, text, length);
}

/* ---- Stores ---- */

/* "apscheduler.triggers.cron.CronTrigger" as export_jobs() writes it, with a colon. */
static struct value apscheduler_trigger_form(const struct value *object, struct arena *arena)
{
	const char *name = value_get_string(object, "class");
	const struct value *state = value_get(object, "state");
	char *copy = name ? arena_strdup(arena, name) : NULL, *dot = copy ? strrchr(copy, '.') : NULL;
	struct value map = value_map();

	if (dot)
		*dot = ':';
	value_put(arena, &map, "__apscheduler_class__", value_string_ref(copy));
	value_put(arena, &map, "__apscheduler_state__", state ? *state : value_nil());
	return map;
}

int apscheduler_read_stored(
    struct import_job *import, const char *id, const void *pickle, size_t length)
{
	struct arena *arena = import->arena;
	struct value state, theirs = value_map();
	struct schedd_error err;
	int rc = pickle_read_bytes(pickle, length, arena, &state, &err);

	if (rc == SCHEDD_ENOMEM)
		return rc;
	import->calls = true;
	/* ZooKeeper's has the next run time beside it. */
	if (!rc && state.type == VALUE_MAP && !state.plain && value_get(&state, "job_state"))
		state = *value_get(&state, "job_state");
	if (rc || state.type != VALUE_MAP || state.plain) {
		diagnostics_add(import->skipped, import->file, 0, 0, "%.100s: %s", id,
		    rc ? err.message : "its state is no state of a job");
		return 0;
	}
	for (uint32_t i = 0; i < state.map.count; i++) {
		const struct value_member *member = &state.map.members[i];

		value_put(arena, &theirs, member->key,
		    strcmp(member->key, "trigger") == 0
			? apscheduler_trigger_form(&member->value, arena)
			: member->value);
	}
	return arena_failed(arena) ? SCHEDD_ENOMEM : apscheduler_job(import, &theirs);
}
