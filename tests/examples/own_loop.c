/* SPDX-License-Identifier: MIT */
/* Any other loop: one descriptor to watch and one time to wake at. */
#include <schedd/scheduler.h>

#include <poll.h>
#include <stdio.h>

static int work(const struct schedd_call *call, void *context)
{
	int *runs = context;

	printf("%s\n", call->run_id);
	(*runs)++;
	return 0;
}

static int add(struct schedd_scheduler *scheduler, struct schedd_error *err)
{
	struct schedd_job *job = schedd_job_new();
	int rc = SCHEDD_ENOMEM;

	if (job && !(rc = schedd_job_set(job, "id", "own", err)) &&
	    !(rc = schedd_job_set(job, "trigger", "{\"every\":\"100ms\"}", err)) &&
	    !(rc = schedd_job_set_call(job, "work", NULL, err)))
		rc = schedd_scheduler_add(scheduler, job, err);
	schedd_job_unref(job);
	return rc;
}

/* How long poll may wait, in milliseconds; rounded up, so that it does not spin. */
static int patience(const struct schedd_scheduler *scheduler)
{
	const struct schedd_clock *clock = schedd_clock_system();
	schedd_time wake = schedd_scheduler_next_wake(scheduler);
	schedd_span left = wake - clock->wall(clock->context);

	if (wake == SCHEDD_TIME_NONE)
		return -1;
	if (left <= 0)
		return 0;
	return left > SCHEDD_HOUR ? 3600000 : (int)((left + 999) / 1000);
}

int main(void)
{
	struct schedd_scheduler_options options = {0};
	struct schedd_scheduler *scheduler = NULL;
	struct schedd_error err = {.message = "out of memory"};
	struct pollfd ready = {.events = POLLIN};
	int runs = 0;

	if (schedd_scheduler_new(&options, &scheduler, &err) ||
	    schedd_scheduler_register(scheduler, "work", work, &runs, &err) ||
	    schedd_scheduler_start(scheduler, &err) || add(scheduler, &err)) {
		fprintf(stderr, "%s\n", err.message);
		schedd_scheduler_free(scheduler);
		return 1;
	}
	ready.fd = schedd_scheduler_fd(scheduler);
	while (runs < 3) {
		if (poll(&ready, 1, patience(scheduler)) < 0)
			break;
		schedd_scheduler_process(scheduler);
	}
	schedd_scheduler_stop(scheduler, SCHEDD_SECOND);
	schedd_scheduler_free(scheduler);
	return runs < 3;
}
