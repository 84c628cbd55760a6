/* SPDX-License-Identifier: MIT */
/* The embedders' calls: made on the loop's thread, waited for on whatever thread they come from. */
#ifndef SCHEDD_CORE_TOP_SCHEDULER_REQUEST_H
#define SCHEDD_CORE_TOP_SCHEDULER_REQUEST_H

#include "core/top/scheduler_call.h"

/* One blocking call. */
struct scheduler_request {
	struct scheduler_call call;
	struct schedd_job *job;
	struct schedd_trigger *trigger;
	const char *id;
	const char *text;
	uint32_t run;   /* asked for; 0: none, or all */
	unsigned flags; /* set of enum scheduler_add_flag */
	int signal;
	uint64_t limit;
	unsigned number; /* of the run, answered */
	const char *key; /* the member of the answer that is wanted as JSON; NULL: none */
	char *json;      /* answered; the caller's */
	size_t length;   /* of what is in json */
	bool done;
	int rc;
	struct schedd_error err;
};

/* Who asks. */
extern const struct scheduler_actor scheduler_request_actor;

/* The answer has come. */
void scheduler_request_answered(
    int rc, const struct schedd_error *err, const struct value *result, void *context);
struct scheduler_reply scheduler_request_reply(struct scheduler_request *request);
/* Calls make on the loop's thread and returns when the request was answered. */
int scheduler_request_make(struct schedd_scheduler *scheduler, struct scheduler_request *request,
    void (*make)(struct scheduler_call *), struct schedd_error *err);
/* On the loop's thread: until it was answered; other answers come meanwhile. */
void scheduler_request_wait(struct scheduler_request *request);
/* Writes a value into json; false: no memory, which is the answer then. */
bool scheduler_request_json(struct scheduler_request *request, const struct value *value);

#endif
