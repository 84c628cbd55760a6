/* SPDX-License-Identifier: MIT */
/* What stands under the owner's key: who has the store, and since when. */
#include <inttypes.h>
#include <string.h>
#include "base/iso8601.h"
#include "base/json.h"
#include "store/modules/store_keys.h"

int store_keys_owner_held(
    struct store_link *link, const struct value *owner, struct schedd_error *err)
{
	const char *holder = value_get_string(owner, "holder");
	struct strbuf since = STRBUF_EMPTY;

	iso8601_format(&since, value_get_int(owner, "since", 0), 0, true);
	store_link_fail(link, STORE_FAULT_HELD, err, "it belongs to %s since %s",
	    holder ? holder : "somebody", strbuf_peek(&since));
	strbuf_clear(&since);
	return SCHEDD_EFAILED;
}

void store_keys_owner_write(struct strbuf *out, const struct store_link *link)
{
	const struct store_remote_config *config = link->config;

	strbuf_printf(
	    out, "{\"identity\":\"%s\",\"life\":\"%s\",\"holder\":", config->identity, config->life);
	json_write_string(out, config->holder, strlen(config->holder));
	strbuf_printf(out, ",\"since\":%" PRId64 "}", link->clock->wall(link->clock->context));
}
