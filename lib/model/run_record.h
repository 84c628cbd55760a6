/* SPDX-License-Identifier: MIT */
/* A run as a map of all that is kept of it, and back; what is as in a new run is left out. */
#ifndef SCHEDD_MODEL_RUN_RECORD_H
#define SCHEDD_MODEL_RUN_RECORD_H

#include "model/run.h"

/* Texts are borrowed from the run. */
struct value run_record_write(const struct run *run, struct arena *arena);
/* Fills an initialised run, which is the caller's to clear. SCHEDD_EFILE says what is wrong. */
int run_record_read(struct run *run, const struct value *map, struct schedd_error *err)
    __attribute__((warn_unused_result));

#endif
