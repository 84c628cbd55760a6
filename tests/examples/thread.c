/* SPDX-License-Identifier: MIT */
/* The scheduler in a thread of its own: the program goes on with its work. */
#include <schedd/scheduler.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct counter {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int runs;
};

static int count(const struct schedd_call *call, void *context)
{
	struct counter *counter = context;

	(void)call;
	pthread_mutex_lock(&counter->lock);
	counter->runs++;
	pthread_cond_signal(&counter->changed);
	pthread_mutex_unlock(&counter->lock);
	return 0;
}

static int add(struct schedd_scheduler *scheduler, struct schedd_error *err)
{
	struct schedd_job *job = schedd_job_new();
	int rc = SCHEDD_ENOMEM;

	if (job && !(rc = schedd_job_set(job, "id", "tick", err)) &&
	    !(rc = schedd_job_set(job, "trigger", "{\"every\":\"50ms\"}", err)) &&
	    !(rc = schedd_job_set_call(job, "count", NULL, err)))
		rc = schedd_scheduler_add(scheduler, job, err);
	schedd_job_unref(job);
	return rc;
}

int main(void)
{
	struct counter counter = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
	struct schedd_scheduler_options options = {0};
	struct schedd_scheduler *scheduler = NULL;
	struct schedd_error err = {.message = "out of memory"};
	char *json;

	if (schedd_scheduler_new(&options, &scheduler, &err) ||
	    schedd_scheduler_register(scheduler, "count", count, &counter, &err) ||
	    schedd_scheduler_start_thread(scheduler, &err) || add(scheduler, &err)) {
		fprintf(stderr, "%s\n", err.message);
		schedd_scheduler_free(scheduler);
		return 1;
	}
	pthread_mutex_lock(&counter.lock);
	while (counter.runs < 3)
		pthread_cond_wait(&counter.changed, &counter.lock);
	pthread_mutex_unlock(&counter.lock);
	/* Any thread may ask and change; each call returns when the change is stored. */
	json = schedd_scheduler_get(scheduler, "tick");
	printf("%s\n", json ? json : "the job is gone");
	free(json);
	schedd_scheduler_stop(scheduler, SCHEDD_SECOND);
	schedd_scheduler_free(scheduler);
	return 0;
}
