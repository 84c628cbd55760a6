/* SPDX-License-Identifier: MIT */
/* Rules that join fields; what holds for one field alone was checked when it was read. */
#include "model/job_check.h"

#include <string.h>

static int job_check_retry(const struct job_details *details, struct schedd_error *err)
{
	if (details->retry_limit == 0 && (details->retry_on.given || details->retry_backoff != 1 ||
					     details->retry_delay != SCHEDD_SECOND ||
					     details->retry_max_delay != SCHEDD_SPAN_NONE))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "retry: limit is missing, say how many further attempts there may be");
	if (details->retry_max_delay != SCHEDD_SPAN_NONE &&
	    details->retry_max_delay < details->retry_delay)
		return schedd_error_set(err, SCHEDD_EINVAL, "retry: max_delay is less than delay");
	return 0;
}

static int job_check_after(const struct schedd_job *job, struct schedd_error *err)
{
	const struct job_details *details = job_details(job);

	for (uint32_t i = 0; i < details->after_count; i++) {
		const char *other = details->after[i].job;

		if (job->id && strcmp(other, job->id) == 0)
			return schedd_error_set(
			    err, SCHEDD_EINVAL, "after: job '%s' cannot wait for itself", other);
		for (uint32_t k = 0; k < i; k++)
			if (strcmp(other, details->after[k].job) == 0)
				return schedd_error_set(err, SCHEDD_EINVAL,
				    "after: job '%s' is there more than once, write %s:any for "
				    "both "
				    "outcomes",
				    other, other);
	}
	return 0;
}

int job_check(const struct schedd_job *job, struct schedd_error *err)
{
	const struct job_details *details = job_details(job);
	int rc;

	if (job->id && !job_id_valid(job->id))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "id: '%.140s' is not of the form [A-Za-z0-9_][A-Za-z0-9._-]{0,127}", job->id);
	if (!job_has_action(job))
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "it has nothing to do: give command, shell, call or http");
	rc = job_check_retry(details, err);
	if (!rc)
		rc = job_check_after(job, err);
	if (!rc && details->success_codes.given && details->retry_on.given)
		for (int code = 0; code < 256; code++)
			if (job_codes_has(&details->success_codes, code) &&
			    job_codes_has(&details->retry_on, code))
				return schedd_error_set(err, SCHEDD_EINVAL,
				    "retry: exit code %d is among success_codes, nothing failed "
				    "then",
				    code);
	return rc;
}
