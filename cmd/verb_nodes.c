/* SPDX-License-Identifier: MIT */
/* nodes: the daemons that share a store, and taking one out of service. */
#include <string.h>
#include <time.h>

#include "cmd/out.h"
#include "cmd/say.h"
#include "cmd/verb_rows.h"

/* Between two looks at a node that is being drained. */
#define NODES_LOOK 200
/* Looks at one that takes jobs until that is meant: a beat that was under way may tell what was before. */
#define NODES_RESUMED 50

static const struct out_column node_columns[] = {
    {"name", "name", OUT_TEXT, true, true, false},
    {"state", "state", OUT_STATE, true, true, false},
    {"since", "since", OUT_WHEN, true, true, false},
    {"labels", "labels", OUT_TAGS, true, true, true},
    {"version", "version", OUT_TEXT, true, true, false},
    {"slots", "slots", OUT_INT, false, true, false},
    {"jobs", "jobs", OUT_INT, true, true, false},
    {"running", "running", OUT_INT, true, true, false},
    {"load", "load", OUT_LOAD, true, true, false},
    {"clock", "clock", OUT_SPAN, true, true, false},
    {"last_seen", "last_seen", OUT_WHEN, true, true, false},
    {"store", "store", OUT_TEXT, false, true, false},
    {"address", "address", OUT_TEXT, false, true, true},
    {"started_at", "started_at", OUT_WHEN, false, true, false},
    {0},
};

/*
 * Stores that are shared and not at hand are told with the reason. EXIT_FAILED:
 * no row is this daemon's own, as it has not joined yet.
 */
static int nodes_apart(struct command *command, bool own)
{
	struct schedd_error err = {0};
	struct value stores;
	int shared = 0, status = EXIT_DONE;

	if (command_call(command, "store.list", NULL, &stores, &err) != 0)
		return say_error(command, &err);
	for (uint32_t i = 0; stores.type == VALUE_ARRAY && i < stores.array.count; i++) {
		const struct value *store = &stores.array.items[i];
		const char *name = value_get_string(store, "name"), *state = value_get_string(store, "state");
		const char *why = value_get_string(store, "why");

		if (!value_get_bool(store, "shared", false))
			continue;
		shared++;
		if (own && !value_is_text(value_get(store, "state"), "ok"))
			say_hint(command, "store %s is %s%s%s: this is how it was when it was reached last", name ? name : "?",
			    state ? state : "?", why ? " as " : "", why ? why : "");
		if (own)
			continue;
		schedd_error_set(&err, SCHEDD_EFAILED, "store %s has not been joined yet (%s)%s%s", name ? name : "?",
		    state ? state : "?", why ? ": " : "", why ? why : "");
		status = say_error(command, &err);
	}
	if (!shared && !own)
		say_hint(command, "No store of this schedd is shared: it is alone (see schedd-cluster(7)).");
	return status;
}

static int nodes_list(struct command *command)
{
	struct schedd_error err = {0};
	struct out_list *list;
	struct value result;
	bool own = false;
	int status;

	if (command_call(command, "node.list", NULL, &result, &err) != 0)
		return say_error(command, &err);
	list = out_list_begin(command, node_columns, "name", &err);
	if (!list)
		return say_error(command, &err);
	for (uint32_t i = 0; result.type == VALUE_ARRAY && i < result.array.count; i++) {
		own |= value_get_bool(&result.array.items[i], "self", false);
		out_list_row(list, &result.array.items[i]);
	}
	status = out_list_end(list);
	if (status != EXIT_DONE || (own && out_is_json(command)))
		return status;
	return nodes_apart(command, own);
}

/* What is to be seen of a node that is drained. */
struct nodes_seen {
	bool gone;       /* it is dead, or not known any more */
	bool live;       /* it takes jobs */
	bool helped;     /* another does, which can have its own */
	int64_t jobs;    /* slots of such */
	int64_t running;
};

static struct nodes_seen nodes_look(const struct value *list, const char *name)
{
	struct nodes_seen seen = {.gone = true};

	for (uint32_t i = 0; list->type == VALUE_ARRAY && i < list->array.count; i++) {
		const struct value *node = &list->array.items[i];
		bool live = value_is_text(value_get(node, "state"), "live");

		if (!value_is_text(value_get(node, "name"), name)) {
			seen.helped |= live;
			continue;
		}
		if (value_is_text(value_get(node, "state"), "dead"))
			continue;
		seen.gone = false;
		seen.live |= live;
		seen.jobs += value_get_int(node, "slots", 0) + value_get_int(node, "place_slots", 0);
		seen.running += value_get_int(node, "running", 0);
	}
	return seen;
}

/* Until the others have what it had, or it takes jobs again. */
static int nodes_wait(struct command *command, const char *name)
{
	int looks = 0;
	bool alone = false;

	for (;;) {
		struct timespec pause = {.tv_nsec = NODES_LOOK * 1000000L};
		struct schedd_error err = {0};
		struct nodes_seen seen;
		struct value result;

		if (command_call(command, "node.list", NULL, &result, &err) != 0)
			return say_error(command, &err);
		seen = nodes_look(&result, name);
		if (seen.gone || (!seen.live && seen.jobs == 0 && seen.running == 0))
			return EXIT_DONE;
		looks = seen.live ? looks + 1 : 0;
		if (looks == NODES_RESUMED) {
			schedd_error_set(&err, SCHEDD_ECONFLICT,
			    "node %s takes jobs again: it was resumed or started anew while it was drained", name);
			return say_error(command, &err);
		}
		if (!seen.live && !seen.helped && seen.jobs && !alone) {
			say_hint(command, "No other node takes jobs now: %s keeps its own until one does.", name);
			alone = true;
		}
		nanosleep(&pause, NULL);
	}
}

static const struct nodes_act {
	const char *word;
	const char *method;
	const char *done; /* behind the node's name */
} nodes_acts[] = {
    {"drain", "node.drain", "has handed its jobs over, and nothing runs there"},
    {"resume", "node.resume", "takes jobs again"},
    {"forget", "node.forget", "is forgotten"},
};

static int nodes_act(struct command *command, const struct nodes_act *act, const char *name)
{
	struct value params = value_map(), result;
	struct schedd_error err = {0};
	int rc = EXIT_DONE;

	value_put(&command->arena, &params, "name", value_string_ref(name));
	if (command_call(command, act->method, &params, &result, &err) != 0)
		return say_error(command, &err);
	if (act == &nodes_acts[0] && !args_has(&command->args, "no-wait"))
		rc = nodes_wait(command, name);
	if (rc != EXIT_DONE)
		return rc;
	if (out_is_json(command))
		return out_json(command, &result);
	if (act == &nodes_acts[0] && args_has(&command->args, "no-wait"))
		say(command, "Node %s hands its jobs over.", name);
	else
		say(command, "Node %s %s.", name, act->done);
	return EXIT_DONE;
}

static int nodes_run(struct command *command)
{
	const struct args *args = &command->args;

	if (args_has(args, "no-wait") && (args->word_count == 0 || strcmp(args->words[0], "drain") != 0))
		return say_usage(command, "--no-wait is for drain");
	if (args->word_count == 0)
		return nodes_list(command);
	for (size_t i = 0; i < sizeof(nodes_acts) / sizeof(nodes_acts[0]); i++)
		if (args->word_count == 2 && strcmp(args->words[0], nodes_acts[i].word) == 0)
			return nodes_act(command, &nodes_acts[i], args->words[1]);
	return say_usage(command, "usage: schedctl nodes, or schedctl nodes drain|resume|forget NODE");
}

static const struct option nodes_options[] = {
    {.name = "no-wait",
	.section = "Options",
	.doc = "with drain: do not wait until its jobs are handed over and its runs have ended"},
    {0},
};

static const struct option *const nodes_sets[] = {nodes_options, NULL};

const struct verb verb_nodes = {
    .name = "nodes",
    .group = "Daemon",
    .summary = "show the daemons that share a store, or drain, resume or forget one",
    .usage = "[drain|resume|forget NODE]",
    .examples = "schedctl nodes\n"
		"schedctl nodes drain web2\n"
		"schedctl nodes resume web2\n"
		"schedctl nodes forget web3",
    .notes = "A node that is drained starts nothing more; its jobs go to the others, and its runs go on "
	     "until\n"
	     "they end. It stays drained until it is resumed or started anew. forget takes one out of the\n"
	     "list that is dead and will not come back. See schedd-cluster(7).",
    .options = nodes_sets,
    .complete = COMPLETE_NODE_ACT,
    .max_words = 2,
    .columns = node_columns,
    .run = nodes_run,
};
