/* SPDX-License-Identifier: MIT */
/* The answer of server.stats in the text format of Prometheus. */
#ifndef SCHEDD_CMD_STATS_PROMETHEUS_H
#define SCHEDD_CMD_STATS_PROMETHEUS_H

#include "base/value.h"

/* Prints the metrics; the exit status. counters may be NULL; jobs is a list. */
int stats_prometheus(const struct value *counters, const struct value *jobs);

#endif
