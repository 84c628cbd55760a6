/* SPDX-License-Identifier: MIT */
/* Whether a store can be used, noted and told. */
#include <stdlib.h>
#include <string.h>
#include "store/store_ops.h"

void store_set_state(struct store *store, enum store_state state, const struct schedd_error *err)
{
	bool same = store->state == state &&
		    (state == STORE_OK || strcmp(store->state_err.message, err->message) == 0);

	if (state == STORE_OK)
		memset(&store->state_err, 0, sizeof(store->state_err));
	else
		store->state_err = *err;
	if (store->state != state)
		store->state_since = store->clock->wall(store->clock->context);
	store->state = state;
	if (same)
		return;
	if (store->changed)
		store->changed(store, state, state == STORE_OK ? NULL : &store->state_err,
		    store->context);
	for (struct store_listener *listener = store->listeners, *next; listener; listener = next) {
		next = listener->next;
		listener->changed(store, listener->context);
	}
}

int store_listen(struct store *store, void (*changed)(struct store *store, void *context),
    void *context, bool listen)
{
	struct store_listener **at = &store->listeners, *listener;

	while (*at && (*at)->context != context)
		at = &(*at)->next;
	if (!listen && *at) {
		listener = *at;
		*at = listener->next;
		free(listener);
	}
	if (!listen || *at)
		return 0;
	listener = calloc(1, sizeof(*listener));
	if (!listener)
		return SCHEDD_ENOMEM;
	listener->changed = changed;
	listener->context = context;
	*at = listener;
	return 0;
}
