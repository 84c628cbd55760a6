/* SPDX-License-Identifier: MIT */
/*
 * Manual pages: prose from cmd/man/, lists from the rows of verbs, options,
 * job fields and methods, so that the two cannot drift apart. A line of a page
 * that is the name of a list, as "@verbs@" or "@events@", is replaced. Used when schedd is built.
 */
#ifndef SCHEDD_CMD_MANUAL_H
#define SCHEDD_CMD_MANUAL_H

#include <schedd/error.h>
#include "base/strbuf.h"

/* Appends the page with its lists. SCHEDD_EFILE: there is no list of that name. */
int manual_fill(struct strbuf *out, const char *page, struct schedd_error *err)
    __attribute__((warn_unused_result));

#endif
