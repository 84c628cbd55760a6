/* SPDX-License-Identifier: MIT */
/* An executor "default" under the test's control. */
#ifndef SCHEDD_TESTS_SUPPORT_CORE_FAKE_H
#define SCHEDD_TESTS_SUPPORT_CORE_FAKE_H

#include <stdbool.h>
#include <schedd/scheduler.h>

/* Adds it under the name "default"; before the start. */
bool core_fake_add(struct schedd_scheduler *scheduler, unsigned max_workers);
/* Before the scheduler is freed as if its process had died: its attempts are not waited for. */
void core_fake_forget(struct schedd_scheduler *scheduler);
/* Is called as an attempt of the run begins; NULL: nothing is. */
void core_fake_on_start(void (*begins)(const char *run));
/* Attempts under way, in the order of their start. */
int core_tasks(void);
/* The run of attempt i, "backup/42". */
const char *core_task_run(int i);
/* The last signal it got; 0: none. */
int core_task_signal(int i);
/* What its run alone has in its environment; "": nothing of that name. */
const char *core_task_env(int i, const char *name);
/* Ends it with an exit code, or by a signal. */
void core_task_end(int i, int exit_code);
void core_task_end_signal(int i, int signal);

#endif
