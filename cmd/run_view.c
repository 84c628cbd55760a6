/* SPDX-License-Identifier: MIT */
/*
 * What the record holds is shown under its own names, so that a name seen here
 * is one for --field; what follows from several of them has a name of its own.
 */
#include "cmd/run_view.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/suggest.h"
#include "cmd/out.h"
#include "cmd/run_output.h"
#include "cmd/say.h"
#include "model/run.h"

#define VIEW_WIDTH 16

/* Members beyond the record, that not every run has. */
#define VIEW_ATTEMPTS "attempts"
#define VIEW_WAITS_FOR "waits_for"

static const struct out_column view_attempts[] = {
    {"attempt", "attempt", OUT_INT, true, true, false},
    {"state", "state", OUT_STATE, true, true, false},
    {"started", "started_at", OUT_WHEN, true, true, false},
    {"ended", "ended_at", OUT_WHEN, true, true, false},
    {"exit", "exit_code", OUT_INT, true, true, false},
    {"signal", "signal", OUT_TEXT, true, true, false},
    {"reason", "reason", OUT_TEXT, true, true, true},
    {0},
};

bool run_view_names(const char *word)
{
	return strchr(word, '/') != NULL && strpbrk(word, "*?[") == NULL;
}

int run_view_get(
    struct command *command, const char *id, struct value *run, struct schedd_error *err)
{
	struct value params = value_map();

	value_put(&command->arena, &params, "run", value_string_ref(id));
	return command_call(command, "run.get", &params, run, err);
}

int run_view_check_field(const char *path, struct schedd_error *err)
{
	static const char *const more[] = {
	    "result", "result_form", VIEW_ATTEMPTS, VIEW_WAITS_FOR, NULL};
	char name[SUGGEST_LENGTH_MAX + 1] = "";
	size_t length = strcspn(path, ".");
	struct strbuf known = STRBUF_EMPTY;
	struct suggest suggest;

	strncat(name, path, length < sizeof(name) ? length : sizeof(name) - 1);
	suggest_init(&suggest, name);
	for (const struct run_field *field = run_fields(); field->name; field++) {
		if (strcmp(field->name, name) == 0)
			goto out;
		suggest_offer(&suggest, field->name);
		strbuf_printf(&known, "%s, ", field->name);
	}
	for (const char *const *word = more; *word; word++) {
		if (strcmp(*word, name) == 0)
			goto out;
		suggest_offer(&suggest, *word);
		strbuf_printf(&known, "%s%s", *word, word[1] ? ", " : "");
	}
	if (suggest_result(&suggest))
		schedd_error_set(err, SCHEDD_EINVAL,
		    "--field: a run has no field '%s', did you mean '%s'?", name,
		    suggest_result(&suggest));
	else
		schedd_error_set(err, SCHEDD_EINVAL,
		    "--field: a run has no field '%s'; there are %s", name, strbuf_peek(&known));
	strbuf_clear(&known);
	return SCHEDD_EINVAL;
out:
	strbuf_clear(&known);
	return 0;
}

/* ---- Words ---- */

static const char *view_trigger(const char *name)
{
	static const char *const words[] = {
	    [RUN_BY_SCHEDULE] = "its trigger said when",
	    [RUN_BY_HAND] = "somebody asked for it",
	    [RUN_BY_RETRY] = "somebody asked for an earlier run again",
	    [RUN_BY_CATCHUP] = "its time had passed before it could start",
	    [RUN_BY_AFTER] = "another job's run ended before",
	};
	enum run_trigger trigger;

	return name && run_trigger_parse(name, &trigger) ? words[trigger] : NULL;
}

/* What stands behind the bare value; nothing for most. */
static void view_remark(struct strbuf *out, const char *name, const struct value *value)
{
	if (strcmp(name, "trigger") == 0 && value->type == VALUE_STRING &&
	    view_trigger(value->string.text)) {
		strbuf_printf(out, " (%s)", view_trigger(value->string.text));
	} else if (strcmp(name, "signal") == 0 && value->type == VALUE_INT) {
		const char *known = sigabbrev_np((int)value->integer);

		if (known)
			strbuf_printf(out, " (SIG%s)", known);
	}
}

static enum out_type view_type(const struct run_field *field)
{
	static const enum out_type types[] = {
	    [RUN_FIELD_TEXT] = OUT_TEXT,
	    [RUN_FIELD_INT] = OUT_INT,
	    [RUN_FIELD_TIME] = OUT_WHEN,
	    [RUN_FIELD_SPAN] = OUT_SPAN,
	    [RUN_FIELD_SIZE] = OUT_BYTES,
	};

	return strcmp(field->name, "state") == 0 ? OUT_STATE : types[field->type];
}

static void view_name(struct command *command, struct strbuf *out, const char *name, bool known)
{
	strbuf_printf(out, "%s%s:%s%*s", out_color(command, known ? "bold" : "dim"), name,
	    known ? out_color(command, NULL) : "", (int)(VIEW_WIDTH - strlen(name)), "");
}

static void view_field(struct command *command, struct strbuf *out, const struct run_field *field,
    const struct value *run)
{
	const struct value *value = out_path(run, field->name);
	enum out_type type = view_type(field);
	const char *color = type == OUT_STATE && value && value->type == VALUE_STRING
				? out_state_color(command, value->string.text)
				: "";

	view_name(command, out, field->name, value != NULL);
	strbuf_add(out, color);
	out_cell(command, out, type, value);
	if (value)
		view_remark(out, field->name, value);
	strbuf_printf(out, "%s\n", !value || *color ? out_color(command, NULL) : "");
}

/* ---- What follows from several fields ---- */

static const struct value *view_first_attempt(const struct value *run)
{
	const struct value *attempts = value_get(run, VIEW_ATTEMPTS);

	return attempts && attempts->type == VALUE_ARRAY && attempts->array.count
		   ? &attempts->array.items[0]
		   : run;
}

/* For what a run in the queue waits, or how long it did. */
static void view_waiting(struct command *command, struct strbuf *out, const struct value *run)
{
	const struct value *waits = out_path(run, VIEW_WAITS_FOR),
			   *due = out_path(run, "scheduled_at"),
			   *began = out_path(view_first_attempt(run), "started_at");

	if (waits) {
		view_name(command, out, VIEW_WAITS_FOR, true);
		out_cell(command, out, OUT_TEXT, waits);
		strbuf_add_char(out, '\n');
	} else if (due && began && due->type == VALUE_INT && began->type == VALUE_INT) {
		view_name(command, out, "waited", true);
		out_span(out, (double)(began->integer - due->integer) / (double)SCHEDD_SECOND);
		strbuf_add(out, " until its first attempt began\n");
	}
}

/* Has what was kept of its output not been cleared away since? Yes too if nobody can tell. */
static bool view_output_is_there(struct command *command, const struct value *run)
{
	struct value params = value_map(), result;
	const struct value *pieces;

	value_put(&command->arena, &params, "run", value_string_ref(value_get_string(run, "id")));
	value_put(&command->arena, &params, "limit", value_int(1));
	if (command_call(command, "run.log", &params, &result, NULL) != 0)
		return true;
	pieces = value_get(&result, "pieces");
	return !pieces || pieces->type != VALUE_ARRAY || pieces->array.count > 0;
}

static void view_output(struct command *command, struct strbuf *out, const struct value *run)
{
	int64_t written = value_get_int(run, "output_bytes", 0),
		dropped = value_get_int(run, "output_dropped", 0);

	view_name(command, out, "output", written > 0);
	if (written <= 0) {
		strbuf_printf(out, "none%s", out_color(command, NULL));
	} else if (!view_output_is_there(command, run)) {
		strbuf_add(out, "cleared away since");
	} else if (dropped > 0) {
		out_bytes(out, written - dropped);
		strbuf_add(out, " kept, ");
		out_bytes(out, dropped);
		strbuf_add(out, " from the middle dropped");
	} else {
		strbuf_add(out, "all ");
		out_bytes(out, written);
		strbuf_add(out, " kept");
	}
	strbuf_add_char(out, '\n');
}

/* What a call returned; nothing for a run that returned nothing. */
static void view_result(struct command *command, struct strbuf *out, const struct value *run)
{
	const char *form = value_get_string(run, "result_form");
	const struct value *result = value_get(run, "result");
	struct strbuf text = STRBUF_EMPTY;

	if (!form || !result)
		return;
	view_name(command, out, "returned", true);
	if (strcmp(form, "json") == 0)
		json_write(&text, result);
	else if (result->type == VALUE_STRING)
		strbuf_add_n(&text, result->string.text, result->string.length);
	out_safe(out, strbuf_peek(&text), text.length, false);
	if (strcmp(form, "repr") == 0)
		strbuf_add(out, " (as text: JSON cannot say it)");
	else if (strcmp(form, "cut") == 0)
		strbuf_add(out, " … (only the beginning is kept)");
	strbuf_add_char(out, '\n');
	strbuf_clear(&text);
}

/* ---- Attempts ---- */

static int view_attempts_list(struct command *command, const struct value *run)
{
	const struct value *attempts = value_get(run, VIEW_ATTEMPTS);
	struct command shown = *command;
	struct schedd_error err = {0};
	struct out_list *list;

	if (!attempts || attempts->type != VALUE_ARRAY || attempts->array.count == 0)
		return out_write("  None began.\n", 14) ? EXIT_DONE : EXIT_PIPE;
	shown.out.format = OUT_TABLE;
	shown.out.sort = shown.out.columns = NULL;
	list = out_list_begin(&shown, view_attempts, "attempt", &err);
	if (!list)
		return say_error(command, &err);
	for (uint32_t i = 0; i < attempts->array.count; i++)
		out_list_row(list, &attempts->array.items[i]);
	return out_list_end(list);
}

/* ---- The page ---- */

int run_view(struct command *command, const struct value *run)
{
	/* What one looks for first; the others follow in the order of the rows. */
	static const char *const first[] = {"id", "state", "reason", "trigger", "actor"};
	const size_t count = sizeof(first) / sizeof(first[0]);
	struct strbuf text = STRBUF_EMPTY;
	bool written;
	int status;

	command_zone(command);
	for (size_t i = 0; i < count; i++)
		for (const struct run_field *field = run_fields(); field->name; field++)
			if (strcmp(field->name, first[i]) == 0)
				view_field(command, &text, field, run);
	view_waiting(command, &text, run);
	view_output(command, &text, run);
	view_result(command, &text, run);
	for (const struct run_field *field = run_fields(); field->name; field++) {
		/* Where no store is shared there are no nodes. */
		bool shown = strcmp(field->name, "node") == 0 && !value_get_string(run, "node");

		for (size_t i = 0; i < count; i++)
			shown |= strcmp(first[i], field->name) == 0;
		if (!shown)
			view_field(command, &text, field, run);
	}
	strbuf_printf(
	    &text, "\n%sAttempts%s\n", out_color(command, "bold"), out_color(command, NULL));
	written = out_write(strbuf_peek(&text), text.length);
	strbuf_clear(&text);
	status = written ? view_attempts_list(command, run) : EXIT_PIPE;
	return status ? status : run_output_last(command, run);
}
