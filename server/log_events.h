/* SPDX-License-Identifier: MIT */
/* The log tells of runs and of what is done to jobs, and by whom. */
#ifndef SCHEDD_SERVER_LOG_EVENTS_H
#define SCHEDD_SERVER_LOG_EVENTS_H

#include <schedd/error.h>
#include "server/log_sink.h"

struct log_events;
struct schedd_scheduler;

/* sink is borrowed. */
int log_events_new(struct schedd_scheduler *scheduler, struct log_sink *sink,
    struct log_events **out, struct schedd_error *err) __attribute__((warn_unused_result));
/* Before the scheduler. NULL is fine. */
void log_events_free(struct log_events *events);

#endif
