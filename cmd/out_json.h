/* SPDX-License-Identifier: MIT */
#ifndef SCHEDD_CMD_OUT_JSON_H
#define SCHEDD_CMD_OUT_JSON_H

#include "cmd/command.h"

/* A copy in which integers under the keys of instants are RFC 3339 texts (integers with --time
 * unix). */
struct value out_json_times(
    struct command *command, struct arena *arena, const char *key, const struct value *value);

/* Appends compact JSON with its instants likewise, without a copy. key: of the value; NULL: none.
 */
void out_json_write(
    struct command *command, struct strbuf *out, const char *key, const struct value *value);

#endif
