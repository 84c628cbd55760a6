/* SPDX-License-Identifier: MIT */
/* Parameters of the methods of stores; a part of methods.c, whose words it uses. */
#ifndef SCHEDD_PROTO_METHODS_STORE_H
#define SCHEDD_PROTO_METHODS_STORE_H

#include "proto/methods.h"

#define ALWAYS true
#define MAYBE false
#define END_OF_PARAMS                                                                              \
	{                                                                                          \
		NULL, METHOD_ANY, MAYBE, NULL                                                      \
	}

static const struct method_param backup_params[] = {
    {"path", METHOD_TEXT, ALWAYS, "absolute path of the new file"},
    {"store", METHOD_TEXT, MAYBE, "which store; `default` if left out"},
    {"logical", METHOD_BOOL, MAYBE, "as text that any store can read; a server's always is"},
    END_OF_PARAMS,
};
static const struct method_param restore_params[] = {
    {"path", METHOD_TEXT, ALWAYS, "absolute path of what a logical backup wrote"},
    {"store", METHOD_TEXT, MAYBE, "into which store; `default` if left out"},
    {"replace", METHOD_BOOL, MAYBE, "jobs that are there are changed into those of the file"},
    END_OF_PARAMS,
};
static const struct method_param store_add_params[] = {
    {"name", METHOD_TEXT, ALWAYS, "its alias"},
    {"type", METHOD_TEXT, MAYBE, "memory, sqlite, postgresql; by the url if left out, else sqlite"},
    {"path", METHOD_TEXT, MAYBE, "sqlite: the database; a file in the state directory if left out"},
    {"url", METHOD_TEXT, MAYBE, "where the server is; never shown with its password"},
    {"options", METHOD_MAP, MAYBE, "for a server: password_file, run_as, timeout, … as texts"},
    END_OF_PARAMS,
};
static const struct method_param store_check_params[] = {
    {"name", METHOD_TEXT, MAYBE, "one that is there; else url"},
    {"url", METHOD_TEXT, MAYBE, "a server that need not be configured"},
    {"type", METHOD_TEXT, MAYBE, "of the server, where the url does not tell it"},
    {"options", METHOD_MAP, MAYBE, "for the url, as for store.add"},
    END_OF_PARAMS,
};
#define MOVE_PARAMS                                                                                \
	{"to", METHOD_TEXT, ALWAYS, "the store they are to live in"},                              \
	    {"history", METHOD_BOOL, MAYBE, "runs that ended are taken along"},                    \
	    {"wait", METHOD_BOOL, MAYBE, "for runs that go on; else these are a conflict"},        \
	    END_OF_PARAMS
static const struct method_param store_move_params[] = {
    {"jobs", METHOD_TEXTS, ALWAYS, "their ids"},
    MOVE_PARAMS,
};
static const struct method_param store_copy_params[] = {
    {"from", METHOD_TEXT, ALWAYS, "the store that all its jobs leave"},
    MOVE_PARAMS,
};
static const struct method_param store_remove_params[] = {
    {"name", METHOD_TEXT, ALWAYS, "its alias"},
    END_OF_PARAMS,
};

#endif
