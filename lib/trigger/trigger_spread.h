/* SPDX-License-Identifier: MIT */
/* How runs are spread out: jitter, drawn for each run, and splay, fixed for a host and job. */
#ifndef SCHEDD_TRIGGER_TRIGGER_SPREAD_H
#define SCHEDD_TRIGGER_TRIGGER_SPREAD_H

#include <stdint.h>
#include <schedd/clock.h>

/* Evenly from 0 to jitter, by 64 random bits. */
schedd_span trigger_spread_jitter(schedd_span jitter, uint64_t random);
/*
 * Evenly from 0 to splay, always the same for the same host and job id (either
 * may be NULL). From a second on in whole milliseconds, for those who read it.
 */
schedd_span trigger_spread_splay(schedd_span splay, const char *host, const char *job_id);

#endif
