/* SPDX-License-Identifier: MIT */
/*
 * A tree of plain data: what MessagePack, JSON and YAML have in common.
 *
 * Every outside form is read into a value and written from one; the rules of
 * jobs, triggers and configs are written once, against values. Strings and
 * elements live in the arena they were built with (or in memory the builder
 * was told to borrow); a value itself is copied freely.
 */
#ifndef SCHEDD_BASE_VALUE_H
#define SCHEDD_BASE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"

enum value_type {
	VALUE_NIL,
	VALUE_BOOL,
	VALUE_INT,
	VALUE_REAL,
	VALUE_STRING,
	VALUE_ARRAY,
	VALUE_MAP,
};

struct strbuf;
struct value_member;

struct value {
	enum value_type type;
	uint32_t line;   /* where it stood in a file, from 1; 0: unknown */
	uint32_t column; /* likewise */
	bool
	    plain; /* a string that stood in a YAML file without quotes, its type not yet decided */
	union {
		bool boolean;
		int64_t integer;
		double real;
		struct {
			const char *text; /* NUL-terminated; may hold NULs before that */
			size_t length;    /* bytes without the final NUL */
		} string;
		struct {
			struct value *items;
			uint32_t count;
			uint32_t capacity;
		} array;
		struct {
			struct value_member *members; /* in the order they were put */
			uint32_t count;
			uint32_t capacity;
		} map;
	};
};

struct value_member {
	const char *key; /* NUL-terminated */
	struct value value;
	uint32_t line;   /* of the key; 0: unknown */
	uint32_t column; /* likewise */
};

struct value value_nil(void);
struct value value_bool(bool boolean);
struct value value_int(int64_t integer);
struct value value_real(double real);
/* Copies text into the arena. A NULL text makes nil. */
struct value value_string(struct arena *arena, const char *text);
struct value value_string_n(struct arena *arena, const char *text, size_t length);
/* What a buffer holds, which is emptied; where it has failed so has the arena. */
struct value value_string_take(struct arena *arena, struct strbuf *text);
/* Borrows text, which must outlive the value. A NULL text makes nil. */
struct value value_string_ref(const char *text);
struct value value_array(void);
struct value value_map(void);

/* Room for so many elements in all, exactly, of an array or map that has none yet. */
void value_reserve(struct arena *arena, struct value *value, uint32_t count);
/* Appends to an array. The returned slot stays valid until the next append; NULL: no memory. */
struct value *value_append(struct arena *arena, struct value *array, struct value item);
/*
 * Adds a member to a map, after the others, without looking for an equal key.
 * Borrows key, which must outlive the map. NULL: no memory.
 */
struct value *value_put(struct arena *arena, struct value *map, const char *key, struct value item);
/* The member's value, or NULL if map is not a map or has no such key. */
const struct value *value_get(const struct value *map, const char *key);
/* The member itself, likewise. */
const struct value_member *value_find(const struct value *map, const char *key);
/* The text of a string member; NULL if there is none or it is no string. */
const char *value_get_string(const struct value *map, const char *key);
/* The integer of a member; otherwise what is given as fallback. */
int64_t value_get_int(const struct value *map, const char *key, int64_t fallback);
bool value_get_bool(const struct value *map, const char *key, bool fallback);

/* True for a string equal to text, NULs inside counting. */
bool value_is_text(const struct value *value, const char *text);
/* Integer or real as a real. False (and *out untouched) for anything else. */
bool value_number(const struct value *value, double *out);
/* Deep equality; maps compare without order, 1 and 1.0 are equal. */
bool value_equal(const struct value *a, const struct value *b);
/* A deep copy into another arena; check arena_failed() after. */
struct value value_copy(struct arena *arena, const struct value *value);
/* "a map", "a string", ... for error messages. */
const char *value_type_name(enum value_type type);

#endif
