/* SPDX-License-Identifier: MIT */
/* Where candidates come from: fixed words, this machine, or the daemon (in silence if it is away).
 */
#include "cmd/complete.h"

#include <dirent.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd/out.h"
#include "cmd/store_acts.h"
#include "cmd/verbs.h"
#include "model/event_rows.h"
#include "model/job_fields.h"
#include "model/run.h"
#include "trigger/zone.h"

#define COMPLETE_LIMIT 500 /* more candidates help nobody */

static const char *const cron_words[] = {
    "@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually", NULL};
static const char *const time_words[] = {"now", "today", "tomorrow", "noon", "midnight", "monday",
    "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", NULL};
static const char *const duration_words[] = {
    "30s", "1m", "5m", "15m", "30m", "1h", "6h", "12h", "1d", "1w", NULL};
static const char *const signal_words[] = {
    "TERM", "INT", "HUP", "QUIT", "KILL", "USR1", "USR2", "STOP", "CONT", "ALRM", NULL};

static const char *const notify_words[] = {
    "failure=", "recovery=", "change=", "success=", "late=", "missed=", "output=", NULL};

static const char *const shell_words[] = {"bash", "zsh", "fish", NULL};
static const char *const import_words[] = {"apscheduler", "crontab", "json", "systemd", NULL};
static const char *const store_options[] = {"password_file=", "run_as=", "connect_timeout=",
    "timeout=", "lease=", "outbox=", "history=", "prefix=", "compact=", "tls_ca=", "tls_cert=",
    "tls_key=", NULL};
static const char *const place_words[] = {"all", "any", NULL};
static const char *const node_words[] = {"drain", "forget", "resume", NULL};
static const char *const config_words[] = {"check", "show", NULL};

void complete_offer(
    struct strbuf *out, const char *prefix, const char *candidate, const char *description)
{
	if (strncmp(candidate, prefix, strlen(prefix)) != 0)
		return;
	for (const char *c = candidate; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return;
	strbuf_add(out, candidate);
	if (description)
		strbuf_printf(out, "\t%s", description);
	strbuf_add_char(out, '\n');
}

static void values_words(const char *const *words, const char *prefix, struct strbuf *out)
{
	for (; words && *words; words++)
		complete_offer(out, prefix, *words, NULL);
}

/* The same of a list: behind a comma the next one begins, and what is there comes no more. */
static void values_list(const char *const *words, const char *prefix, struct strbuf *out)
{
	const char *comma = strrchr(prefix, ',');
	int before = comma ? (int)(comma - prefix) + 1 : 0;

	for (; words && *words; words++) {
		char text[512];
		size_t length = strlen(*words);
		bool there = false;

		for (const char *at = prefix; at < prefix + before; at += strcspn(at, ",") + 1)
			there |= strcspn(at, ",") == length && strncmp(at, *words, length) == 0;
		if (there || before + length >= sizeof(text))
			continue;
		snprintf(text, sizeof(text), "%.*s%s", before, prefix, *words);
		complete_offer(out, prefix, text, NULL);
	}
}

static void values_events(const char *prefix, struct strbuf *out)
{
	const char *words[64] = {NULL};
	size_t count = 0;

	for (const struct event_row *row = event_rows(); row->name && count < 63; row++)
		words[count++] = row->name;
	values_list(words, prefix, out);
}

static void values_users(const char *prefix, struct strbuf *out)
{
	const struct passwd *user;

	setpwent();
	while ((user = getpwent()))
		complete_offer(out, prefix, user->pw_name, NULL);
	endpwent();
}

/* Of the verb on the line; behind a comma or a minus sign the next one begins. */
static void values_columns(const struct command *command, const char *prefix, struct strbuf *out)
{
	const char *comma = strrchr(prefix, ',');
	int before = comma ? (int)(comma - prefix) + 1 : prefix[0] == '-';
	const struct out_column *column = command->verb ? command->verb->columns : NULL;

	for (; column && column->name; column++) {
		char text[512];

		if (before < 400) {
			snprintf(text, sizeof(text), "%.*s%s", before, prefix, column->name);
			complete_offer(out, prefix, text, NULL);
		}
	}
}

/* Is a run named on the line that is being typed? */
static bool values_of_run(const struct command *command)
{
	char id[JOB_ID_MAX + 1];
	uint32_t number;

	for (int i = 1; i < command->args.rest_count; i++)
		if (run_parse_id(command->args.rest[i], id, &number))
			return true;
	return false;
}

static void values_fields(const struct command *command, const char *prefix, struct strbuf *out)
{
	if (values_of_run(command)) {
		for (const struct run_field *field = run_fields(); field->name; field++)
			complete_offer(out, prefix, field->name, field->doc);
		complete_offer(out, prefix, "attempts", "each that began");
		complete_offer(out, prefix, "result", "what its call returned");
		return;
	}
	for (const struct job_field *field = job_fields(); field->name; field++)
		if (!(field->flags & JOB_FIELD_HIDDEN))
			complete_offer(out, prefix, field->name, field->doc);
}

/* Zone names level by level, as a shell completes paths. */
static void values_zones(const char *prefix, struct strbuf *out)
{
	struct zone_cache *zones = zone_cache_new(NULL);
	const char *slash = strrchr(prefix, '/');
	int level = slash ? (int)(slash - prefix) + 1 : 0;
	char path[4096], name[512];
	struct dirent *entry;
	struct stat st;
	DIR *directory;

	if (!zones)
		return;
	snprintf(path, sizeof(path), "%s/%.*s", zone_cache_directory(zones), level, prefix);
	directory = strstr(prefix, "..") ? NULL : opendir(path);
	while (directory && (entry = readdir(directory))) {
		if (entry->d_name[0] < 'A' || entry->d_name[0] > 'Z')
			continue; /* tables and "posix", "right" */
		snprintf(path, sizeof(path), "%s/%.*s%.255s", zone_cache_directory(zones), level,
		    prefix, entry->d_name);
		snprintf(name, sizeof(name), "%.*s%.255s%s", level > 200 ? 200 : level, prefix,
		    entry->d_name, stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? "/" : "");
		complete_offer(out, prefix, name, NULL);
	}
	if (directory)
		closedir(directory);
	zone_cache_free(zones);
}

/* Offers one text member of each map in the list that a call answers. */
static void values_call(struct command *command, const char *method, const struct value *params,
    const char *list, const char *key, const char *description, const char *prefix,
    struct strbuf *out)
{
	struct value result;
	const struct value *items = &result;

	if (command_call(command, method, params, &result, NULL) != 0)
		return;
	if (list)
		items = value_get(&result, list);
	for (uint32_t i = 0; items && items->type == VALUE_ARRAY && i < items->array.count; i++) {
		const char *text = value_get_string(&items->array.items[i], key);

		if (text)
			complete_offer(out, prefix, text,
			    description ? value_get_string(&items->array.items[i], description)
					: NULL);
	}
}

static void values_jobs(
    struct command *command, const char *const *states, const char *prefix, struct strbuf *out)
{
	struct value params = value_map(), patterns = value_array(), list = value_array();
	struct value fields = value_array();

	value_append(&command->arena, &patterns,
	    value_string_ref(arena_printf(&command->arena, "%s*", prefix)));
	value_put(&command->arena, &params, "patterns", patterns);
	for (; states && *states; states++)
		value_append(&command->arena, &list, value_string_ref(*states));
	if (list.array.count > 0)
		value_put(&command->arena, &params, "states", list);
	value_append(&command->arena, &fields, value_string_ref("id"));
	value_append(&command->arena, &fields, value_string_ref("trigger_words"));
	value_put(&command->arena, &params, "fields", fields);
	value_put(&command->arena, &params, "limit", value_int(COMPLETE_LIMIT));
	values_call(command, "job.list", &params, "jobs", "id", "trigger_words", prefix, out);
}

static void values_runs(
    struct command *command, bool running, const char *prefix, struct strbuf *out)
{
	struct value params = value_map(), states = value_array(), jobs = value_array();
	const char *slash = strchr(prefix, '/');

	if (slash)
		value_append(&command->arena, &jobs,
		    value_string_n(&command->arena, prefix, (size_t)(slash - prefix)));
	if (slash && slash > prefix)
		value_put(&command->arena, &params, "jobs", jobs);
	value_append(&command->arena, &states, value_string_ref("running"));
	value_append(&command->arena, &states, value_string_ref("queued"));
	value_append(&command->arena, &states, value_string_ref("retrying"));
	if (running)
		value_put(&command->arena, &params, "states", states);
	value_put(&command->arena, &params, "limit", value_int(100));
	values_call(command, "run.list", &params, "runs", "id", "state", prefix, out);
}

static void values_tags(struct command *command, const char *prefix, struct strbuf *out)
{
	struct value params = value_map(), fields = value_array(), result;
	struct strbuf seen = STRBUF_EMPTY;
	const struct value *jobs;

	value_append(&command->arena, &fields, value_string_ref("tags"));
	value_put(&command->arena, &params, "fields", fields);
	if (command_call(command, "job.list", &params, &result, NULL) != 0)
		return;
	jobs = value_get(&result, "jobs");
	for (uint32_t i = 0; jobs && i < jobs->array.count; i++) {
		const struct value *tags = value_get(&jobs->array.items[i], "tags");

		for (uint32_t t = 0; tags && tags->type == VALUE_MAP && t < tags->map.count; t++) {
			const char *line =
			    arena_printf(&command->arena, "\n%s\n", tags->map.members[t].key);

			if (!line || strstr(strbuf_peek(&seen), line))
				continue;
			strbuf_add(&seen, line);
			complete_offer(out, prefix, tags->map.members[t].key, NULL);
		}
	}
	strbuf_clear(&seen);
}

/* Nodes by their names and their labels. */
static void values_places(struct command *command, const char *prefix, struct strbuf *out)
{
	struct strbuf seen = STRBUF_EMPTY;
	struct value nodes;

	if (command_call(command, "node.list", NULL, &nodes, NULL) != 0)
		return;
	for (uint32_t i = 0; nodes.type == VALUE_ARRAY && i < nodes.array.count; i++) {
		const struct value *node = &nodes.array.items[i], *labels = value_get(node, "labels");

		complete_offer(out, prefix, value_get_string(node, "name"), value_get_string(node, "state"));
		for (uint32_t k = 0; labels && labels->type == VALUE_MAP && k < labels->map.count; k++) {
			const char *key = labels->map.members[k].key, *text = value_get_string(labels, key);
			const char *label = arena_printf(&command->arena, "%s%s%s", key, text && *text ? "=" : "",
			    text ? text : "");
			const char *line = arena_printf(&command->arena, "\n%s\n", label ? label : "");

			if (!line || strstr(strbuf_peek(&seen), line))
				continue;
			strbuf_add(&seen, line);
			complete_offer(out, prefix, label, NULL);
		}
	}
	strbuf_clear(&seen);
}

static void values_daemon(
    struct command *command, enum complete kind, const char *prefix, struct strbuf *out)
{
	static const char *const paused[] = {"paused", NULL};
	static const char *const active[] = {"waiting", "running", "queued", NULL};

	bool of_job = kind == COMPLETE_JOB_OR_RUN && strchr(prefix, '/');

	if (kind == COMPLETE_JOB || (kind == COMPLETE_JOB_OR_RUN && !of_job))
		values_jobs(command, NULL, prefix, out);
	else if (kind == COMPLETE_JOB_PAUSED)
		values_jobs(command, paused, prefix, out);
	else if (kind == COMPLETE_JOB_ACTIVE)
		values_jobs(command, active, prefix, out);
	else if (kind == COMPLETE_RUN || kind == COMPLETE_RUN_RUNNING || of_job)
		values_runs(command, kind == COMPLETE_RUN_RUNNING, prefix, out);
	else if (kind == COMPLETE_TAG)
		values_tags(command, prefix, out);
	else if (kind == COMPLETE_GROUP)
		values_call(command, "group.list", NULL, NULL, "name", NULL, prefix, out);
	else if (kind == COMPLETE_STORE)
		values_call(command, "store.list", NULL, NULL, "name", "type", prefix, out);
	else if (kind == COMPLETE_NODE)
		values_call(command, "node.list", NULL, NULL, "name", "state", prefix, out);
	else if (kind == COMPLETE_PLACE)
		values_places(command, prefix, out);
	else if (kind == COMPLETE_EXECUTOR)
		values_call(command, "executor.list", NULL, NULL, "name", "type", prefix, out);
}

void complete_values(struct command *command, enum complete kind, const struct option *option,
    const char *prefix, struct strbuf *out)
{
	static const struct {
		enum complete kind;
		const char *const *words;
	} fixed[] = {
	    {COMPLETE_CRON, cron_words},
	    {COMPLETE_TIME, time_words},
	    {COMPLETE_DURATION, duration_words},
	    {COMPLETE_SIGNAL, signal_words},
	    {COMPLETE_SHELL, shell_words},
	    {COMPLETE_CONFIG, config_words},
	    {COMPLETE_NOTIFY, notify_words},
	    {COMPLETE_IMPORT, import_words},
	    {COMPLETE_STORE_ACT, store_act_words},
	    {COMPLETE_NODE_ACT, node_words},
	    {COMPLETE_PLACE, place_words},
	    {COMPLETE_STORE_OPTION, store_options},
	};

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (fixed[i].kind == kind)
			values_words(fixed[i].words, prefix, out);
	if (kind == COMPLETE_EVENT)
		values_events(prefix, out);
	else if (kind == COMPLETE_WORDS && strstr(option->value, ",\xe2\x80\xa6"))
		values_list(option->words, prefix, out);
	else if (kind == COMPLETE_WORDS)
		values_words(option->words, prefix, out);
	else if (kind == COMPLETE_USER)
		values_users(prefix, out);
	else if (kind == COMPLETE_ZONE)
		values_zones(prefix, out);
	else if (kind == COMPLETE_COLUMN)
		values_columns(command, prefix, out);
	else if (kind == COMPLETE_FIELD)
		values_fields(command, prefix, out);
	else
		values_daemon(command, kind, prefix, out);
	/* Running jobs by id, then their runs one by one. */
	if (kind == COMPLETE_JOB_RUNNING) {
		static const char *const running[] = {"running", "queued", NULL};

		values_jobs(command, running, prefix, out);
		if (strchr(prefix, '/'))
			values_runs(command, true, prefix, out);
	} else if (kind == COMPLETE_RUN && !strchr(prefix, '/')) {
		values_jobs(command, NULL, prefix, out);
	}
}
