/* SPDX-License-Identifier: MIT */
/*
 * Files of variables, by the rules of systemd's EnvironmentFile= (systemd.exec(5)):
 * NAME=VALUE lines, comments with '#' or ';', quotes, and a backslash that
 * continues a line. A leading "export" is fine, too.
 */
#ifndef SCHEDD_JOBFILE_ENV_FILE_H
#define SCHEDD_JOBFILE_ENV_FILE_H

#include <schedd/error.h>
#include "base/value.h"

/*
 * Puts each variable into the map *env; a later one replaces an earlier one of
 * its name. text is as text_file_read() gives it. SCHEDD_EFILE names the line
 * that is no variable or whose quote is never closed. SCHEDD_ENOMEM.
 */
int env_file_read(const char *text, size_t length, struct arena *arena, struct value *env,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* Puts one variable in the same way. SCHEDD_ENOMEM. */
int env_file_set(struct arena *arena, struct value *env, const char *name, const char *text)
    __attribute__((warn_unused_result));

#endif
