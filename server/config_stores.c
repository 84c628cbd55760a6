/* SPDX-License-Identifier: MIT */
/* What of stores can be judged without their servers, checked when all files were read. */
#include <string.h>
#include "base/duration.h"
#include "server/config.h"
#include "store/store.h"
#include "store/store_share.h"
#include "store/store_url.h"

static int config_store_span(const struct config_store *store, const char *name, const char *text,
    schedd_span least, struct schedd_error *err)
{
	struct schedd_error why;
	schedd_span span;

	if (!text)
		return 0;
	if (duration_parse(text, &span, &why))
		return schedd_error_set(
		    err, SCHEDD_EFILE, "the config: store '%s': %s: %s", store->name, name, why.message);
	if (span < least || span > SCHEDD_HOUR)
		return schedd_error_set(err, SCHEDD_EFILE,
		    "the config: store '%s': %s: '%.40s' must be from %lld s to 1 h", store->name, name, text,
		    (long long)(least / SCHEDD_SECOND));
	return 0;
}

/* Is it one of "postgresql, mysql or redis"? */
static bool config_store_can_share(const char *type)
{
	static const char types[] = STORE_SHARE_TYPES;
	size_t length = strlen(type);

	for (const char *at = types; length && (at = strstr(at, type)); at += length)
		if ((at == types || at[-1] == ' ') &&
		    (at[length] == '\0' || at[length] == ',' || at[length] == ' '))
			return true;
	return false;
}

static int config_store_shared(const struct config_store *store, struct schedd_error *err)
{
	if (!store->shared)
		return 0;
	if (store->history)
		return schedd_error_set(err, SCHEDD_EFILE,
		    "the config: store '%s': shared: its history is shared, too: leave history out", store->name);
	if (!store->url)
		return schedd_error_set(err, SCHEDD_EFILE,
		    "the config: store '%s': shared: type '%s' is kept by this machine alone, and files on NFS "
		    "cannot be locked safely; several schedd can share a store of type " STORE_SHARE_TYPES,
		    store->name, store->type);
	if (!config_store_can_share(store->type))
		return schedd_error_set(err, SCHEDD_EFILE,
		    "the config: store '%s': shared: type '%s' belongs to one schedd at a time; several can share "
		    "a store of type " STORE_SHARE_TYPES,
		    store->name, store->type);
	return 0;
}

/* What a start would refuse: a reload that took it would leave a daemon that does not come back. */
static int config_store_url(const struct config_store *store, struct schedd_error *err)
{
	struct store_url url;
	struct arena arena;
	const char *type;
	int rc;

	if (!store->url)
		return 0;
	arena_init(&arena);
	rc = store_url_parse(store->url, &arena, &url, err);
	type = rc ? NULL : store_type_of_url(store->url, NULL);
	if (!rc && type && store->type && strcmp(type, store->type) != 0)
		rc = schedd_error_set(err, SCHEDD_EINVAL,
		    "url: '%.40s' is no scheme of type '%s', but of '%s'", url.scheme, store->type, type);
	arena_clear(&arena);
	if (!rc || rc == SCHEDD_ENOMEM)
		return rc;
	schedd_error_prefix(err, "the config: store '%s'", store->name);
	return err->code = SCHEDD_EFILE;
}

int config_check_stores(const struct config *config, struct schedd_error *err)
{
	int rc = 0;

	for (uint32_t i = 0; !rc && i < config->store_count; i++) {
		const struct config_store *store = &config->stores[i];

		rc = config_store_url(store, err);
		if (!rc)
			rc = config_store_shared(store, err);
		if (!rc)
			rc = config_store_span(store, "lease", store->lease, 3 * SCHEDD_SECOND, err);
		if (!rc)
			rc = config_store_span(store, "timeout", store->timeout, SCHEDD_SECOND, err);
		if (!rc)
			rc = config_store_span(store, "connect_timeout", store->connect_timeout, SCHEDD_SECOND, err);
	}
	return rc;
}
