/* SPDX-License-Identifier: MIT */
/* The events there are, for the scheduler, completion and the manual. */
#ifndef SCHEDD_MODEL_EVENT_ROWS_H
#define SCHEDD_MODEL_EVENT_ROWS_H

#include <schedd/event.h>

struct event_row {
	enum schedd_event_code code;
	const char *name;
	const char *doc; /* one line */
};

/* Ended by a NULL name. */
const struct event_row *event_rows(void);

#endif
