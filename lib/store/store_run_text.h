/* SPDX-License-Identifier: MIT */
/* A run as one line of JSON, for stores that keep rows as text: what is not at its default. */
#ifndef SCHEDD_STORE_STORE_RUN_TEXT_H
#define SCHEDD_STORE_STORE_RUN_TEXT_H

#include "base/arena.h"
#include "base/strbuf.h"
#include "model/run.h"

/* All but its job and number, by which such a row is found. */
void store_run_write(struct strbuf *out, const struct run *run);
/* Texts live in the arena; job and number are left alone. SCHEDD_EFILE: it is no run. */
int store_run_read(const char *text, size_t length, struct arena *arena, struct run *run,
    struct schedd_error *err) __attribute__((warn_unused_result));

#endif
