/* SPDX-License-Identifier: MIT */
/*
 * defaults.FIELD: what a job gets that does not say, for every field that a job
 * file may give. It becomes part of the job when that is made; what the
 * scheduler itself falls back to (settings) has rows of its own and follows a reload.
 */
#ifndef SCHEDD_SERVER_CONFIG_DEFAULTS_H
#define SCHEDD_SERVER_CONFIG_DEFAULTS_H

#include "server/config.h"
#include "server/config_table.h"

/*
 * Appends a row for each such field that has none among the count rows, which
 * have room for CONFIG_SETTINGS_MAX. Returns how many there are then.
 */
size_t config_defaults_rows(struct config_row *rows, size_t count);
/* Adds to the fields of a new job what they do not say. What is added is the config's. */
void config_defaults_fill(const struct config *config, struct value *fields, struct arena *arena);

#endif
