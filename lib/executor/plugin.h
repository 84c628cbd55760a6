/* SPDX-License-Identifier: MIT */
/* Shared objects with functions for jobs: "NAME:function" is function in DIRECTORY/NAME.so. */
#ifndef SCHEDD_EXECUTOR_PLUGIN_H
#define SCHEDD_EXECUTOR_PLUGIN_H

#include <schedd/error.h>
#include "executor/function_table.h"

struct plugin_set;

/* directory is copied; NULL: SCHEDD_PLUGIN_DIR, or where schedd is installed. NULL: no memory. */
struct plugin_set *plugin_set_new(const char *directory);
void plugin_set_free(struct plugin_set *set);
/* Is "plugin:function" well-formed and is its file there? SCHEDD_EINVAL says what is not. */
int plugin_set_check(const struct plugin_set *set, const char *name, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Loads the plug-in if need be. SCHEDD_EINVAL as above, or: it has no such function. */
int plugin_set_find(struct plugin_set *set, const char *name, struct function *out,
    struct schedd_error *err) __attribute__((warn_unused_result));

#endif
