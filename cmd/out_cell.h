/* SPDX-License-Identifier: MIT */
#ifndef SCHEDD_CMD_OUT_CELL_H
#define SCHEDD_CMD_OUT_CELL_H

#include "cmd/out.h"

/* The members of a row that a column looks at: its own, then those shown instead; NULL: no more. */
const char *out_cell_key(const struct out_column *column, int number);

#endif
