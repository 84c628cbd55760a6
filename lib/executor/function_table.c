/* SPDX-License-Identifier: MIT */
#include "executor/function_table.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "base/strmap.h"
#include "executor/plugin.h"

struct function_entry {
	char *name;
	struct function function;
};

struct function_table {
	struct strmap entries;
	const struct function_entry *latest; /* that was found; entries stay; NULL: none was yet */
	struct plugin_set *plugins;
};

static const char *function_entry_key(const void *item)
{
	return ((const struct function_entry *)item)->name;
}

struct function_table *function_table_new(const char *directory)
{
	struct function_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	strmap_init(&table->entries, function_entry_key);
	table->plugins = plugin_set_new(directory);
	if (!table->plugins) {
		free(table);
		return NULL;
	}
	return table;
}

static void function_entry_free(struct function_entry *entry)
{
	free(entry->name);
	free(entry);
}

void function_table_free(struct function_table *table)
{
	struct function_entry *entry;
	uint32_t position = 0;

	if (!table)
		return;
	while ((entry = strmap_next(&table->entries, &position)))
		function_entry_free(entry);
	strmap_clear(&table->entries);
	plugin_set_free(table->plugins);
	free(table);
}

static bool function_name_valid(const char *name)
{
	return name[0] &&
	       name[strspn(name,
		   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")] == '\0';
}

int function_table_add(struct function_table *table, const char *name, schedd_function call,
    void *context, struct schedd_error *err)
{
	struct function_entry *entry;
	int rc;

	if (!function_name_valid(name))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "function '%s': a name has letters, digits, '_', '.' and '-' only", name);
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return schedd_error_nomem(err);
	entry->function = (struct function){.call = call, .context = context};
	entry->name = strdup(name);
	rc = entry->name ? strmap_put(&table->entries, entry) : SCHEDD_ENOMEM;
	if (rc < 0) {
		function_entry_free(entry);
		if (rc == SCHEDD_ECONFLICT)
			return schedd_error_set(
			    err, rc, "function '%s' is registered already", name);
		return schedd_error_nomem(err);
	}
	return 0;
}

static int function_missing(const char *name, struct schedd_error *err)
{
	return schedd_error_set(err, SCHEDD_EINVAL,
	    "function '%s' is not registered here; one of a plug-in is written plugin:function",
	    name);
}

int function_table_check(
    const struct function_table *table, const char *name, struct schedd_error *err)
{
	if (table && strchr(name, ':'))
		return plugin_set_check(table->plugins, name, err);
	return table && strmap_get(&table->entries, name) ? 0 : function_missing(name, err);
}

/* Jobs that are due together mostly call the same. NULL: none of that name is registered. */
static const struct function_entry *function_registered(struct function_table *table, const char *name)
{
	if (!table->latest || strcmp(table->latest->name, name) != 0)
		table->latest = strmap_get(&table->entries, name);
	return table->latest;
}

int function_table_find(struct function_table *table, const char *name, struct function *out,
    struct schedd_error *err)
{
	const struct function_entry *entry = table ? function_registered(table, name) : NULL;

	if (entry) {
		*out = entry->function;
		return 0;
	}
	/* What is registered has no colon in its name. */
	if (table && strchr(name, ':'))
		return plugin_set_find(table->plugins, name, out, err);
	return function_missing(name, err);
}
