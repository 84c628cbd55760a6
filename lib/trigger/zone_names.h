/* SPDX-License-Identifier: MIT */
/* The names in a tz database's directory. */
#ifndef SCHEDD_TRIGGER_ZONE_NAMES_H
#define SCHEDD_TRIGGER_ZONE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include "base/suggest.h"

#define ZONE_NAME_MAX 127

/* Called with each name; true ends the walk. */
typedef bool (*zone_names_fn)(void *context, const char *name);

/* Made of parts of letters, digits, + - _ and . (but not "." or ".."), joined by single slashes? */
bool zone_names_valid(const char *name);
/*
 * Finds the file of a name whatever its case and writes the name as it is
 * spelled in the directory to out, of ZONE_NAME_MAX + 1 bytes. False: there is
 * none.
 */
bool zone_names_resolve(const char *directory, const char *name, char *out);
/*
 * Walks all names that look like zones (each part begins with a capital), in no
 * order. A directory that cannot be read is passed over.
 */
void zone_names_walk(const char *directory, zone_names_fn visit, void *context);
/* Offers the search all names, and to a word without a slash their last parts too. */
void zone_names_suggest(const char *directory, struct suggest *suggest);

#endif
