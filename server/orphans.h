/* SPDX-License-Identifier: MIT */
/*
 * Processes that jobs left behind: schedd becomes their parent (child
 * subreaper), so that they can be found and ended, and reaps them.
 */
#ifndef SCHEDD_SERVER_ORPHANS_H
#define SCHEDD_SERVER_ORPHANS_H

#include <schedd/error.h>

struct event_base;
struct orphans;

/* Makes this process the subreaper of its descendants, and looks for dead ones a little after a child has ended. */
int orphans_new(struct event_base *base, struct orphans **out, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* NULL is fine. */
void orphans_free(struct orphans *orphans);

#endif
