/* SPDX-License-Identifier: MIT */
/* The simplest embedding: a program that does nothing but run its jobs. */
#include <schedd/scheduler.h>

#include <stdio.h>

struct greeter {
	struct schedd_scheduler *scheduler;
	int greetings;
};

static int greet(const struct schedd_call *call, void *context)
{
	struct greeter *greeter = context;

	printf("run %s says hello\n", call->run_id);
	/* Inside a job, stop only asks for it: run() returns when all is stored. */
	if (++greeter->greetings == 3)
		schedd_scheduler_stop(greeter->scheduler, 0);
	return 0;
}

int main(void)
{
	struct schedd_scheduler_options options = {0};
	struct greeter greeter = {0};
	struct schedd_error err = {.message = "out of memory"};
	struct schedd_job *job = schedd_job_new();
	int rc = 1;

	if (!job || schedd_scheduler_new(&options, &greeter.scheduler, &err))
		goto out;
	if (schedd_scheduler_register(greeter.scheduler, "greet", greet, &greeter, &err) ||
	    schedd_job_set(job, "id", "hello", &err) ||
	    schedd_job_set(job, "trigger", "{\"every\":\"100ms\"}", &err) ||
	    schedd_job_set_call(job, "greet", NULL, &err) ||
	    schedd_scheduler_add(greeter.scheduler, job, &err))
		goto out;
	rc = schedd_scheduler_run(greeter.scheduler, &err) ? 1 : 0;
out:
	if (rc)
		fprintf(stderr, "%s\n", err.message);
	schedd_job_unref(job);
	schedd_scheduler_free(greeter.scheduler);
	return rc;
}
