/* SPDX-License-Identifier: MIT */
#include "executor/plugin.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <schedd/module.h>
#include "base/installed.h"
#include "base/dynlib.h"
#include "base/strmap.h"

struct plugin {
	char *name;
	const struct schedd_module *module;
};

struct plugin_set {
	struct strmap plugins;
	char *directory;
};

/* "plugin:function" apart. */
struct plugin_name {
	char plugin[128];
	const char *function;
	char path[PATH_MAX];
};

static const char *plugin_key(const void *item)
{
	return ((const struct plugin *)item)->name;
}

struct plugin_set *plugin_set_new(const char *directory)
{
	struct plugin_set *set = calloc(1, sizeof(*set));
	const char *told = getenv("SCHEDD_PLUGIN_DIR");
	char installed[PATH_MAX];

	if (!set)
		return NULL;
	strmap_init(&set->plugins, plugin_key);
	if (!directory && told && told[0])
		directory = told;
	if (!directory) {
		installed_find(SCHEDD_PLUGINS, SCHEDD_PLUGIN_DIR, installed);
		directory = installed;
	}
	set->directory = strdup(directory);
	if (!set->directory) {
		free(set);
		return NULL;
	}
	return set;
}

void plugin_set_free(struct plugin_set *set)
{
	struct plugin *plugin;
	uint32_t position = 0;

	if (!set)
		return;
	while ((plugin = strmap_next(&set->plugins, &position))) {
		free(plugin->name);
		free(plugin);
	}
	strmap_clear(&set->plugins);
	free(set->directory);
	free(set);
}

/* No dot, no slash: a name never leaves the directory. */
static int plugin_split(const struct plugin_set *set, const char *name, struct plugin_name *out,
    struct schedd_error *err)
{
	size_t length =
	    strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
	int path;

	if (length == 0 || length >= sizeof(out->plugin) || name[length] != ':' ||
	    !name[length + 1])
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "call '%s': write plugin:function, with letters, digits, '_' and '-' in the "
		    "plug-in's name",
		    name);
	memcpy(out->plugin, name, length);
	out->plugin[length] = '\0';
	out->function = name + length + 1;
	path = snprintf(out->path, sizeof(out->path), "%s/%s.so", set->directory, out->plugin);
	if (path < 0 || (size_t)path >= sizeof(out->path))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "call '%s': the plug-in directory's path is too long", name);
	return 0;
}

int plugin_set_check(const struct plugin_set *set, const char *name, struct schedd_error *err)
{
	struct plugin_name parts;
	int rc = plugin_split(set, name, &parts, err);

	if (rc < 0 || strmap_get(&set->plugins, parts.plugin))
		return rc;
	if (access(parts.path, R_OK) < 0)
		return schedd_error_set(err, SCHEDD_EINVAL, "call '%s': plug-in '%s': %s", name,
		    parts.path, strerror(errno));
	return 0;
}

static int plugin_load(struct plugin_set *set, const struct plugin_name *parts,
    const struct plugin **out, struct schedd_error *err)
{
	struct plugin *plugin = calloc(1, sizeof(*plugin));
	int rc;

	if (!plugin)
		return schedd_error_nomem(err);
	rc = dynlib_open(parts->path, &plugin->module, err);
	if (rc == 0) {
		plugin->name = strdup(parts->plugin);
		if (!plugin->name || strmap_put(&set->plugins, plugin) < 0)
			rc = schedd_error_nomem(err);
	}
	if (rc < 0) {
		free(plugin->name);
		free(plugin);
		return rc;
	}
	*out = plugin;
	return 0;
}

int plugin_set_find(
    struct plugin_set *set, const char *name, struct function *out, struct schedd_error *err)
{
	const struct schedd_module_function *row;
	const struct plugin *plugin;
	struct plugin_name parts;
	int rc = plugin_split(set, name, &parts, err);

	if (rc < 0)
		return rc;
	plugin = strmap_get(&set->plugins, parts.plugin);
	if (!plugin) {
		rc = plugin_load(set, &parts, &plugin, err);
		if (rc < 0)
			return rc;
	}
	for (row = plugin->module->functions; row && row->name; row++) {
		if (strcmp(row->name, parts.function) == 0) {
			*out = (struct function){.call = row->call, .context = row->context};
			return 0;
		}
	}
	return schedd_error_set(err, SCHEDD_EINVAL, "call '%s': plug-in '%s' has no function '%s'",
	    name, parts.plugin, parts.function);
}
