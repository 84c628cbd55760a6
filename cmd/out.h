/* SPDX-License-Identifier: MIT */
/*
 * Showing results. A verb hands over maps as the daemon sent them and the rows
 * of its columns; format, times, colour and width are decided here. Nothing of
 * what is shown can send control sequences to a terminal.
 */
#ifndef SCHEDD_CMD_OUT_H
#define SCHEDD_CMD_OUT_H

#include "base/strbuf.h"
#include "cmd/command.h"

enum out_type {
	OUT_TEXT,
	OUT_INT,
	OUT_LIMIT, /* where it is 0 there is none */
	OUT_COUNT, /* where it is 1 throughout, people need no column for it */
	OUT_WHEN,  /* µs integer */
	OUT_NEXT,  /* the same of a job; without one, the end of its pause or what it waits for */
	OUT_LEFT,  /* µs integer: how long it is until then, or until the end of the pause */
	OUT_SPAN,  /* seconds */
	OUT_BYTES,
	OUT_SINCE, /* a state; to people, since when where that is there */
	OUT_STATE, /* coloured by its meaning */
	OUT_BOOL,
	OUT_LIST, /* texts joined by commas */
	OUT_LINES, /* the same; of one object each on a line of its own */
	OUT_TAGS, /* a map as k=v */
	OUT_NODE, /* a text; people need no column for it where no row has one, nor programs that did not ask */
	OUT_LOAD, /* a number; to people with two digits behind the point */
};

struct out_column {
	const char *name; /* --columns and --sort, lower case */
	const char *key;  /* path into the map: "scheduler.jobs" */
	enum out_type type;
	bool normal;  /* in the table by default */
	bool wide;    /* with -o wide */
	bool shrinks; /* may be cut when the terminal is too narrow */
};

/* A list being shown, row by row, so that long ones stream. */
struct out_list;

/* Columns end with a NULL name; name_key is what -o name prints. NULL and *err: unknown column in
 * --columns or --sort. */
struct out_list *out_list_begin(struct command *command, const struct out_column *columns,
    const char *name_key, struct schedd_error *err);
/* The members of rows that it looks at, without paths; an empty array: all. */
struct value out_list_fields(const struct out_list *list, struct arena *arena);
/* Shows or gathers one row; the row may go away after. */
void out_list_row(struct out_list *list, const struct value *row);
/* Forgets what was gathered, after an error; what streamed already stays. NULL is fine. */
void out_list_drop(struct out_list *list);
/* Sorts (if asked), aligns, prints what was gathered. Returns the exit status (141 for a closed
 * pipe). */
int out_list_end(struct out_list *list);

/* One object: JSON, or "name: value" lines by the columns. */
int out_object(
    struct command *command, const struct out_column *columns, const struct value *object);
/* Follows a path such as "scheduler.jobs"; NULL: not there, or nil. */
const struct value *out_path(const struct value *row, const char *key);
/* One cell of a row, made safe. */
void out_cell_of(struct command *command, struct strbuf *out, const struct out_column *column,
    const struct value *row);
/* One cell, made safe; NULL becomes "-". */
void out_cell(
    struct command *command, struct strbuf *out, enum out_type type, const struct value *value);
/* The colour of a job's or run's state, "" without colour. */
const char *out_state_color(const struct command *command, const char *state);
/* Any value as JSON of the chosen kind, times as RFC 3339. */
int out_json(struct command *command, const struct value *value);
bool out_is_json(const struct command *command);

/* One instant as --time wants it: local to people, RFC 3339 to programs. SCHEDD_TIME_NONE becomes
 * "-". */
void out_when(const struct command *command, struct strbuf *out, schedd_time when);
/*
 * Likewise a time of a trigger, with what the clock says in the trigger's zone where that differs;
 * RFC 3339 is in that zone.
 */
void out_fire(
    const struct command *command, struct strbuf *out, schedd_time when, const struct zone *zone);
/* "3.2s", "1h05m". */
void out_span(struct strbuf *out, double seconds);
/* "12.4M". */
void out_bytes(struct strbuf *out, int64_t bytes);
/* A copy with control characters, bidi overrides and broken UTF-8 made visible. */
void out_safe(struct strbuf *out, const char *text, size_t length, bool keep_newlines);
/* Columns on a terminal: East Asian wide and emoji 2, combining marks 0 (UAX #11). */
int out_width(const char *text, size_t length);
/* How many bytes of text fit into so many columns, never part of a character. */
size_t out_fit(const char *text, size_t length, int width);
/* Writes to stdout; false: the reader went away or the disk is full. */
bool out_write(const char *bytes, size_t length);
/* The escape sequence for a meaning ("good", "bad", "warn", "dim", "bold", NULL resets), or ""
 * without colour. */
const char *out_color(const struct command *command, const char *meaning);

#endif
