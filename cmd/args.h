/* SPDX-License-Identifier: MIT */
/* A command line taken apart by the option rows of its verb. */
#ifndef SCHEDD_CMD_ARGS_H
#define SCHEDD_CMD_ARGS_H

#include <stdbool.h>
#include <schedd/error.h>
#include "cmd/option.h"

struct args_value {
	const struct option *option;
	const char *text; /* NULL for options without a value */
};

struct args {
	struct args_value *values; /* in the order given */
	int value_count;
	const char **words; /* what is neither option nor behind "--" */
	int word_count;
	const char *const
	    *rest; /* what stands behind "--", NULL-terminated; NULL: there was no "--" */
	int rest_count;
};

/*
 * sets: NULL-terminated list of option rows. --name=value, --name value,
 * -nVALUE, -n VALUE, letters without values together. SCHEDD_EINVAL names the
 * option and suggests one. args_clear() also after an error.
 */
int args_parse(struct args *args, const struct option *const *sets, int argc,
    const char *const *argv, struct schedd_error *err) __attribute__((warn_unused_result));
void args_clear(struct args *args);
bool args_has(const struct args *args, const char *name);
/* The last value given; NULL: none. */
const char *args_get(const struct args *args, const char *name);
/* The values of a repeated option one by one: start with *position = 0; NULL: no more. */
const char *args_next(const struct args *args, const char *name, int *position);

#endif
