/* SPDX-License-Identifier: MIT */
/* Stores whose runs another one keeps, checked when all files were read. */
#include <string.h>
#include "server/config.h"
#include "store/store.h"

bool config_store_apart(const struct config_store *store)
{
	return store->history || !store_type_keeps_history(store->type);
}

static const struct config_store *config_history_find(
    const struct config *config, const char *name)
{
	for (uint32_t i = 0; i < config->store_count; i++)
		if (strcmp(config->stores[i].name, name) == 0)
			return &config->stores[i];
	return NULL;
}

static int config_history_check(const struct config *config, const struct config_store *store,
    struct schedd_error *err)
{
	const char *name = store->history ? store->history : "default";
	const struct config_store *other = config_history_find(config, name);

	if (strcmp(name, store->name) == 0 && store_type_keeps_history(store->type))
		return schedd_error_set(err, SCHEDD_EFILE,
		    "the config: store '%s': history: it is the store itself, leave it out to keep its "
		    "runs there",
		    store->name);
	if (strcmp(name, store->name) == 0)
		return schedd_error_set(err, SCHEDD_EFILE,
		    "the config: store '%s': type '%s' keeps jobs alone: say with history which other "
		    "store keeps their runs",
		    store->name, store->type);
	if (other && config_store_apart(other))
		return schedd_error_set(err, SCHEDD_EFILE,
		    "the config: store '%s': history: store '%s' keeps its own runs elsewhere, name one "
		    "that keeps them itself",
		    store->name, name);
	/* These two are there without being named. */
	if (other || strcmp(name, "default") == 0 || strcmp(name, "memory") == 0)
		return 0;
	return schedd_error_set(err, SCHEDD_EFILE,
	    "the config: store '%s': history: no store '%s' is configured", store->name, name);
}

int config_check_histories(const struct config *config, struct schedd_error *err)
{
	int rc = 0;

	for (uint32_t i = 0; !rc && i < config->store_count; i++)
		if (config_store_apart(&config->stores[i]))
			rc = config_history_check(config, &config->stores[i], err);
	return rc;
}
