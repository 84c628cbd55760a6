/* SPDX-License-Identifier: MIT */
/*
 * The rows of the protocol: each method with its parameters, as the server
 * checks them, the manual lists them and clients may ask for them.
 */
#ifndef SCHEDD_PROTO_METHODS_H
#define SCHEDD_PROTO_METHODS_H

#include <stdbool.h>
#include "base/value.h"
#include <schedd/error.h>

#define METHOD_TEXTS_MAX 65536 /* texts in a list that chooses */

enum method_param_type {
	METHOD_TEXT,
	METHOD_TEXTS, /* list of texts, or one text */
	METHOD_BOOL,
	METHOD_INT,  /* 0 or more */
	METHOD_TIME, /* µs integer or a time phrase */
	METHOD_SPAN, /* seconds or a duration text */
	METHOD_MAP,
	METHOD_LIST,
	METHOD_ANY,
	METHOD_ID,     /* a text: the id of a job */
	METHOD_NEW_ID, /* a text: the id that a job is given */
	METHOD_IDS,    /* texts: ids or globs of jobs; left out: all that the caller sees */
	METHOD_RUN,    /* a text: JOB/N or JOB */
	METHOD_JOBS,   /* a list of maps of job fields */
	METHOD_FIELDS, /* any fields of a job, flat among the other parameters */
};

struct method_param {
	const char *name;
	enum method_param_type type;
	bool required;
	const char *doc;
};

/* Whom a method is for. What one may not see is not there, whatever the method. */
enum method_role {
	METHOD_FOR_USERS,  /* everybody, for jobs of their own; operators for all jobs */
	METHOD_FOR_OWNERS, /* everybody, for jobs of their own alone */
	METHOD_FOR_ADMINS, /* admins, of whom root is one */
};

struct method {
	const char *name;                  /* "job.add" */
	const char *doc;                   /* one line */
	const char *answer;                /* one line: what comes back */
	const struct method_param *params; /* ended by a NULL name; NULL: none */
	enum method_role role;
};

/* Ended by a NULL name. */
const struct method *methods_all(void);
const struct method *methods_find(const char *name);
/* "users", "owners", "admins" */
const char *methods_role_name(enum method_role role);
/* Checks presence, types and unknown names (with a suggestion). */
int methods_check(const struct method *method, const struct value *params, struct schedd_error *err)
    __attribute__((warn_unused_result));

#endif
