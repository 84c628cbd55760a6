/* SPDX-License-Identifier: MIT */
/*
 * From a tree of values to settings. The sections stores, executors and
 * listeners are maps and a list of their own; everything else is a row of the
 * table, nested by the dots of its key.
 */
#include "server/config_reader.h"

#include <stdio.h>
#include <string.h>
#include "base/suggest.h"
#include "jobfile/yaml_scalar.h"
#include "server/config_table.h"

/* Where a reader stands, for the sentence of an error. */
struct config_reader {
	struct config *config;
	const char *file;
	struct schedd_error *err;
};

static int config_reader_at(
    struct config_reader *reader, uint32_t line, uint32_t column, const char *key)
{
	char reason[SCHEDD_ERROR_MESSAGE_MAX];

	if (!reader->err)
		return SCHEDD_EFILE;
	strcpy(reason, reader->err->message);
	return schedd_error_set(reader->err, SCHEDD_EFILE, "%s:%u:%u: %s%s%s", reader->file, line,
	    column, key, key[0] ? ": " : "", reason);
}

/* ---- Sections of rows ---- */

/* The row of prefix.key; *section: rows lie below it. */
static const struct config_row *config_reader_row(
    const struct config_row *rows, const char *prefix, const char *key, bool *section)
{
	size_t depth = strlen(prefix), length = strlen(key);

	*section = false;
	for (; rows->key; rows++) {
		const char *rest = rows->key + depth;

		if (strncmp(rows->key, prefix, depth) != 0 || strncmp(rest, key, length) != 0)
			continue;
		if (rest[length] == '\0')
			return rows;
		if (rest[length] == '.')
			*section = true;
	}
	return NULL;
}

static int config_reader_unknown(struct config_reader *reader, const struct config_row *rows,
    const char *prefix, const struct value_member *member)
{
	struct suggest suggest;
	const char *closest;

	suggest_init(&suggest, member->key);
	for (; rows->key; rows++) {
		const char *rest = rows->key + strlen(prefix);
		char part[64];

		if (strncmp(rows->key, prefix, strlen(prefix)) != 0)
			continue;
		snprintf(part, sizeof(part), "%.*s", (int)strcspn(rest, "."), rest);
		suggest_offer(&suggest, part);
	}
	if (!prefix[0]) {
		suggest_offer(&suggest, "stores");
		suggest_offer(&suggest, "executors");
		suggest_offer(&suggest, "groups");
		suggest_offer(&suggest, "listeners");
	}
	closest = suggest_result(&suggest);
	schedd_error_set(reader->err, SCHEDD_EFILE,
	    "unknown setting '%s%.64s'%s%s%s; schedd --help-config lists them all", prefix,
	    member->key, closest ? ", did you mean '" : "", closest ? closest : "",
	    closest ? "'?" : "");
	return config_reader_at(reader, member->line, member->column, "");
}

static int config_reader_members(struct config_reader *reader, const struct config_row *rows,
    void *base, const char *prefix, const struct value *map);
static int config_reader_accounts(struct config_reader *reader, const struct value_member *member);

/* The path as it is meant in the file that is read. */
static const char *config_reader_path(const struct config_reader *reader, const char *path)
{
	const char *slash = strrchr(reader->file, '/');

	if (path[0] == '/' || !slash)
		return path;
	return arena_printf(
	    &reader->config->arena, "%.*s/%s", (int)(slash - reader->file), reader->file, path);
}

/* Paths that have just been set go behind those of the files before. */
static int config_reader_add_paths(
    struct config_reader *reader, const char *const **slot, const char *const *before)
{
	size_t count = 0, used = 0;
	const char **all;

	for (const char *const *path = before; path && *path; path++)
		count++;
	for (const char *const *path = *slot; *path; path++)
		count++;
	all = arena_alloc(&reader->config->arena, (count + 1) * sizeof(*all));
	if (!all)
		return schedd_error_nomem(reader->err);
	for (const char *const *path = before; path && *path; path++)
		all[used++] = *path;
	for (const char *const *path = *slot; *path; path++)
		all[used++] = config_reader_path(reader, *path);
	*slot = all;
	return 0;
}

static int config_reader_set(struct config_reader *reader, const struct config_row *row, void *base,
    const struct value *value)
{
	const char *const **slot = (const char *const **)(void *)((char *)base + row->offset);
	const char *const *before = row->type == CONFIG_PATHS ? *slot : NULL;
	int rc = config_table_set(row, base, value, &reader->config->arena, reader->err);

	return rc || row->type != CONFIG_PATHS ? rc : config_reader_add_paths(reader, slot, before);
}

static int config_reader_member(struct config_reader *reader, const struct config_row *rows,
    void *base, const char *prefix, const struct value_member *member)
{
	struct config *config = reader->config;
	bool section;
	const struct config_row *row = config_reader_row(rows, prefix, member->key, &section);
	char below[64];
	int rc;

	if (section) {
		snprintf(below, sizeof(below), "%s%s.", prefix, member->key);
		if (member->value.type == VALUE_MAP)
			return config_reader_members(reader, rows, base, below, &member->value);
		if (yaml_scalar_is_null(&member->value))
			return 0; /* nothing of it is left to be said */
		schedd_error_set(reader->err, SCHEDD_EFILE, "must be a map of settings, not %s",
		    value_type_name(member->value.type));
		return config_reader_at(reader, member->line, member->column, member->key);
	}
	if (!row)
		return config_reader_unknown(reader, rows, prefix, member);
	if (row->type == CONFIG_ACCOUNTS) {
		config->given[row - rows] = true;
		return config_reader_accounts(reader, member);
	}
	rc = config_reader_set(reader, row, base, &member->value);
	if (rc)
		return config_reader_at(reader,
		    member->value.line ? member->value.line : member->line,
		    member->value.line ? member->value.column : member->column, row->key);
	if (rows == config_table_settings())
		config->given[row - rows] = true;
	return 0;
}

static int config_reader_members(struct config_reader *reader, const struct config_row *rows,
    void *base, const char *prefix, const struct value *map)
{
	for (uint32_t i = 0; map->type == VALUE_MAP && i < map->map.count; i++) {
		int rc = config_reader_member(reader, rows, base, prefix, &map->map.members[i]);

		if (rc)
			return rc;
	}
	return 0;
}

/* ---- Stores, executors, listeners ---- */

/* An alias is a file's name and a word of the command line. */
static int config_reader_alias(struct config_reader *reader, const struct value_member *member)
{
	if (job_alias_valid(member->key))
		return 0;
	schedd_error_set(reader->err, SCHEDD_EFILE,
	    "'%.64s' is no name: letters, digits, '_', '-' and '.', at most 128", member->key);
	return config_reader_at(reader, member->line, member->column, "");
}

static int config_reader_not(
    struct config_reader *reader, const struct value_member *member, const char *what)
{
	schedd_error_set(reader->err, SCHEDD_EFILE, "must be %s, not %s", what,
	    value_type_name(member->value.type));
	return config_reader_at(reader, member->line, member->column, member->key);
}

/* One more element of size bytes behind count; elements never move once the config is read. */
static void *config_reader_grow(struct config *config, void **list, uint32_t *count, size_t size)
{
	void *bigger = arena_alloc(&config->arena, (*count + 1) * size);

	if (!bigger)
		return NULL;
	if (*count)
		memcpy(bigger, *list, *count * size);
	*list = bigger;
	return (char *)bigger + size * (*count)++;
}

static int config_reader_store(struct config_reader *reader, const struct value_member *member)
{
	struct config *config = reader->config;
	struct config_store *store = NULL;
	int rc = config_reader_alias(reader, member);

	if (rc)
		return rc;
	if (member->value.type != VALUE_MAP && !yaml_scalar_is_null(&member->value))
		return config_reader_not(reader, member, "a map with type and path");
	for (uint32_t i = 0; i < config->store_count; i++) {
		if (strcmp(config->stores[i].name, member->key) == 0)
			store = &config->stores[i];
	}
	if (!store) {
		store = config_reader_grow(
		    config, (void **)&config->stores, &config->store_count, sizeof(*store));
		if (!store)
			return schedd_error_nomem(reader->err);
		*store = (struct config_store){.name = arena_strdup(&config->arena, member->key),
		    .users = strcmp(member->key, "default") == 0};
	}
	rc = config_reader_members(reader, config_table_store(), store, "", &member->value);
	if (!rc && !store->type)
		store->type = store->url ? store_type_of_url(store->url, reader->err) : "sqlite";
	if (!rc && !store->type)
		reader->err->code = SCHEDD_EFILE;
	else if (!rc && store->path && strcmp(store->type, "memory") == 0)
		schedd_error_set(
		    reader->err, SCHEDD_EFILE, "a memory store is kept in no file: no path");
	else
		return rc;
	return config_reader_at(reader, member->line, member->column, member->key);
}

/* Most settings are for one type alone, and some do not go together. */
static int config_reader_check_executor(struct config_reader *reader,
    const struct config_executor *executor, const struct value_member *member)
{
	const struct value *map = &member->value;

	if (strcmp(executor->type, "worker") == 0) {
		if (!worker_config_check(&executor->worker, reader->err))
			return 0;
		return config_reader_at(reader, member->line, member->column, member->key);
	}
	for (uint32_t i = 0; map->type == VALUE_MAP && i < map->map.count; i++) {
		const struct value_member *one = &map->map.members[i];

		if (strcmp(one->key, "type") == 0 || strcmp(one->key, "max_workers") == 0 ||
		    strcmp(one->key, "users") == 0)
			continue;
		schedd_error_set(reader->err, SCHEDD_EFILE,
		    "is for executors of type worker, %s is of type %s", executor->name,
		    executor->type);
		return config_reader_at(reader, one->line, one->column, one->key);
	}
	return 0;
}

static int config_reader_executor(struct config_reader *reader, const struct value_member *member)
{
	struct config *config = reader->config;
	struct config_executor *executor = NULL;
	int rc = config_reader_alias(reader, member);

	if (rc)
		return rc;
	if (member->value.type != VALUE_MAP && !yaml_scalar_is_null(&member->value))
		return config_reader_not(reader, member, "a map with type and max_workers");
	for (uint32_t i = 0; i < config->executor_count; i++) {
		if (strcmp(config->executors[i].name, member->key) == 0)
			executor = &config->executors[i];
	}
	if (!executor) {
		executor = config_reader_grow(config, (void **)&config->executors,
		    &config->executor_count, sizeof(*executor));
		if (!executor)
			return schedd_error_nomem(reader->err);
		*executor =
		    (struct config_executor){.name = arena_strdup(&config->arena, member->key),
			.type = "subprocess",
			.users = strcmp(member->key, "default") == 0};
		worker_config_init(&executor->worker);
	}
	rc = config_reader_members(reader, config_table_executor(), executor, "", &member->value);
	return rc ? rc : config_reader_check_executor(reader, executor, member);
}

static int config_reader_group(struct config_reader *reader, const struct value_member *member)
{
	struct config *config = reader->config;
	struct config_group *group = NULL;
	int rc = config_reader_alias(reader, member);

	if (rc)
		return rc;
	if (member->value.type != VALUE_MAP && !yaml_scalar_is_null(&member->value))
		return config_reader_not(reader, member, "a map with users");
	for (uint32_t i = 0; i < config->group_count; i++) {
		if (strcmp(config->groups[i].name, member->key) == 0)
			group = &config->groups[i];
	}
	if (!group) {
		group = config_reader_grow(
		    config, (void **)&config->groups, &config->group_count, sizeof(*group));
		if (!group)
			return schedd_error_nomem(reader->err);
		*group = (struct config_group){.name = arena_strdup(&config->arena, member->key)};
	}
	return config_reader_members(reader, config_table_group(), group, "", &member->value);
}

/* ---- Accounts ---- */

static int config_reader_account(struct config_reader *reader, const struct value_member *member)
{
	static const struct config_limits none = {
	    INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN};
	struct config *config = reader->config;
	struct config_users *users = &config->users;
	struct config_account *account = NULL;

	if (!job_account_valid(member->key)) {
		schedd_error_set(reader->err, SCHEDD_EFILE, "'%.64s' is no account's name", member->key);
		return config_reader_at(reader, member->line, member->column, "users.accounts");
	}
	if (member->value.type != VALUE_MAP)
		return config_reader_not(reader, member, "a map of limits");
	for (uint32_t i = 0; i < users->account_count; i++) {
		if (strcmp(users->accounts[i].name, member->key) == 0)
			account = &users->accounts[i];
	}
	if (!account) {
		account = config_reader_grow(config, (void **)&users->accounts,
		    &users->account_count, sizeof(*account));
		if (!account)
			return schedd_error_nomem(reader->err);
		*account = (struct config_account){
		    .name = arena_strdup(&config->arena, member->key), .limits = none};
	}
	return config_reader_members(
	    reader, config_table_account(), &account->limits, "", &member->value);
}

static int config_reader_accounts(struct config_reader *reader, const struct value_member *member)
{
	const struct value *value = &member->value;
	int rc = 0;

	if (yaml_scalar_is_null(value))
		return 0;
	if (value->type != VALUE_MAP)
		return config_reader_not(reader, member, "a map by account");
	for (uint32_t i = 0; !rc && i < value->map.count; i++)
		rc = config_reader_account(reader, &value->map.members[i]);
	return rc;
}

/* What the rows cannot say: exactly one target, events that exist. */
static int config_reader_check_listener(
    const struct config_listener *listener, struct schedd_error *err)
{
	int targets = (listener->run != NULL) + (listener->call != NULL) + (listener->http != NULL);

	if (targets != 1)
		return schedd_error_set(err, SCHEDD_EFILE,
		    "a listener has exactly one of run, call and http, this one has %d", targets);
	for (const char *const *name = listener->events; name && *name; name++) {
		if (!scheduler_event_code(*name))
			return schedd_error_set(
			    err, SCHEDD_EFILE, "events: no event is called '%.64s'", *name);
	}
	return 0;
}

static int config_reader_listener(struct config_reader *reader, const struct value *map)
{
	struct config *config = reader->config;
	struct config_listener *listener;
	int rc;

	if (map->type != VALUE_MAP) {
		schedd_error_set(reader->err, SCHEDD_EFILE, "a listener must be a map, not %s",
		    value_type_name(map->type));
		return config_reader_at(reader, map->line, map->column, "listeners");
	}
	listener = config_reader_grow(
	    config, (void **)&config->listeners, &config->listener_count, sizeof(*listener));
	if (!listener)
		return schedd_error_nomem(reader->err);
	*listener = (struct config_listener){
	    .name = arena_printf(&config->arena, "listener-%u", config->listener_count),
	    .timeout = 10 * SCHEDD_SECOND,
	    .queue = 1000,
	};
	rc = config_reader_members(reader, config_table_listener(), listener, "", map);
	if (rc)
		return rc;
	if (config_reader_check_listener(listener, reader->err))
		return config_reader_at(reader, map->line, map->column, "listeners");
	return 0;
}

static int config_reader_section(struct config_reader *reader, const struct value_member *member)
{
	static const struct {
		const char *key;
		int (*read)(struct config_reader *reader, const struct value_member *member);
	} maps[] = {
	    {"stores", config_reader_store},
	    {"executors", config_reader_executor},
	    {"groups", config_reader_group},
	};
	const struct value *value = &member->value;
	int rc = 0;

	if (yaml_scalar_is_null(value))
		return 0;
	if (strcmp(member->key, "listeners") == 0) {
		if (value->type != VALUE_ARRAY)
			return config_reader_not(reader, member, "a list of listeners");
		for (uint32_t i = 0; !rc && i < value->array.count; i++)
			rc = config_reader_listener(reader, &value->array.items[i]);
		return rc;
	}
	if (value->type != VALUE_MAP)
		return config_reader_not(reader, member, "a map by name");
	for (size_t k = 0; k < sizeof(maps) / sizeof(maps[0]); k++)
		for (uint32_t i = 0; !rc && strcmp(maps[k].key, member->key) == 0 &&
				     i < value->map.count;
		     i++)
			rc = maps[k].read(reader, &value->map.members[i]);
	return rc;
}

static bool config_reader_is_section(const char *key)
{
	return strcmp(key, "stores") == 0 || strcmp(key, "executors") == 0 ||
	       strcmp(key, "groups") == 0 || strcmp(key, "listeners") == 0;
}

int config_reader_read(
    struct config *config, const char *file, const struct value *root, struct schedd_error *err)
{
	struct schedd_error own;
	struct config_reader reader = {.config = config, .file = file, .err = err ? err : &own};
	int rc = 0;

	if (root->type == VALUE_NIL)
		return 0; /* an empty file */
	if (root->type != VALUE_MAP) {
		schedd_error_set(reader.err, SCHEDD_EFILE, "must be a map of settings, not %s",
		    value_type_name(root->type));
		return config_reader_at(&reader, root->line, root->column, "");
	}
	for (uint32_t i = 0; !rc && i < root->map.count; i++) {
		const struct value_member *member = &root->map.members[i];

		if (config_reader_is_section(member->key))
			rc = config_reader_section(&reader, member);
		else
			rc = config_reader_member(
			    &reader, config_table_settings(), config, "", member);
	}
	config->limits.clients = config->clients;
	if (!rc && arena_failed(&config->arena))
		rc = schedd_error_nomem(err);
	return rc;
}
