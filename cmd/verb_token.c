/* SPDX-License-Identifier: MIT */
/* token: who may ask over HTTP. */
#include <stdio.h>
#include <string.h>

#include "cmd/out.h"
#include "cmd/say.h"
#include "cmd/verb_rows.h"

static const char *const token_roles[] = {"user", "operator", "admin", NULL};

static const struct option token_options[] = {
    {.name = "role",
	.value = "ROLE",
	.section = "Options",
	.complete = COMPLETE_WORDS,
	.words = token_roles,
	.doc = "add: user (its account's jobs), operator (runs and pauses all), or admin"},
    {.name = "account",
	.value = "ACCOUNT",
	.doc = "add: whose jobs it adds; the role user needs one"},
    {0},
};

static const struct option *const token_sets[] = {token_options, NULL};

static const struct out_column token_columns[] = {
    {"name", "name", OUT_TEXT, true, true, false},
    {"role", "role", OUT_TEXT, true, true, false},
    {"account", "account", OUT_TEXT, true, true, false},
    {0},
};

static int token_list(struct command *command)
{
	struct schedd_error err = {0};
	struct out_list *list;
	struct value result;

	if (command_call(command, "token.list", NULL, &result, &err) != 0)
		return say_error(command, &err);
	list = out_list_begin(command, token_columns, "name", &err);
	if (!list)
		return say_error(command, &err);
	for (uint32_t i = 0; result.type == VALUE_ARRAY && i < result.array.count; i++)
		out_list_row(list, &result.array.items[i]);
	return out_list_end(list);
}

/* The token alone goes to standard output, for a script to take. */
static int token_add(struct command *command, const char *name)
{
	const char *role = args_get(&command->args, "role");
	const char *account = args_get(&command->args, "account"), *token;
	struct value params = value_map(), result;
	struct schedd_error err = {0};
	struct strbuf line = STRBUF_EMPTY;
	bool written;

	if (!role)
		return say_usage(command, "token add needs --role: user, operator or admin");
	value_put(&command->arena, &params, "name", value_string_ref(name));
	value_put(&command->arena, &params, "role", value_string_ref(role));
	if (account)
		value_put(&command->arena, &params, "account", value_string_ref(account));
	if (command_call(command, "token.add", &params, &result, &err) != 0)
		return say_error(command, &err);
	if (out_is_json(command))
		return out_json(command, &result);
	token = value_get_string(&result, "token");
	strbuf_printf(&line, "%s\n", token ? token : "");
	written = out_write(strbuf_peek(&line), line.length);
	strbuf_clear(&line);
	say(command, "It is shown this once. Send it as: Authorization: Bearer TOKEN");
	return written ? EXIT_DONE : EXIT_PIPE;
}

static int token_remove(struct command *command, const char *name)
{
	struct value params = value_map(), result;
	struct schedd_error err = {0};

	value_put(&command->arena, &params, "name", value_string_ref(name));
	if (command_call(command, "token.remove", &params, &result, &err) != 0)
		return say_error(command, &err);
	if (out_is_json(command))
		return out_json(command, &result);
	say(command, "Removed the token %s; what it had begun has ended.", name);
	return EXIT_DONE;
}

static int token_run(struct command *command)
{
	const struct args *args = &command->args;
	const char *what = args->word_count > 0 ? args->words[0] : "list";

	if (strcmp(what, "list") == 0 && args->word_count <= 1)
		return token_list(command);
	if (strcmp(what, "add") == 0 && args->word_count == 2)
		return token_add(command, args->words[1]);
	if (strcmp(what, "remove") == 0 && args->word_count == 2)
		return token_remove(command, args->words[1]);
	return say_usage(command,
	    "usage: schedctl token add NAME --role ROLE, token list, or token remove NAME");
}

const struct verb verb_token = {
    .name = "token",
    .group = "Daemon",
    .summary = "make, show and take away tokens for HTTP",
    .usage = "add NAME --role ROLE [--account ACCOUNT] | list | remove NAME",
    .examples = "schedctl token add ci --role operator\nschedctl token list\nschedctl token remove ci",
    .notes = "A token says who asks over HTTP, see schedd-http(7). schedd keeps its SHA-256 alone, in the\n"
	     "file that http.tokens of the config names; it works, and ends, at once.",
    .options = token_sets,
    .max_words = 2,
    .columns = token_columns,
    .run = token_run,
};
