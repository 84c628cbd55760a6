/* SPDX-License-Identifier: MIT */
/*
 * What is wrong with a file: several places at once, each with its reason.
 * The first DIAGNOSTICS_MAX are kept, or as many as the list was made for;
 * further ones are counted.
 */
#ifndef SCHEDD_BASE_DIAGNOSTICS_H
#define SCHEDD_BASE_DIAGNOSTICS_H

#include <stdbool.h>
#include <stdint.h>
#include <schedd/error.h>
#include "base/arena.h"
#include "base/strbuf.h"

#define DIAGNOSTICS_MAX 20

struct diagnostic {
	const char *file;    /* as it was named; in the arena; "": the message names it */
	uint32_t line;       /* from 1; 0: the file as a whole */
	uint32_t column;     /* from 1, in characters; 0: the whole line */
	const char *message; /* "jobs.backup.timeout: … is not a duration"; in the arena */
};

struct diagnostics {
	struct diagnostic *items; /* owned */
	uint32_t count;           /* of items */
	uint32_t room;            /* items allocated */
	bool all;                 /* keeps DIAGNOSTICS_ALL */
	uint32_t dropped;         /* found beyond them */
	struct arena arena;
};

/* For what is read on to its end in any case: as many as a person may want to see. */
#define DIAGNOSTICS_ALL 100000

/* A list that keeps DIAGNOSTICS_MAX. */
void diagnostics_init(struct diagnostics *list);
/* A list that keeps DIAGNOSTICS_ALL. */
void diagnostics_init_all(struct diagnostics *list);
void diagnostics_clear(struct diagnostics *list);
/* Adds one; beyond the limit it is only counted. */
void diagnostics_add(struct diagnostics *list, const char *file, uint32_t line, uint32_t column,
    const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Is there no use in looking for more? */
bool diagnostics_full(const struct diagnostics *list);
/* Puts them in the order of the lines; equal places stay in the order they were added. */
void diagnostics_sort(struct diagnostics *list);
/* Appends "FILE:LINE:COLUMN: message" a line, and how many more there are. */
void diagnostics_write(const struct diagnostics *list, struct strbuf *out);
/* The first one as an error with SCHEDD_EFILE, "(and 3 more)" behind it; 0 where there is none. */
int diagnostics_error(const struct diagnostics *list, struct schedd_error *err);

#endif
