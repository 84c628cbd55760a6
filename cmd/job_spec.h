/* SPDX-License-Identifier: MIT */
/* From the options of add and modify to the fields of a job, as job.add and job.modify take them.
 */
#ifndef SCHEDD_CMD_JOB_SPEC_H
#define SCHEDD_CMD_JOB_SPEC_H

#include "cmd/command.h"

/* What a job runs: --sh, --script, --call, --args, --http. */
extern const struct option option_action[];

/*
 * The trigger flags given, as a value; nil: none. Times are read in --tz or the
 * daemon's zone, strictly. An expression at fault is shown with a caret on stderr.
 */
int job_spec_trigger(struct command *command, struct value *out, struct schedd_error *err)
    __attribute__((warn_unused_result));
/*
 * Puts every option that sets a field into the map, and what is run; checks
 * each of them, so that nothing wrong reaches the daemon. Files named by
 * options are read now.
 */
int job_spec_fields(struct command *command, struct value *map, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Shows where in a trigger flag's text an error lies, if it says so and people look. */
void job_spec_caret(struct command *command, const struct schedd_error *err);
/* Says the job's next run in words on stderr. */
void job_spec_say_next(struct command *command, const struct value *job);

#endif
