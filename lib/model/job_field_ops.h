/* SPDX-License-Identifier: MIT */
/* How the fields of each type are read from values and written to them. */
#ifndef SCHEDD_MODEL_JOB_FIELD_OPS_H
#define SCHEDD_MODEL_JOB_FIELD_OPS_H

#include "model/job_place.h"

struct job_field_ops {
	/* Sets it; value is never nil. Errors do not name the field, the caller does. */
	int (*read)(const struct job_halves *halves, const struct job_field *field,
	    const struct value *value, const struct job_fields_context *context,
	    struct schedd_error *err);
	/* The value, or nil where there is none. */
	struct value (*write)(
	    const struct job_halves *halves, const struct job_field *field, struct arena *arena);
	/* Of one that is a text in the job: that itself, or NULL where there is none. NULL: it is something else. */
	const char *(*text)(const struct job_halves *halves, const struct job_field *field);
	bool (*is_default)(const struct job_halves *halves, const struct job_field *field);
	/* Back from another value to the default; frees what it was. The details are the job's own.
	 */
	void (*reset)(const struct job_halves *halves, const struct job_field *field);
};

/* Never NULL for a field that is kept somewhere. */
const struct job_field_ops *job_field_ops(const struct job_field *field);

extern const struct job_field_ops job_scalar_bool_ops;
extern const struct job_field_ops job_scalar_int_ops;
extern const struct job_field_ops job_scalar_time_ops;
extern const struct job_field_ops job_scalar_span_ops;
extern const struct job_field_ops job_scalar_size_ops;
extern const struct job_field_ops job_scalar_enum_ops;
extern const struct job_field_ops job_scalar_mode_ops;
extern const struct job_field_ops job_signal_ops;
extern const struct job_field_ops job_text_ops;
extern const struct job_field_ops job_pairs_ops;
extern const struct job_field_ops job_codes_ops;
extern const struct job_field_ops job_command_ops;
extern const struct job_field_ops job_shell_ops;
extern const struct job_field_ops job_call_ops;
extern const struct job_field_ops job_http_ops;
extern const struct job_field_ops job_trigger_ops;
extern const struct job_field_ops job_retry_ops;
extern const struct job_field_ops job_rlimits_ops;
extern const struct job_field_ops job_after_ops;
extern const struct job_field_ops job_notify_ops;
extern const struct job_field_ops job_stdin_ops;
extern const struct job_field_ops job_hook_ops;
extern const struct job_field_ops job_nodes_ops;

#endif
