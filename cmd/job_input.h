/* SPDX-License-Identifier: MIT */
/* What add and modify read from the words, files and environment around them. */
#ifndef SCHEDD_CMD_JOB_INPUT_H
#define SCHEDD_CMD_JOB_INPUT_H

#include "cmd/command.h"

/* Each puts its fields into the map; nothing where no option asks for it. */

/* command, shell, call or http: exactly one of them or none. */
int job_input_action(struct command *command, struct value *map, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* --capture-env, then --env-file, then what -e put there already, which wins. */
int job_input_environment(struct command *command, struct value *map, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* --stdin FILE, or - for what is typed now. */
int job_input_stdin(struct command *command, struct value *map, struct schedd_error *err)
    __attribute__((warn_unused_result));

/* Decimal numbers of an option; SCHEDD_EINVAL names it. */
int job_input_integer(const char *option, const char *text, struct value *out,
    struct schedd_error *err) __attribute__((warn_unused_result));
int job_input_number(const char *option, const char *text, struct value *out,
    struct schedd_error *err) __attribute__((warn_unused_result));

#endif
