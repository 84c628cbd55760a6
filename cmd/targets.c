/* SPDX-License-Identifier: MIT */
/* Calls are pipelined in windows, so that a thousand targets cost a few round trips. */
#include "cmd/targets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strmap.h"
#include "base/text_file.h"
#include "cmd/gone.h"
#include "cmd/out.h"
#include "cmd/say.h"
#include "cmd/verbs.h"

#define TARGETS_WINDOW 64
#define TARGETS_STDIN_MAX ((size_t)64 << 20)

static const char *targets_key(const void *id)
{
	return id;
}

static bool targets_is_glob(const char *word)
{
	return strpbrk(word, "*?[") != NULL;
}

/* Was a filter given? With modify -t and -g are fields to set, not filters. */
static bool targets_filter(const struct command *command, const char *name)
{
	for (int i = 0; i < command->args.value_count; i++) {
		const struct option *given = command->args.values[i].option;

		for (const struct option *label = option_label; label->name; label++)
			if (given == label && strcmp(given->name, name) == 0)
				return true;
	}
	return false;
}

static bool targets_filtered(const struct command *command)
{
	return targets_filter(command, "tag") || targets_filter(command, "group") ||
	       args_has(&command->args, "state");
}

bool targets_are_glob(const struct command *command)
{
	const struct args *args = &command->args;

	for (int i = 0; i < args->word_count; i++)
		if (targets_is_glob(args->words[i]) || strcmp(args->words[i], "-") == 0)
			return true;
	return false;
}

bool targets_are_bulk(const struct command *command)
{
	return targets_are_glob(command) || targets_filtered(command) ||
	       args_has(&command->args, "all");
}

/* All values of a repeated option, also those joined by the separators, as a list under key. */
static void targets_repeated(struct command *command, struct value *params, const char *option,
    const char *separators, const char *key)
{
	struct value list = value_array();
	const char *text;
	int position = 0;

	while ((text = args_next(&command->args, option, &position)))
		do {
			size_t length = strcspn(text, separators);

			value_append(
			    &command->arena, &list, value_string_n(&command->arena, text, length));
			text += length;
		} while (*text++);
	if (list.array.count > 0)
		value_put(&command->arena, params, key, list);
}

void targets_filters(struct command *command, struct value *params)
{
	struct value patterns = value_array();

	for (int i = 0; i < command->args.word_count; i++)
		value_append(&command->arena, &patterns, value_string_ref(command->args.words[i]));
	if (patterns.array.count > 0)
		value_put(&command->arena, params, "patterns", patterns);
	if (targets_filter(command, "tag"))
		targets_repeated(command, params, "tag", "", "tags");
	targets_repeated(command, params, "state", ",", "states");
	if (targets_filter(command, "group"))
		value_put(&command->arena, params, "group",
		    value_string_ref(args_get(&command->args, "group")));
}

static int targets_add(
    struct command *command, struct value *ids, struct strmap *seen, const char *id)
{
	char *copy;
	int rc;

	if (strmap_get(seen, id))
		return 0;
	copy = arena_strdup(&command->arena, id);
	rc = copy ? strmap_put(seen, copy) : SCHEDD_ENOMEM;
	if (!rc)
		value_append(&command->arena, ids, value_string_ref(copy));
	return rc;
}

/* One id a line. */
static int targets_stdin(
    struct command *command, struct value *ids, struct strmap *seen, struct schedd_error *err)
{
	size_t length;
	char *text;
	int rc = text_file_read("-", TARGETS_STDIN_MAX, &text, &length, err);

	if (rc)
		return rc;
	for (char *line = text, *next; !rc && line < text + length; line = next) {
		size_t size = strcspn(line, "\n");

		next = line + size + 1;
		line[size] = '\0';
		if (size > 0 && targets_add(command, ids, seen, line))
			rc = schedd_error_nomem(err);
	}
	free(text);
	return rc;
}

static int targets_set_words(struct args *args, const struct value *words, struct schedd_error *err)
{
	const char **list = calloc((size_t)words->array.count + 1, sizeof(list[0]));

	if (!list)
		return schedd_error_nomem(err);
	for (uint32_t i = 0; i < words->array.count; i++)
		list[i] = words->array.items[i].string.text;
	free(args->words);
	args->words = list;
	args->word_count = (int)words->array.count;
	return 0;
}

bool targets_input(struct command *command, int *status)
{
	struct args *args = &command->args;
	struct value words = value_array();
	struct schedd_error err;
	struct strmap seen;
	bool found = false;
	int rc = 0;

	strmap_init(&seen, targets_key);
	for (int i = 0; i < args->word_count && !rc; i++) {
		bool input = strcmp(args->words[i], "-") == 0;

		found = found || input;
		rc = input ? targets_stdin(command, &words, &seen, &err)
			   : targets_add(command, &words, &seen, args->words[i]);
	}
	strmap_clear(&seen);
	if (!found)
		return true;
	if (!rc && words.array.count)
		rc = targets_set_words(args, &words, &err);
	*status = rc ? say_error(command, &err) : EXIT_DONE;
	if (!rc && !words.array.count)
		say(command, "No id came on standard input.");
	return !rc && words.array.count;
}

/* Asks the daemon page by page for the ids that the filters choose. */
static int targets_query(struct command *command, struct value *params, struct value *ids,
    struct strmap *seen, struct schedd_error *err)
{
	struct value fields = value_array(), result;
	const char *next;
	int rc;

	value_append(&command->arena, &fields, value_string_ref("id"));
	value_put(&command->arena, params, "fields", fields);
	value_put(&command->arena, params, "limit", value_int(10000));
	value_put(&command->arena, params, "after", value_nil());
	do {
		const struct value *jobs;

		rc = command_call(command, "job.list", params, &result, err);
		if (rc)
			return rc;
		jobs = value_get(&result, "jobs");
		for (uint32_t i = 0; jobs && i < jobs->array.count && !rc; i++)
			rc = targets_add(
			    command, ids, seen, value_get_string(&jobs->array.items[i], "id"));
		next = value_get_string(&result, "next");
		params->map.members[params->map.count - 1].value = value_string_ref(next);
	} while (!rc && next);
	return rc ? schedd_error_nomem(err) : 0;
}

int targets_query_ids(
    struct command *command, struct value *params, struct value *ids, struct schedd_error *err)
{
	struct strmap seen;
	int rc;

	strmap_init(&seen, targets_key);
	rc = targets_query(command, params, ids, &seen, err);
	strmap_clear(&seen);
	return rc;
}

int targets_resolve(struct command *command, struct value *ids, struct schedd_error *err)
{
	const struct args *args = &command->args;
	struct value params = value_map();
	bool query = !args->word_count && targets_are_bulk(command);
	struct strmap seen;
	int rc = 0;

	*ids = value_array();
	if (!args->word_count && !query)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "which jobs? name ids, a quoted glob, -t TAG, -g GROUP, --state STATE or "
		    "--all");
	strmap_init(&seen, targets_key);
	for (int i = 0; i < args->word_count && !rc; i++) {
		if (strcmp(args->words[i], "-") == 0)
			rc = targets_stdin(command, ids, &seen, err);
		else if (targets_is_glob(args->words[i]) || targets_filtered(command))
			query = true;
		else if (targets_add(command, ids, &seen, args->words[i]))
			rc = schedd_error_nomem(err);
	}
	if (!rc && query) {
		targets_filters(command, &params);
		rc = targets_query(command, &params, ids, &seen, err);
	}
	strmap_clear(&seen);
	return rc;
}

static int targets_send(struct command *command, const char *id, const char *method,
    const struct value *extra, uint32_t *msgid, struct schedd_error *err)
{
	struct value params = value_map();
	struct arena arena;
	int rc;

	arena_init(&arena);
	value_put(&arena, &params, "id", value_string_ref(id));
	for (uint32_t i = 0; extra && i < extra->map.count; i++)
		value_put(&arena, &params, extra->map.members[i].key, extra->map.members[i].value);
	rc = command_connect(command, err);
	if (!rc)
		rc = rpc_client_send(command->client, method, &params, msgid, err);
	arena_clear(&arena);
	return rc;
}

/* ---- Acting ---- */

/* The results of an act as --json shows them. */
struct targets_json {
	struct command shown;  /* without a choice of columns, which are those of lists */
	struct out_list *list; /* NULL: one object */
};

static int targets_json_begin(struct command *command, const struct value *ids,
    struct targets_json *json, struct schedd_error *err)
{
	static const struct out_column none[] = {{0}};

	json->list = NULL;
	if (!out_is_json(command) || (ids->array.count == 1 && !targets_are_bulk(command)))
		return 0;
	command_zone(command); /* the copy must not find one of its own */
	json->shown = *command;
	json->shown.out.columns = json->shown.out.sort = NULL;
	json->list = out_list_begin(&json->shown, none, "id", err);
	return json->list ? 0 : err->code;
}

static void targets_json_row(struct command *command, struct targets_json *json, const char *id,
    const struct value *result, struct arena *arena)
{
	struct value row = *result;

	if (!out_is_json(command))
		return;
	if (row.type != VALUE_MAP) {
		row = value_map();
		value_put(arena, &row, "id", value_string_ref(id));
	}
	if (json->list)
		out_list_row(json->list, &row);
	else
		out_json(command, &row);
}

int targets_call(struct command *command, const struct value *ids, const char *method,
    const struct value *extra, targets_done_fn done, void *context)
{
	uint32_t msgids[TARGETS_WINDOW], count = ids->array.count, sent = 0;
	struct schedd_error begin = {0};
	struct targets_json json;
	int status = EXIT_DONE;
	struct arena arena;

	if (targets_json_begin(command, ids, &json, &begin) != 0)
		return say_error(command, &begin);
	arena_init(&arena);
	for (uint32_t i = 0; i < count; i++) {
		const char *id = ids->array.items[i].string.text;
		struct schedd_error err = {0};
		struct value result;
		int rc = 0;

		while (!rc && sent < count && sent < i + TARGETS_WINDOW) {
			rc = targets_send(command, ids->array.items[sent].string.text, method,
			    extra, &msgids[sent % TARGETS_WINDOW], &err);
			sent += !rc;
		}
		if (!rc)
			rc = rpc_client_receive(
			    command->client, msgids[i % TARGETS_WINDOW], &arena, &result, &err);
		if (!rc)
			targets_json_row(command, &json, id, &result, &arena);
		if (!rc && done)
			done(command, id, &result, context);
		if (rc) {
			status = say_error(command, &err);
			if (rc == SCHEDD_ENOTFOUND && count == 1)
				gone_say(command, id);
			if (count > 1)
				status = EXIT_FAILED;
		}
		arena_clear(&arena);
		if (rc == SCHEDD_EUNREACHABLE || rc == SCHEDD_ETIMEOUT)
			break;
	}
	if (json.list && out_list_end(json.list) != EXIT_DONE && status == EXIT_DONE)
		status = EXIT_PIPE;
	if (count == 0 && !out_is_json(command))
		say(command, "No job matches.");
	return status;
}
