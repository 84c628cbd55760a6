/* SPDX-License-Identifier: MIT */
/* Exit codes as a set of 256 bits. */
#include "model/job.h"

bool job_codes_has(const struct job_codes *codes, int code)
{
	if (code < 0 || code > 255)
		return false;
	return (codes->bits[code / 64] >> (code % 64)) & 1;
}

bool job_codes_success(const struct schedd_job *job, int code)
{
	const struct job_codes *codes = &job_details(job)->success_codes;

	return codes->given ? job_codes_has(codes, code) : code == 0;
}
