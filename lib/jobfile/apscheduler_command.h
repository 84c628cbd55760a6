/* SPDX-License-Identifier: MIT */
/* A command of python3 that calls module:function: what stands for a function where no worker is. */
#ifndef SCHEDD_JOBFILE_APSCHEDULER_COMMAND_H
#define SCHEDD_JOBFILE_APSCHEDULER_COMMAND_H

#include <stdbool.h>
#include "base/value.h"

/* The argv. args (an array) and kwargs (a map) may be NULL or nil; check arena_failed() after. */
struct value apscheduler_command_make(struct arena *arena, const char *func,
    const struct value *args, const struct value *kwargs);
/* The other way round. False: it is another command. */
bool apscheduler_command_parse(const struct value *argv, struct arena *arena, struct value *func,
    struct value *args, struct value *kwargs);

#endif
