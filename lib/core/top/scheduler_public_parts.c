/* SPDX-License-Identifier: MIT */
/*
 * The embedders' stores, executors and functions: before the start they are put in at once, behind
 * it on the loop's thread, where a store opens and is read while all else goes on.
 */
#include "core/top/scheduler_request.h"

struct public_part {
	struct scheduler_request request;
	const char *name, *type, *path;
	unsigned max_workers;
	schedd_function function;
	void *context;
};

/* Makes it where it belongs; nothing has to be loaded for it. */
static int public_part_make(struct schedd_scheduler *scheduler, struct public_part *part,
    void (*run)(struct scheduler_call *call), struct schedd_error *err)
{
	part->request.call.scheduler = scheduler;
	part->request.call.run = run;
	scheduler_call(&part->request.call);
	if (part->request.rc && err)
		*err = part->request.err;
	return part->request.rc;
}

static void public_part_store(struct scheduler_call *call)
{
	struct public_part *part = (struct public_part *)(void *)call;
	struct scheduler_request *request = &part->request;
	struct scheduler_new_store store = {.name = part->name, .type = part->type, .path = part->path};

	if (call->scheduler->phase != SCHEDULER_RUNNING) {
		request->rc = scheduler_add_store(call->scheduler, &store, NULL, &request->err);
		return;
	}
	scheduler_add_store_live(
	    call->scheduler, &store, &scheduler_request_actor, scheduler_request_reply(request));
	scheduler_request_wait(request);
}

int schedd_scheduler_add_store(struct schedd_scheduler *scheduler, const char *name,
    const char *type, const char *path, struct schedd_error *err)
{
	struct public_part part = {.name = name, .type = type, .path = path};

	return public_part_make(scheduler, &part, public_part_store, err);
}

static void public_part_executor(struct scheduler_call *call)
{
	struct public_part *part = (struct public_part *)(void *)call;

	part->request.rc = scheduler_add_executor(call->scheduler, part->name, part->type,
	    part->max_workers, NULL, NULL, &part->request.err);
}

int schedd_scheduler_add_executor(struct schedd_scheduler *scheduler, const char *name,
    const char *type, unsigned max_workers, struct schedd_error *err)
{
	struct public_part part = {.name = name, .type = type, .max_workers = max_workers};

	return public_part_make(scheduler, &part, public_part_executor, err);
}

static void public_part_function(struct scheduler_call *call)
{
	struct public_part *part = (struct public_part *)(void *)call;

	part->request.rc = function_table_add(
	    call->scheduler->functions, part->name, part->function, part->context, &part->request.err);
}

int schedd_scheduler_register(struct schedd_scheduler *scheduler, const char *name,
    schedd_function function, void *context, struct schedd_error *err)
{
	struct public_part part = {.name = name, .function = function, .context = context};

	return public_part_make(scheduler, &part, public_part_function, err);
}
