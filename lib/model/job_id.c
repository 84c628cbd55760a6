/* SPDX-License-Identifier: MIT */
/* The form of a job's id: safe as a file name, in a URL and on a command line. */
#include "model/job.h"

/* Ids are ASCII: the locale has no say. */
static bool job_id_char(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || (!first && (c == '.' || c == '-'));
}

bool job_id_valid(const char *id)
{
	size_t length = 0;

	for (; id[length]; length++)
		if (length >= JOB_ID_MAX || !job_id_char(id[length], length == 0))
			return false;
	return length > 0;
}
