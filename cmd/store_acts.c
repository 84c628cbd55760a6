/* SPDX-License-Identifier: MIT */
/* The acts of schedctl stores, as rows. */
#include "cmd/store_acts.h"

#include <string.h>
#include "cmd/out.h"
#include "cmd/say.h"
#include "cmd/targets.h"

const struct option store_act_options[] = {
    {.name = "type",
	.value = "TYPE",
	.section = "Options",
	.doc = "with add and check: the type, where the url's scheme does not tell it"},
    {.name = "option",
	.value = "NAME=TEXT",
	.section = "Options",
	.repeat = true,
	.complete = COMPLETE_STORE_OPTION,
	.doc = "with add and check: a setting of the store as in schedd.yaml(5), such as "
	       "password_file, run_as, timeout"},
    {.name = "from",
	.value = "NAME",
	.complete = COMPLETE_STORE,
	.doc = "with copy: the store whose jobs are moved"},
    {.name = "to",
	.value = "NAME",
	.complete = COMPLETE_STORE,
	.doc = "with move and copy: the store they are to live in"},
    {.name = "history", .doc = "with move and copy: runs that ended are taken along"},
    {.name = "wait",
	.doc = "with move and copy: wait for runs that go on, which else are a conflict"},
    {0},
};

/* ---- What several of them take ---- */

/* NAME=TEXT each; false and the call is refused: one is not. */
static bool acts_options(struct command *command, struct value *params)
{
	struct value options = value_map();
	const char *text;
	int position = 0;

	while ((text = args_next(&command->args, "option", &position))) {
		const char *equals = strchr(text, '=');
		const char *name = equals ? arena_strndup(&command->arena, text, (size_t)(equals - text))
					  : NULL;

		if (!equals || equals == text) {
			say_usage(command, "--option: '%s' is not NAME=TEXT", text);
			return false;
		}
		if (name && value_get(&options, name)) {
			say_usage(command, "--option: %s is there twice", name);
			return false;
		}
		value_put(&command->arena, &options, name, value_string(&command->arena, equals + 1));
	}
	if (options.map.count)
		value_put(&command->arena, params, "options", options);
	return true;
}

static void acts_put(struct command *command, struct value *params, const char *key, const char *text)
{
	if (text)
		value_put(&command->arena, params, key, value_string_ref(text));
}

/* ---- Add, remove ---- */

static int acts_add(struct command *command)
{
	const char *name = command->args.words[1], *where = command->args.words[2];
	const char *type = args_get(&command->args, "type");
	struct value params = value_map(), result;
	struct schedd_error err = {0};
	const char *state, *why;

	if (!acts_options(command, &params))
		return EXIT_USAGE;
	acts_put(command, &params, "name", name);
	if (strcmp(where, "memory") == 0)
		type = where;
	else
		acts_put(command, &params, where[0] == '/' ? "path" : "url", where);
	acts_put(command, &params, "type", type);
	if (command_call(command, "store.add", &params, &result, &err) != 0)
		return say_error(command, &err);
	if (out_is_json(command))
		return out_json(command, &result);
	state = value_get_string(&result, "state");
	why = value_get_string(&result, "why");
	say(command, "Store %s is there until schedd ends: put it into the config to keep it.", name);
	if (state && strcmp(state, "ok") != 0)
		say(command, "It is %s%s%s; see schedctl stores.", state, why && *why ? ": " : "",
		    why ? why : "");
	return EXIT_DONE;
}

static int acts_remove(struct command *command)
{
	const char *name = command->args.words[1];
	struct value params = value_map(), result;
	struct schedd_error err = {0};

	acts_put(command, &params, "name", name);
	if (command_call(command, "store.remove", &params, &result, &err) != 0)
		return say_error(command, &err);
	if (out_is_json(command))
		return out_json(command, &result);
	say(command, "Store %s is closed; what it holds is left as it is.", name);
	return EXIT_DONE;
}

/* ---- Check ---- */

static const struct out_column check_columns[] = {
    {"name", "name", OUT_TEXT, false, false, false},
    {"type", "type", OUT_TEXT, true, true, false},
    {"address", "address", OUT_TEXT, false, false, false},
    {"path", "path", OUT_TEXT, false, false, false},
    {"connects", "connect", OUT_SPAN, false, false, false},
    {"writes", "write", OUT_SPAN, true, true, false},
    {"reads", "read", OUT_SPAN, true, true, false},
    {"removes", "remove", OUT_SPAN, true, true, false},
    {"durable", "durable", OUT_BOOL, true, true, false},
    {"promises", "durability", OUT_TEXT, false, false, false},
    {0},
};

/* A name has neither a slash nor a colon, which a url has. */
static int acts_check(struct command *command)
{
	const char *which = command->args.words[1];
	bool url = strpbrk(which, ":/") != NULL;
	struct value params = value_map(), result, shown = value_map();
	struct schedd_error err = {0};

	if (!acts_options(command, &params))
		return EXIT_USAGE;
	if (which[0] == '/')
		return say_usage(command,
		    "%s is a file: check takes the name of a store or the url of a server", which);
	acts_put(command, &params, url ? "url" : "name", which);
	acts_put(command, &params, "type", args_get(&command->args, "type"));
	if (command_call(command, "store.check", &params, &result, &err) != 0)
		return say_error(command, &err);
	if (out_is_json(command))
		return out_json(command, &result);
	/* What is not known of this one is not shown. */
	for (uint32_t i = 0; result.type == VALUE_MAP && i < result.map.count; i++)
		if (result.map.members[i].value.type != VALUE_NIL)
			value_put(&command->arena, &shown, result.map.members[i].key,
			    result.map.members[i].value);
	return out_object(command, check_columns, &shown);
}

/* ---- Move, copy ---- */

static const struct out_column move_columns[] = {
    {"id", "id", OUT_TEXT, true, true, false},
    {"action", "action", OUT_TEXT, true, true, false},
    {"store", "store", OUT_TEXT, true, true, false},
    {"error", "error", OUT_TEXT, true, true, true},
    {0},
};

static int acts_move_list(struct command *command, const struct value *rows)
{
	struct schedd_error err = {0};
	struct out_list *list = out_list_begin(command, move_columns, "id", &err);

	if (!list)
		return say_error(command, &err);
	for (uint32_t i = 0; i < rows->array.count; i++)
		out_list_row(list, &rows->array.items[i]);
	return out_list_end(list);
}

/* Says each failure; the status of one that was named alone is that of its reason. */
static int acts_move_failures(struct command *command, const struct value *rows, bool alone)
{
	int status = EXIT_DONE;

	for (uint32_t i = 0; i < rows->array.count; i++) {
		const struct value *row = &rows->array.items[i];
		const char *code = value_get_string(row, "code");
		struct schedd_error err = {0};

		if (!code)
			continue;
		schedd_error_set(&err, schedd_error_code(code), "%s",
		    value_get_string(row, "error") ? value_get_string(row, "error") : "");
		status = say_error(command, &err);
	}
	return status != EXIT_DONE && !alone ? EXIT_FAILED : status;
}

static int acts_move_by(struct command *command, const char *method, struct value *params, bool alone)
{
	struct schedd_error err = {0};
	const struct value *rows;
	struct value result;
	int status, shown = EXIT_DONE;
	int64_t moved;

	if (args_has(&command->args, "history"))
		value_put(&command->arena, params, "history", value_bool(true));
	if (args_has(&command->args, "wait"))
		value_put(&command->arena, params, "wait", value_bool(true));
	if (command_call(command, method, params, &result, &err) != 0)
		return say_error(command, &err);
	rows = value_get(&result, "jobs");
	moved = value_get_int(&result, "moved", 0);
	if (!rows || rows->type != VALUE_ARRAY)
		return EXIT_FAILED;
	if (command->out.format != OUT_TABLE || command->out.columns)
		shown = acts_move_list(command, rows);
	status = acts_move_failures(command, rows, alone);
	if (!out_is_json(command))
		say(command, "%lld job%s moved to store %s.", (long long)moved,
		    moved == 1 ? " was" : "s were", value_get_string(&result, "to"));
	return status != EXIT_DONE ? status : shown;
}

/* The words behind move are patterns as other verbs have them. */
static int acts_move(struct command *command)
{
	const char *to = args_get(&command->args, "to");
	struct value params = value_map(), ids = value_array();
	struct schedd_error err = {0};
	bool alone;

	if (!to)
		return say_usage(command, "stores move needs --to NAME, the store they are to live in");
	/* Behind its own name. */
	memmove(command->args.words, command->args.words + 1,
	    (size_t)--command->args.word_count * sizeof(command->args.words[0]));
	if (targets_resolve(command, &ids, &err) != 0)
		return say_error(command, &err);
	if (ids.array.count == 0) {
		say(command, "No job matches.");
		return EXIT_DONE;
	}
	alone = ids.array.count == 1 && !targets_are_bulk(command);
	value_put(&command->arena, &params, "jobs", ids);
	acts_put(command, &params, "to", to);
	return acts_move_by(command, "store.move", &params, alone);
}

static int acts_copy(struct command *command)
{
	const char *from = args_get(&command->args, "from"), *to = args_get(&command->args, "to");
	struct value params = value_map();

	if (!from || !to)
		return say_usage(command, "stores copy needs --from NAME and --to NAME");
	acts_put(command, &params, "from", from);
	acts_put(command, &params, "to", to);
	return acts_move_by(command, "store.copy", &params, false);
}

/* ---- The rows ---- */

static const struct store_act {
	const char *name;
	const char *usage;
	int min, max; /* words, with its own */
	enum complete complete;
	int (*run)(struct command *command);
	const char *options; /* that it takes, each between blanks */
} store_acts[] = {
    {"add", "add NAME URL", 3, 3, COMPLETE_NONE, acts_add, " type option "},
    {"remove", "remove NAME", 2, 2, COMPLETE_STORE, acts_remove, " "},
    {"check", "check NAME|URL", 2, 2, COMPLETE_STORE, acts_check, " type option "},
    {"move", "move JOB... --to NAME [--history] [--wait]", 1, -1, COMPLETE_JOB, acts_move,
	" to history wait tag group state all "},
    {"copy", "copy --from NAME --to NAME [--history] [--wait]", 1, 1, COMPLETE_NONE, acts_copy,
	" from to history wait "},
};

#define STORE_ACTS (sizeof(store_acts) / sizeof(store_acts[0]))

const char *const store_act_words[] = {"add", "remove", "check", "move", "copy", NULL};

enum complete store_act_complete(const char *act)
{
	for (size_t i = 0; i < STORE_ACTS; i++)
		if (strcmp(store_acts[i].name, act) == 0)
			return store_acts[i].complete;
	return COMPLETE_NONE;
}

static int acts_usage(struct command *command)
{
	struct strbuf text = STRBUF_EMPTY;
	int status;

	for (size_t i = 0; i < STORE_ACTS; i++)
		strbuf_printf(&text, "%sschedctl stores %s",
		    i + 1 < STORE_ACTS ? ", " : ", or ", store_acts[i].usage);
	status = say_usage(command, "usage: schedctl stores%s", strbuf_peek(&text));
	strbuf_clear(&text);
	return status;
}

/* An option that the act has no use for is a mistake of who gave it; NULL: there is none. */
static const char *acts_foreign(struct command *command, const struct store_act *act)
{
	const struct option *const sets[] = {store_act_options, option_label, option_target};

	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		for (const struct option *option = sets[i]; option->name; option++) {
			const char *word = arena_printf(&command->arena, " %s ", option->name);

			if (args_has(&command->args, option->name) && word &&
			    (!act || !strstr(act->options, word)))
				return option->name;
		}
	return NULL;
}

int store_acts_run(struct command *command)
{
	const struct args *args = &command->args;
	const char *foreign;

	if (args->word_count == 0) {
		foreign = acts_foreign(command, NULL);
		return foreign ? say_usage(command, "--%s says how something is to be done: %s", foreign,
				     "add, check, move or copy")
			       : STORE_ACTS_NONE;
	}
	for (size_t i = 0; i < STORE_ACTS; i++) {
		const struct store_act *act = &store_acts[i];

		if (strcmp(act->name, args->words[0]) != 0)
			continue;
		if (args->word_count < act->min || (act->max >= 0 && args->word_count > act->max))
			return say_usage(command, "usage: schedctl stores %s", act->usage);
		foreign = acts_foreign(command, act);
		if (foreign)
			return say_usage(
			    command, "--%s is not for schedctl stores %s", foreign, act->name);
		return act->run(command);
	}
	return acts_usage(command);
}
