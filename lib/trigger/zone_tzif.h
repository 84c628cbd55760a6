/* SPDX-License-Identifier: MIT */
/* TZif files (RFC 9636), versions 1 to 4. */
#ifndef SCHEDD_TRIGGER_ZONE_TZIF_H
#define SCHEDD_TRIGGER_ZONE_TZIF_H

#include <schedd/error.h>
#include "trigger/zone_table.h"

/* The greatest file that is read; real ones are below 4 KiB. */
#define ZONE_TZIF_MAX 65536

/* Does it begin as a TZif file does? */
bool zone_tzif_is(const void *bytes, size_t length);
/*
 * Makes a table (to free()) of a whole file. Nothing in it is trusted. Files
 * that count leap seconds ("right/") are refused. SCHEDD_EINVAL with a sentence
 * that names no file, SCHEDD_ENOMEM.
 */
int zone_tzif_parse(const void *bytes, size_t length, struct zone_table **out,
    struct schedd_error *err) __attribute__((warn_unused_result));

#endif
