/* SPDX-License-Identifier: MIT */
/* The parts of a large set are cut by their size on the wire, well below the daemon's limit. */
#include "cmd/job_set.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "cmd/out.h"
#include "cmd/say.h"
#include "model/job.h"

#define SET_PART_BYTES ((size_t)1 << 20)

const struct option option_files[] = {
    {.name = "file",
	.letter = 'f',
	.value = "FILE|DIR|-",
	.section = "Job files",
	.repeat = true,
	.complete = COMPLETE_FILE,
	.doc = "read jobs from a file, all files of a directory, or standard input"},
    {0},
};

/* ---- Reading ---- */

static void set_diagnose_json(
    const struct diagnostics *list, const struct schedd_error *err, int status)
{
	struct strbuf line = STRBUF_EMPTY;

	strbuf_printf(&line, "{\"error\":{\"code\":\"%s\",\"message\":",
	    status == EXIT_INVALID_FILE ? "invalid_file" : "failed");
	json_write_string(&line, err->message, strlen(err->message));
	strbuf_printf(&line, ",\"exit\":%d,\"faults\":[", status);
	for (uint32_t i = 0; i < list->count; i++) {
		const struct diagnostic *item = &list->items[i];

		strbuf_printf(&line, "%s{\"file\":", i ? "," : "");
		json_write_string(&line, item->file, strlen(item->file));
		strbuf_printf(
		    &line, ",\"line\":%u,\"column\":%u,\"message\":", item->line, item->column);
		json_write_string(&line, item->message, strlen(item->message));
		strbuf_add_char(&line, '}');
	}
	strbuf_printf(&line, "],\"more\":%u}}\n", list->dropped);
	fputs(strbuf_peek(&line), stderr);
	strbuf_clear(&line);
}

int job_set_diagnose(struct command *command, const struct diagnostics *diagnostics, int status)
{
	struct strbuf text = STRBUF_EMPTY, safe = STRBUF_EMPTY;
	struct schedd_error err = {0};

	diagnostics_error(diagnostics, &err);
	if (out_is_json(command)) {
		set_diagnose_json(diagnostics, &err, status);
		return status;
	}
	diagnostics_write(diagnostics, &text);
	out_safe(&safe, strbuf_peek(&text), text.length, true);
	fputs(strbuf_peek(&safe), stderr);
	strbuf_clear(&text);
	strbuf_clear(&safe);
	return status;
}

/* The paths given, one by one, options before words. */
static const char *set_next_path(const struct args *args, int *position, int *word)
{
	const char *path = args_next(args, "file", position);

	if (!path && *word < args->word_count)
		path = args->words[(*word)++];
	return path;
}

int job_set_load(struct command *command, struct jobfile *set)
{
	const struct trigger_context context = command_triggers(command);
	struct diagnostics diagnostics;
	int position = 0, word = 0, status = EXIT_DONE, rc = 0;
	const char *path;

	jobfile_init(set);
	if (!args_has(&command->args, "file") && command->args.word_count == 0)
		return say_usage(
		    command, "which file? give -f FILE, a directory, or - for standard input");
	diagnostics_init(&diagnostics);
	while (rc != SCHEDD_ENOMEM && (path = set_next_path(&command->args, &position, &word)))
		if (jobfile_load(set, path, &context, &diagnostics) == SCHEDD_ENOMEM)
			rc = SCHEDD_ENOMEM;
	if (rc)
		status = say_usage(command, "out of memory");
	else if (diagnostics.count > 0)
		status = job_set_diagnose(command, &diagnostics, EXIT_INVALID_FILE);
	else if (set->files == 0)
		say(command, "There is no job file in there.");
	diagnostics_clear(&diagnostics);
	return status;
}

/* ---- Applying ---- */

/* Bytes in MessagePack, at most. */
static size_t set_size(const struct value *value)
{
	size_t size = 9;

	if (value->type == VALUE_STRING)
		size += value->string.length;
	for (uint32_t i = 0; value->type == VALUE_ARRAY && i < value->array.count; i++)
		size += set_size(&value->array.items[i]);
	for (uint32_t i = 0; value->type == VALUE_MAP && i < value->map.count; i++)
		size +=
		    5 + strlen(value->map.members[i].key) + set_size(&value->map.members[i].value);
	return size;
}

/* The jobs from one place on that fit into a part; at least one. */
static struct value set_part(const struct value *jobs, uint32_t from)
{
	struct value part = *jobs;
	size_t size = 0;
	uint32_t end = from;

	while (end < jobs->array.count) {
		size += set_size(&jobs->array.items[end]);
		if (end > from && size > SET_PART_BYTES)
			break;
		end++;
	}
	part.array.items = jobs->array.items ? jobs->array.items + from : NULL;
	part.array.count = end - from;
	return part;
}

static void set_progress(const struct command *command, uint32_t sent, uint32_t all)
{
	if (command->out.quiet || !isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\r%u of %u jobs sent%s", sent, all, sent == all ? "\033[K\r" : "");
	fflush(stderr);
}

int job_set_send(struct command *command, const char *method, struct value *params,
    const struct value *jobs, const struct job_set_sent *told, struct value *result,
    struct schedd_error *err)
{
	const struct job_set_sent nobody = {NULL, NULL};
	uint32_t sent = 0, all = jobs->array.count;
	struct value part = set_part(jobs, 0);
	uint32_t at = params->map.count;
	int rc;

	value_put(&command->arena, params, "jobs", part);
	if (!told)
		told = &nobody;
	if (part.array.count == all)
		return command_call_sent(command, &command->arena, method, params, told->call,
		    told->context, result, err);
	/* The token is called as the method is, behind "job.". */
	value_put(&command->arena, params, method + strlen("job."), value_string_ref("1"));
	if (arena_failed(&command->arena))
		return schedd_error_nomem(err);
	do {
		part = set_part(jobs, sent);
		params->map.members[at].value = part;
		sent += part.array.count;
		set_progress(command, sent, all);
		if (sent == all)
			value_put(&command->arena, params, "last", value_bool(true));
		rc = command_call_sent(command, &command->arena, method, params,
		    sent == all ? told->call : NULL, told->context, result, err);
	} while (!rc && sent < all);
	return rc;
}

/* "job backup: …" is what the daemon says of a job of the file: that is a fault of the file. */
static void set_place_fault(const struct jobfile *set, struct schedd_error *err)
{
	char id[JOB_ID_MAX + 2];
	const char *file;
	uint32_t line;
	size_t length;

	if (strncmp(err->message, "job ", 4) != 0)
		return;
	snprintf(id, sizeof(id), "%.*s", (int)(strcspn(err->message + 4, " ")), err->message + 4);
	length = strlen(id);
	if (length < 2 || id[length - 1] != ':')
		return;
	id[length - 1] = '\0';
	file = jobfile_place(set, id, &line);
	if (!file)
		return;
	if (err->code == SCHEDD_EINVAL)
		err->code = SCHEDD_EFILE;
	schedd_error_prefix(err, "%s:%u", file, line);
}

/* What is answered may be as large as the jobs were. */
static void set_sent(void *context)
{
	jobfile_free_jobs(context);
}

int job_set_apply(struct command *command, struct jobfile *set, bool dry_run,
    struct value *result, struct schedd_error *err)
{
	const struct job_set_sent sent = {dry_run ? NULL : set_sent, set};
	const char *owner = args_get(&command->args, "owner");
	struct value params = value_map();
	int rc;

	if (!owner)
		owner = set->owner;
	if (owner)
		value_put(&command->arena, &params, "owner", value_string_ref(owner));
	if (args_has(&command->args, "paused"))
		value_put(&command->arena, &params, "paused", value_bool(true));
	if (args_has(&command->args, "prune"))
		value_put(&command->arena, &params, "prune", value_bool(true));
	if (dry_run)
		value_put(&command->arena, &params, "dry_run", value_bool(true));
	rc = job_set_send(command, "job.apply", &params, &set->jobs, &sent, result, err);
	if (rc)
		set_place_fault(set, err);
	return rc;
}

uint32_t job_set_count(const struct value *result, const char *action)
{
	uint32_t count = 0;

	for (uint32_t i = 0; result->type == VALUE_ARRAY && i < result->array.count; i++) {
		const char *text = value_get_string(&result->array.items[i], "action");

		count += text && strcmp(text, action) == 0;
	}
	return count;
}

int job_set_show(struct command *command, const struct value *result, bool unchanged)
{
	static const struct out_column columns[] = {
	    {"action", "action", OUT_TEXT, true, true, false},
	    {"id", "id", OUT_TEXT, true, true, false},
	    {"fields", "fields", OUT_LIST, true, true, true},
	    {0},
	};
	bool all = unchanged || command->out.format != OUT_TABLE;
	struct schedd_error err = {0};
	struct out_list *list;

	if (command->out.format == OUT_JSON)
		return out_json(command, result);
	/* It is what was done, told to people, unless a form was asked for. */
	if (command->out.quiet && command->out.format == OUT_TABLE && !command->out.columns)
		return EXIT_DONE;
	if (command->out.format == OUT_TABLE)
		command->out.headers = false;
	list = out_list_begin(command, columns, "id", &err);
	if (!list)
		return say_error(command, &err);
	for (uint32_t i = 0; i < result->array.count; i++) {
		const char *action = value_get_string(&result->array.items[i], "action");

		if (all || !action || strcmp(action, "unchanged") != 0)
			out_list_row(list, &result->array.items[i]);
	}
	return out_list_end(list);
}
