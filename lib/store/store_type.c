/* SPDX-License-Identifier: MIT */
/* The registry of types, and opening a store by its type. */
#include <stdio.h>
#include <string.h>
#include "base/dynlib.h"
#include "store/store_ops.h"
#include "store/store_split.h"

static const struct store_ops *const store_registry[] = {
    &store_sqlite_ops,
    &store_memory_ops,
};

#define STORE_TYPES (sizeof(store_registry) / sizeof(store_registry[0]))

/* Those of the registry, then those in modules: schedd_store_TYPE.so, in a package of its own. */
static const char *const store_type_names[] = {
    "sqlite", "memory", "postgresql", "redis", "mysql", "etcd", "mongodb", "zookeeper", NULL};

const char *const *store_types(void)
{
	return store_type_names;
}

int store_type_check(const char *type, struct schedd_error *err)
{
	char known[256] = "";
	size_t used = 0;

	for (size_t i = 0; store_type_names[i]; i++) {
		const char *between = !i ? "" : store_type_names[i + 1] ? ", " : " or ";
		int length = snprintf(
		    known + used, sizeof(known) - used, "%s%s", between, store_type_names[i]);

		if (strcmp(store_type_names[i], type) == 0)
			return 0;
		if (length > 0 && (size_t)length < sizeof(known) - used)
			used += (size_t)length;
	}
	return schedd_error_set(
	    err, SCHEDD_EINVAL, "type '%.64s' is not known, use %s", type, known);
}

const char *store_type_of_url(const char *url, struct schedd_error *err)
{
	static const struct {
		const char *scheme, *type;
	} schemes[] = {{"postgresql://", "postgresql"}, {"postgres://", "postgresql"},
	    {"mysql://", "mysql"}, {"mariadb://", "mysql"}, {"redis://", "redis"},
	    {"rediss://", "redis"}, {"unix://", "redis"}, {"mongodb://", "mongodb"},
	    {"zookeeper://", "zookeeper"}, {"etcd://", "etcd"}, {"etcds://", "etcd"}};
	const char *end = strstr(url, "://");
	char known[200] = "";
	size_t used = 0;

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strncmp(url, schemes[i].scheme, strlen(schemes[i].scheme)) == 0)
			return schemes[i].type;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		int length = snprintf(known + used, sizeof(known) - used, "%s%s",
		    used ? ", " : "", schemes[i].scheme);

		if (length > 0 && (size_t)length < sizeof(known) - used)
			used += (size_t)length;
	}
	/* What stands before no scheme may be a password. */
	schedd_error_set(err, SCHEDD_EINVAL,
	    "url: %s%.*s%s does not tell its type: begin it with %s, or say which with type",
	    end ? "its scheme '" : "it has no scheme and", end ? (int)(end - url < 40 ? end - url : 40) : 0,
	    url, end ? "'" : "", known);
	return NULL;
}

bool store_type_keeps_history(const char *type)
{
	static const char *const alone[] = {"etcd", "zookeeper"};

	for (size_t i = 0; i < sizeof(alone) / sizeof(alone[0]); i++)
		if (strcmp(alone[i], type) == 0)
			return false;
	return true;
}

static int store_find(const char *type, const struct store_ops **out, struct schedd_error *err)
{
	const struct schedd_module *module;
	char name[64];
	int rc = store_type_check(type, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < STORE_TYPES; i++)
		if (strcmp(store_registry[i]->type, type) == 0) {
			*out = store_registry[i];
			return 0;
		}
	snprintf(name, sizeof(name), "store_%s", type);
	rc = dynlib_module(name, &module, err);
	if (rc == SCHEDD_ENOTFOUND)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "type '%s' needs the module schedd_%s.so: install schedd-store-%s", type, name,
		    type);
	if (rc == 0 && !module->store)
		rc = schedd_error_set(
		    err, SCHEDD_EINVAL, "module schedd_%s.so holds no store", name);
	if (rc == 0)
		*out = module->store;
	return rc;
}

int store_open_as(const struct store_ops *ops, const struct store_config *config,
    struct store **out, struct schedd_error *err)
{
	if (config->history)
		return store_split_open(ops, config, out, err);
	return store_open_alone(ops, config, out, err);
}

int store_open(const struct store_config *config, struct store **out, struct schedd_error *err)
{
	const struct store_ops *ops = NULL;

	if (store_find(config->type, &ops, err))
		return schedd_error_prefix(err, "store '%s'", config->name);
	return store_open_as(ops, config, out, err);
}

int store_open_wait(const struct store_config *config, schedd_span limit, struct store **out,
    struct schedd_error *err)
{
	struct store *store;
	int rc = store_open(config, &store, err);

	if (rc < 0)
		return rc;
	rc = store_wait(store, limit, err);
	if (rc < 0 && !store->ops->needs_url) {
		store_close(store);
		return rc;
	}
	*out = store;
	return 0;
}
