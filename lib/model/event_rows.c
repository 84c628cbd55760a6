/* SPDX-License-Identifier: MIT */
#include "model/event_rows.h"

#include <stddef.h>

const struct event_row *event_rows(void)
{
	static const struct event_row rows[] = {
	    {SCHEDD_EVENT_SCHEDULER_STARTED, "scheduler_started",
		"the scheduler runs jobs from now on"},
	    {SCHEDD_EVENT_SCHEDULER_SHUTDOWN, "scheduler_shutdown", "it begins to stop"},
	    {SCHEDD_EVENT_SCHEDULER_PAUSED, "scheduler_paused",
		"nothing is started until it is resumed"},
	    {SCHEDD_EVENT_SCHEDULER_RESUMED, "scheduler_resumed", "it starts what is due again"},
	    {SCHEDD_EVENT_EXECUTOR_ADDED, "executor_added", "an executor came to be"},
	    {SCHEDD_EVENT_EXECUTOR_REMOVED, "executor_removed", "an executor is gone"},
	    {SCHEDD_EVENT_JOBSTORE_ADDED, "jobstore_added", "a store came to be"},
	    {SCHEDD_EVENT_JOBSTORE_REMOVED, "jobstore_removed", "a store is gone"},
	    {SCHEDD_EVENT_ALL_JOBS_REMOVED, "all_jobs_removed",
		"all jobs of a store were removed at once"},
	    {SCHEDD_EVENT_JOB_ADDED, "job_added", "a job came to be"},
	    {SCHEDD_EVENT_JOB_REMOVED, "job_removed", "a job is gone: removed, or it has ended"},
	    {SCHEDD_EVENT_JOB_MODIFIED, "job_modified",
		"fields of a job, its trigger or its pause changed"},
	    {SCHEDD_EVENT_JOB_EXECUTED, "job_executed", "a run ended with success"},
	    {SCHEDD_EVENT_JOB_ERROR, "job_error", "a run ended without success"},
	    {SCHEDD_EVENT_JOB_MISSED, "job_missed", "fire times were too late to be run"},
	    {SCHEDD_EVENT_JOB_SUBMITTED, "job_submitted", "a run was handed to its executor"},
	    {SCHEDD_EVENT_JOB_MAX_INSTANCES, "job_max_instances",
		"a fire time was skipped, as max_instances runs went on"},
	    {SCHEDD_EVENT_RUN_STARTED, "run_started", "an attempt of a run began"},
	    {SCHEDD_EVENT_RUN_RETRYING, "run_retrying", "an attempt failed; another one follows"},
	    {SCHEDD_EVENT_RUN_KILLED, "run_killed", "a run was ended by somebody"},
	    {SCHEDD_EVENT_RUN_LOST, "run_lost", "a run was going on when schedd died"},
	    {SCHEDD_EVENT_STORE_ERROR, "store_error", "a store cannot be written; error says why"},
	    {SCHEDD_EVENT_STORE_RECOVERED, "store_recovered", "it can be written again"},
	    {SCHEDD_EVENT_EXECUTOR_FAILED, "executor_failed",
		"an executor cannot run anything; error says why"},
	    {SCHEDD_EVENT_EXECUTOR_RECOVERED, "executor_recovered", "it can again"},
	    {SCHEDD_EVENT_CRON_TABLE, "cron_table_error",
		"a line or a table of cron is not taken; error: FILE:LINE: why"},
	    {SCHEDD_EVENT_ACCESS_DENIED, "access_denied",
		"wrong tokens, passwords or signatures came; error: how many and from where"},
	    {0, NULL, NULL},
	};

	return rows;
}
