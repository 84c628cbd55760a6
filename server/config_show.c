/* SPDX-License-Identifier: MIT */
/* Walks the rows of the table; the lists of stores, executors and listeners stand behind them. */
#include "server/config_show.h"

#include <string.h>
#include "server/config_table.h"

/* ---- As values ---- */

/* One element of a section with its rows. */
static struct value config_show_element(
    const struct config_row *rows, const void *base, const char *name, struct arena *arena)
{
	struct value map = value_map();

	if (name)
		value_put(arena, &map, "name", value_string_ref(name));
	for (; rows->key; rows++) {
		if (name && strcmp(rows->key, "name") == 0)
			continue;
		value_put(arena, &map, rows->key, config_table_get(rows, base, arena));
	}
	return map;
}

static struct value config_show_stores(const struct config *config, struct arena *arena)
{
	struct value list = value_array();

	for (uint32_t i = 0; i < config->store_count; i++)
		value_append(arena, &list,
		    config_show_element(
			config_table_store(), &config->stores[i], config->stores[i].name, arena));
	return list;
}

static struct value config_show_executors(const struct config *config, struct arena *arena)
{
	struct value list = value_array();

	for (uint32_t i = 0; i < config->executor_count; i++)
		value_append(arena, &list,
		    config_show_element(config_table_executor(), &config->executors[i],
			config->executors[i].name, arena));
	return list;
}

static struct value config_show_groups(const struct config *config, struct arena *arena)
{
	struct value list = value_array();

	for (uint32_t i = 0; i < config->group_count; i++)
		value_append(arena, &list,
		    config_show_element(
			config_table_group(), &config->groups[i], config->groups[i].name, arena));
	return list;
}

static struct value config_show_listeners(const struct config *config, struct arena *arena)
{
	struct value list = value_array();

	for (uint32_t i = 0; i < config->listener_count; i++)
		value_append(arena, &list,
		    config_show_element(config_table_listener(), &config->listeners[i],
			config->listeners[i].name, arena));
	return list;
}

static const struct {
	const char *key;
	struct value (*get)(const struct config *config, struct arena *arena);
	bool live;
	const char *doc;
} config_show_sections[] = {
    {"stores", config_show_stores, false,
	"job stores by name; `default` and `memory` are there anyway"},
    {"executors", config_show_executors, false, "executors by name; `default` is there anyway"},
    {"groups", config_show_groups, true, "what the config says of groups, by name"},
    {"listeners", config_show_listeners, true, "who else is told of events"},
};

#define CONFIG_SECTIONS (sizeof(config_show_sections) / sizeof(config_show_sections[0]))

/* Is key the wanted one, or does it lie below it? */
static bool config_show_wanted(const char *key, const char *wanted)
{
	size_t length = wanted ? strlen(wanted) : 0;

	return !wanted ||
	       (strncmp(key, wanted, length) == 0 && (key[length] == '\0' || key[length] == '.'));
}

/* A setting as people write it; where nothing was set, what it is by default. */
static struct value config_show_text(
    const struct config_row *row, const void *base, struct arena *arena)
{
	struct strbuf text = STRBUF_EMPTY;
	struct value value;

	config_table_text(row, base, &text);
	if (strbuf_failed(&text))
		arena->failed = true;
	value = value_string(arena, text.length ? strbuf_peek(&text) : row->fallback);
	strbuf_clear(&text);
	return value;
}

static void config_show_texts(const struct config_row *row, const struct config *config,
    const struct config *fresh, struct value *map, struct arena *arena)
{
	value_put(arena, map, "text", config_show_text(row, config, arena));
	value_put(arena, map, "default_text", config_show_text(row, fresh, arena));
}

static struct value *config_show_put(struct value *list, const char *key, struct value now,
    struct value fallback, bool given, bool live, const char *doc, struct arena *arena)
{
	struct value map = value_map();

	value_put(arena, &map, "key", value_string_ref(key));
	value_put(arena, &map, "value", now);
	value_put(arena, &map, "default", fallback);
	value_put(arena, &map, "origin", value_string_ref(given ? "config" : "default"));
	value_put(arena, &map, "live", value_bool(live));
	value_put(arena, &map, "doc", value_string_ref(doc));
	return value_append(arena, list, map);
}

/* The text of a section: what is in it, by name. */
static void config_show_names(struct value *map, const struct value *elements, struct arena *arena)
{
	struct strbuf text = STRBUF_EMPTY;

	for (uint32_t i = 0; i < elements->array.count; i++) {
		const char *name = value_get_string(&elements->array.items[i], "name");

		strbuf_printf(&text, "%s%s", i ? ", " : "", name ? name : "(no name)");
	}
	if (strbuf_failed(&text))
		arena->failed = true;
	if (map) {
		value_put(arena, map, "text",
		    value_string(arena, text.length ? strbuf_peek(&text) : "none"));
		value_put(arena, map, "default_text", value_string_ref("none"));
	}
	strbuf_clear(&text);
}

struct value config_show_value(const struct config *config, const char *key, struct arena *arena)
{
	const struct config_row *rows = config_table_settings();
	struct value map = value_map(), files = value_array(), list = value_array();
	struct config fresh;

	config_init(&fresh);
	for (uint32_t i = 0; i < config->file_count; i++)
		value_append(arena, &files, value_string_ref(config->files[i]));
	for (size_t i = 0; rows[i].key; i++) {
		struct value *setting;

		if (!config_show_wanted(rows[i].key, key))
			continue;
		setting =
		    config_show_put(&list, rows[i].key, config_table_get(&rows[i], config, arena),
			config_table_get(&rows[i], &fresh, arena), config->given[i], rows[i].live,
			rows[i].doc, arena);
		if (setting)
			config_show_texts(&rows[i], config, &fresh, setting, arena);
	}
	for (size_t i = 0; i < CONFIG_SECTIONS; i++) {
		struct value now = config_show_sections[i].get(config, arena);

		if (config_show_wanted(config_show_sections[i].key, key))
			config_show_names(
			    config_show_put(&list, config_show_sections[i].key, now, value_array(),
				now.array.count > 0, config_show_sections[i].live,
				config_show_sections[i].doc, arena),
			    &now, arena);
	}
	config_clear(&fresh);
	value_put(arena, &map, "files", files);
	value_put(arena, &map, "settings", list);
	return map;
}

struct value config_show_begun(const struct config *config, struct arena *arena)
{
	struct value begun = value_map();

	for (const struct config_row *row = config_table_settings(); row->key; row++)
		if (!row->live)
			value_put(arena, &begun, row->key, config_table_get(row, config, arena));
	for (size_t i = 0; i < CONFIG_SECTIONS; i++)
		if (!config_show_sections[i].live)
			value_put(arena, &begun, config_show_sections[i].key, config_show_sections[i].get(config, arena));
	/* Texts are the config's. */
	return value_copy(arena, &begun);
}

/* What is in force at once is compared with what was read last, all else with what is in force. */
static void config_show_change(const char *key, bool live, const struct value *before, const struct value *after,
    const struct value *begun, struct arena *arena, struct value *list)
{
	const struct value *was = live ? before : value_get(begun, key);

	if (!was || !value_equal(was, after))
		value_append(arena, list, value_string_ref(key));
}

void config_show_changes(const struct config *old, const struct config *new, const struct value *begun,
    struct arena *arena, struct value *changed, struct value *restart)
{
	*changed = value_array();
	*restart = value_array();
	for (const struct config_row *row = config_table_settings(); row->key; row++) {
		struct value before = config_table_get(row, old, arena);
		struct value after = config_table_get(row, new, arena);

		config_show_change(row->key, row->live, &before, &after, begun, arena, row->live ? changed : restart);
	}
	for (size_t i = 0; i < CONFIG_SECTIONS; i++) {
		bool live = config_show_sections[i].live;
		struct value before = config_show_sections[i].get(old, arena);
		struct value after = config_show_sections[i].get(new, arena);

		config_show_change(
		    config_show_sections[i].key, live, &before, &after, begun, arena, live ? changed : restart);
	}
}

/* ---- As text ---- */

static void config_show_rows(struct strbuf *out, const struct config_row *rows, const char *prefix)
{
	for (; rows->key; rows++)
		strbuf_printf(out, "%s%s\n    %s (default: %s)%s\n", prefix, rows->key, rows->doc,
		    rows->fallback, rows->live ? "" : " [restart]");
}

void config_show_help(struct strbuf *out)
{
	strbuf_add(out,
	    "Settings of schedd.yaml and conf.d/*.yaml. The dots are levels of the YAML:\n"
	    "limits.clients is written as\n    limits:\n      clients: 100\n"
	    "What is marked [restart] is not taken over by a reload.\n\n");
	config_show_rows(out, config_table_settings(), "");
	config_show_rows(out, config_table_store(), "stores.NAME.");
	config_show_rows(out, config_table_executor(), "executors.NAME.");
	config_show_rows(out, config_table_group(), "groups.NAME.");
	config_show_rows(out, config_table_account(), "users.accounts.NAME.");
	config_show_rows(out, config_table_listener(), "listeners[].");
}

static void config_show_pages(struct strbuf *out, const struct config_row *rows, const char *prefix)
{
	for (; rows->key; rows++)
		strbuf_printf(out, ".TP\n.B %s%s\n%s; default: %s%s\n", prefix, rows->key,
		    rows->doc, rows->fallback, rows->live ? "" : " (needs a restart)");
}

void config_show_manual(struct strbuf *out)
{
	config_show_pages(out, config_table_settings(), "");
	config_show_pages(out, config_table_store(), "stores.\\fINAME\\fP.");
	config_show_pages(out, config_table_executor(), "executors.\\fINAME\\fP.");
	config_show_pages(out, config_table_group(), "groups.\\fINAME\\fP.");
	config_show_pages(out, config_table_account(), "users.accounts.\\fINAME\\fP.");
	config_show_pages(out, config_table_listener(), "listeners[].");
}
