/* SPDX-License-Identifier: MIT */
#include "cmd/verb_rows.h"

#include <stddef.h>

#define VERB_ROW_LISTED(name) &verb_##name,

const struct verb *const verb_rows[] = {VERB_ROWS(VERB_ROW_LISTED) NULL};
