/* SPDX-License-Identifier: MIT */
/* Runs that go on while another program takes this process' place. */
#ifndef SCHEDD_CORE_TOP_HANDOVER_H
#define SCHEDD_CORE_TOP_HANDOVER_H

#include "core/runs/run_live.h"

/* What the program before left; NULL in the scheduler: this is a start like any other. */
struct handover;

/* Can the next program go on with it? No: it has to end before. */
bool handover_can(const struct run_live *live);
/* Goes on with a run of the program before, whose row this is. False: it left no such run. */
bool handover_resume(
    struct schedd_scheduler *scheduler, struct entry *entry, const struct run *run);
/* Closes what belongs to runs that nobody went on with. NULL is fine. */
void handover_free(struct handover *handover);

#endif
