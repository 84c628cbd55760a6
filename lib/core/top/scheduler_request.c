/* SPDX-License-Identifier: MIT */
#include "core/top/scheduler_request.h"

#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "core/top/scheduler_life.h"

const struct scheduler_actor scheduler_request_actor = {
    .uid = -1, .pid = -1, .method = "embedder"};

bool scheduler_request_json(struct scheduler_request *request, const struct value *value)
{
	struct strbuf text = STRBUF_EMPTY;

	json_write(&text, value);
	if (strbuf_failed(&text))
		strbuf_clear(&text);
	request->length = text.length;
	request->json = strbuf_take(&text);
	if (!request->json)
		request->rc = schedd_error_nomem(&request->err);
	return request->json != NULL;
}

void scheduler_request_answered(
    int rc, const struct schedd_error *err, const struct value *result, void *context)
{
	struct scheduler_request *request = context;
	const char *run = value_get_string(result, "run");
	const char *slash = run ? strrchr(run, '/') : NULL;

	request->done = true;
	request->rc = rc;
	if (rc && err)
		request->err = *err;
	if (!rc && request->key && value_get(result, request->key))
		scheduler_request_json(request, value_get(result, request->key));
	if (slash)
		request->number = (unsigned)strtoul(slash + 1, NULL, 10);
}

struct scheduler_reply scheduler_request_reply(struct scheduler_request *request)
{
	return (struct scheduler_reply){scheduler_request_answered, request};
}

void scheduler_request_wait(struct scheduler_request *request)
{
	while (!request->done && mailbox_wait(request->call.scheduler->mailbox) >= 0)
		;
	if (!request->done)
		request->rc = schedd_error_set(
		    &request->err, SCHEDD_EFAILED, "the answer cannot be waited for");
}

/* Makes the call on the loop's thread and waits there for the answer. */
static void scheduler_request_run(struct scheduler_call *call)
{
	struct scheduler_request *request = (struct scheduler_request *)call;
	struct schedd_scheduler *scheduler = call->scheduler;

	request->rc = scheduler_load(scheduler, &request->err);
	if (request->rc)
		return;
	call->make(call);
	scheduler_request_wait(request);
}

int scheduler_request_make(struct schedd_scheduler *scheduler, struct scheduler_request *request,
    void (*make)(struct scheduler_call *), struct schedd_error *err)
{
	request->call.scheduler = scheduler;
	request->call.run = scheduler_request_run;
	request->call.make = make;
	scheduler_call(&request->call);
	if (request->rc && err)
		*err = request->err;
	return request->rc;
}
