/* SPDX-License-Identifier: MIT */
/* Whether a store can be used, noted and told. */
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
	if (!same && store->changed)
		store->changed(store, state, state == STORE_OK ? NULL : &store->state_err,
		    store->context);
}
