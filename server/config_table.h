/* SPDX-License-Identifier: MIT */
/*
 * The rows of the config: every setting with its type, default and
 * documentation. Reading, --help-config, config.get and the manual follow them.
 */
#ifndef SCHEDD_SERVER_CONFIG_TABLE_H
#define SCHEDD_SERVER_CONFIG_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <schedd/error.h>
#include "base/strbuf.h"
#include "base/value.h"

enum config_type {
	CONFIG_TEXT,  /* const char *; NULL: not set */
	CONFIG_ZONE,  /* likewise: a time zone */
	CONFIG_URL,   /* likewise: may hold a secret, which is never shown */
	CONFIG_STORE, /* likewise: a type of stores */
	CONFIG_EXEC,  /* likewise: a type of executors */
	CONFIG_NODE,  /* likewise: a node's name */
	CONFIG_LABELS, /* likewise, from a map: as node_labels_read() */
	CONFIG_JOB, /* struct value: what the field of a job with that name takes; nil: not given */
	CONFIG_TEXTS, /* const char *const *, NULL-terminated; NULL: not set */
	CONFIG_PATHS, /* likewise: paths, relative ones beside the file; those of all files add up
		       */
	CONFIG_WORD,  /* int: index of one of row->words */
	CONFIG_BOOL,  /* bool */
	CONFIG_COUNT, /* uint32_t within bounds */
	CONFIG_MODE,  /* uint32_t, permissions in octal */
	CONFIG_LONG,  /* int64_t within bounds; "none" is -1 where min is -1 */
	CONFIG_SIZE,  /* int64_t bytes; "none" is -1 where min is -1 */
	CONFIG_BYTES, /* size_t bytes within bounds */
	CONFIG_ACCOUNTS, /* limits by account; read by config_reader.c */
	CONFIG_SPAN,  /* schedd_span; "none" is SCHEDD_SPAN_NONE where min is -1 */
};

struct config_row {
	const char *key; /* "limits.clients" */
	enum config_type type;
	size_t offset;            /* in the struct the rows belong to */
	int64_t min, max;         /* of numbers and bytes */
	const char *const *words; /* CONFIG_WORD: NULL-terminated */
	bool live;                /* a reload takes it over; otherwise it needs a restart */
	const char *fallback;     /* the default in words, for people */
	const char *doc;          /* one line */
};

/* Rows of struct config, of its stores, executors and listeners; ended by a NULL key. */
const struct config_row *config_table_settings(void);
const struct config_row *config_table_store(void);
const struct config_row *config_table_executor(void);
const struct config_row *config_table_group(void);
const struct config_row *config_table_account(void); /* of struct config_limits */
const struct config_row *config_table_listener(void);

/* Writes a value into the struct that starts at base; texts are copied into the arena.
 * SCHEDD_EINVAL. */
int config_table_set(const struct config_row *row, void *base, const struct value *value,
    struct arena *arena, struct schedd_error *err) __attribute__((warn_unused_result));
/* The setting as people write it: "64M", "30s", "none"; nothing where only the row's fallback
 * tells. */
void config_table_text(const struct config_row *row, const void *base, struct strbuf *out);
/* The setting as a value; borrows texts. */
struct value config_table_get(const struct config_row *row, const void *base, struct arena *arena);

#endif
