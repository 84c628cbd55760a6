/* SPDX-License-Identifier: MIT */
/* The scheduler in a libevent program, beside its other events. */
#include <schedd/scheduler.h>

#include <stdio.h>
#include <event2/event.h>

/* Told of each run that ended. */
static void ended(const struct schedd_event *event, void *context)
{
	static const int enough = 3;

	printf("%s/%u ended with exit code %d\n", event->job, event->run, event->exit_code);
	if ((int)event->run >= enough) /* one may have been skipped */
		event_base_loopbreak(context);
}

static int add(struct schedd_scheduler *scheduler, struct schedd_error *err)
{
	struct schedd_job *job = schedd_job_new();
	int rc = SCHEDD_ENOMEM;

	if (job && !(rc = schedd_job_set(job, "id", "process", err)) &&
	    !(rc = schedd_job_set(job, "trigger", "{\"every\":\"100ms\"}", err)) &&
	    !(rc = schedd_job_set(job, "command", "[\"/bin/true\"]", err)))
		rc = schedd_scheduler_add(scheduler, job, err);
	schedd_job_unref(job);
	return rc;
}

int main(void)
{
	struct event_base *base = event_base_new();
	struct schedd_scheduler_options options = {0};
	struct schedd_scheduler *scheduler = NULL;
	struct schedd_error err = {0};
	int rc = 1;

	options.loop = base ? schedd_loop_new_libevent(base, &err) : NULL;
	if (!options.loop || schedd_scheduler_new(&options, &scheduler, &err) ||
	    schedd_scheduler_start(scheduler, &err) || add(scheduler, &err))
		goto out;
	schedd_scheduler_listen(
	    scheduler, SCHEDD_EVENT_JOB_EXECUTED | SCHEDD_EVENT_JOB_ERROR, ended, base);
	rc = event_base_dispatch(base) < 0;
out:
	if (rc)
		fprintf(stderr, "%s\n", err.message);
	schedd_scheduler_free(scheduler);
	schedd_loop_free(options.loop);
	if (base)
		event_base_free(base);
	return rc;
}
