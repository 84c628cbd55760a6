/* SPDX-License-Identifier: MIT */
/* The columns of jobs and of runs, wherever they are listed. */
#ifndef SCHEDD_CMD_COLUMNS_H
#define SCHEDD_CMD_COLUMNS_H

#include "cmd/out.h"

extern const struct out_column columns_job[];
extern const struct out_column columns_run[];

#endif
