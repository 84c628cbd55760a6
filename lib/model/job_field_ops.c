/* SPDX-License-Identifier: MIT */
/* One row a type. */
#include "model/job_field_ops.h"

const struct job_field_ops *job_field_ops(const struct job_field *field)
{
	static const struct job_field_ops *const by_type[] = {
	    [JOB_FIELD_TEXT] = &job_text_ops,
	    [JOB_FIELD_BOOL] = &job_scalar_bool_ops,
	    [JOB_FIELD_INT] = &job_scalar_int_ops,
	    [JOB_FIELD_TIME] = &job_scalar_time_ops,
	    [JOB_FIELD_SPAN] = &job_scalar_span_ops,
	    [JOB_FIELD_SIZE] = &job_scalar_size_ops,
	    [JOB_FIELD_ENUM] = &job_scalar_enum_ops,
	    [JOB_FIELD_SIGNAL] = &job_signal_ops,
	    [JOB_FIELD_MODE] = &job_scalar_mode_ops,
	    [JOB_FIELD_CODES] = &job_codes_ops,
	    [JOB_FIELD_PAIRS] = &job_pairs_ops,
	    [JOB_FIELD_ARGV] = &job_command_ops,
	    [JOB_FIELD_TRIGGER] = &job_trigger_ops,
	    [JOB_FIELD_CALL] = &job_call_ops,
	    [JOB_FIELD_HTTP] = &job_http_ops,
	    [JOB_FIELD_RETRY] = &job_retry_ops,
	    [JOB_FIELD_RLIMITS] = &job_rlimits_ops,
	    [JOB_FIELD_AFTER] = &job_after_ops,
	    [JOB_FIELD_NOTIFY] = &job_notify_ops,
	    [JOB_FIELD_STDIN] = &job_stdin_ops,
	    [JOB_FIELD_SHELL] = &job_shell_ops,
	    [JOB_FIELD_HOOK] = &job_hook_ops,
	    [JOB_FIELD_NODES] = &job_nodes_ops,
	};

	return by_type[field->type];
}
