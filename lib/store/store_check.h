/* SPDX-License-Identifier: MIT */
/*
 * Does a store that is there take writes, give them back and let go of them?
 * Tried with an id that no job can have, so that nothing of anybody is touched.
 */
#ifndef SCHEDD_STORE_STORE_CHECK_H
#define SCHEDD_STORE_STORE_CHECK_H

#include "store/store.h"

/*
 * Answers {"write","read","remove"}, how long each took in seconds. A store that
 * is not STORE_OK is refused with its state and why. Never inside the call.
 */
void store_check(struct store *store, store_value_fn call, void *context);

#endif
