/* SPDX-License-Identifier: MIT */
/* The acts of schedctl stores, as rows. */
#include "cmd/store_acts.h"

#include <string.h>
#include "cmd/out.h"
#include "cmd/say.h"

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
		say(command, "It is %s%s%s; see schedctl stores.", state, why ? ": " : "",
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
};

#define STORE_ACTS (sizeof(store_acts) / sizeof(store_acts[0]))

const char *const store_act_words[] = {"add", "remove", "check", NULL};

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

/* An option that the act has no use for is a mistake of who gave it. */
static const char *acts_foreign(const struct command *command, const struct store_act *act)
{
	for (const struct option *option = store_act_options; option->name; option++)
		if (args_has(&command->args, option->name) &&
		    !strstr(act->options,
			arena_printf((struct arena *)(uintptr_t)&command->arena, " %s ",
			    option->name)))
			return option->name;
	return NULL;
}

int store_acts_run(struct command *command)
{
	const struct args *args = &command->args;

	for (size_t i = 0; i < STORE_ACTS; i++) {
		const struct store_act *act = &store_acts[i];
		const char *foreign;

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
