/* SPDX-License-Identifier: MIT */
#ifndef SCHEDD_CMD_OUT_SETTINGS_H
#define SCHEDD_CMD_OUT_SETTINGS_H

#include "cmd/command.h"

/* From options, environment (NO_COLOR, FORCE_COLOR, TERM, COLUMNS) and the terminal. */
int out_settings_read(struct out_settings *out, const struct args *args, struct schedd_error *err)
    __attribute__((warn_unused_result));

/* Sets the format alone, for errors about words that could not be taken apart. */
void out_settings_guess(struct out_settings *out, int argc, const char *const *argv);

#endif
