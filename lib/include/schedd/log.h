/* SPDX-License-Identifier: MIT */
/* The host's log sink. */
#ifndef SCHEDD_LOG_H
#define SCHEDD_LOG_H

#include <schedd/export.h>

SCHEDD_BEGIN

enum schedd_log_level {
	SCHEDD_LOG_ERROR,   /* something is lost or refused */
	SCHEDD_LOG_WARNING, /* it goes on, but look at it */
	SCHEDD_LOG_INFO,    /* state changes of the scheduler itself */
	SCHEDD_LOG_DEBUG,   /* every run and request */
};

struct schedd_log {
	enum schedd_log_level level; /* lines above it are dropped before formatting */
	/* Takes one line without newline; called on any thread. */
	void (*write)(void *context, enum schedd_log_level level, const char *line);
	void *context; /* passed back, not owned */
};

SCHEDD_END

#endif
