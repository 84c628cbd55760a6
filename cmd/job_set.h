/* SPDX-License-Identifier: MIT */
/* Job files on the command line: what apply, diff, check and simulate read. */
#ifndef SCHEDD_CMD_JOB_SET_H
#define SCHEDD_CMD_JOB_SET_H

#include "cmd/command.h"
#include "jobfile/jobfile.h"

/* -f FILE, also as plain words. */
extern const struct option option_files[];

/*
 * Reads all files named. What is wrong with them is said on stderr, and the
 * exit status returned; 0: the set is to be used. jobfile_clear() in any case.
 */
int job_set_load(struct command *command, struct jobfile *set);
/*
 * job.apply, in parts where it is much. *result: a list of {id, action, fields}.
 * dry_run: nothing is changed; else the jobs of the set are freed.
 */
int job_set_apply(struct command *command, struct jobfile *set, bool dry_run,
    struct value *result, struct schedd_error *err) __attribute__((warn_unused_result));
/* Called when all was sent, before the answer is read. */
struct job_set_sent {
	void (*call)(void *context);
	void *context;
};
/*
 * Sends jobs with job.apply or job.import, in parts where they are much. params
 * is a map of what else the method is to be given; it is added to. sent: from
 * then on neither is looked at; may be NULL.
 */
int job_set_send(struct command *command, const char *method, struct value *params,
    const struct value *jobs, const struct job_set_sent *sent, struct value *result,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* How many entries of an answer of job.apply have that action. */
uint32_t job_set_count(const struct value *result, const char *action);
/*
 * Shows an answer of job.apply. What is unchanged is listed for programs, and
 * for people if they want it; they are shown nothing with -q. The exit status.
 */
int job_set_show(struct command *command, const struct value *result, bool unchanged);
/* Says on stderr what is wrong with files, as an error of that exit status, which is returned. */
int job_set_diagnose(struct command *command, const struct diagnostics *diagnostics, int status);

#endif
