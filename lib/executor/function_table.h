/* SPDX-License-Identifier: MIT */
/*
 * C functions that jobs may call: those the host registered by name, and
 * "plugin:function" from shared objects in the plug-in directory, loaded when
 * they are first called. For the loop's thread.
 */
#ifndef SCHEDD_EXECUTOR_FUNCTION_TABLE_H
#define SCHEDD_EXECUTOR_FUNCTION_TABLE_H

#include <schedd/error.h>
#include <schedd/executor.h>

struct function_table;

struct function {
	schedd_function call;
	void *context;
};

/* directory: of plug-ins, copied; NULL: where schedd is installed. NULL: no memory. */
struct function_table *function_table_new(const char *directory);
/* NULL is fine. Loaded plug-ins stay in memory. */
void function_table_free(struct function_table *table);
/* SCHEDD_EINVAL: no name [A-Za-z0-9_.-]+; SCHEDD_ECONFLICT: it is taken. */
int function_table_add(struct function_table *table, const char *name, schedd_function call,
    void *context, struct schedd_error *err) __attribute__((warn_unused_result));
/* Could it be called? As find, but loads nothing: of a plug-in only the file is looked for. */
int function_table_check(const struct function_table *table, const char *name,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* SCHEDD_EINVAL says what is missing: function, plug-in, or the function in it. table may be NULL.
 */
int function_table_find(struct function_table *table, const char *name, struct function *out,
    struct schedd_error *err) __attribute__((warn_unused_result));

#endif
