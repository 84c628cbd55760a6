/* SPDX-License-Identifier: MIT */
/* Prints the JSON Schema of job files: run by the build, which installs what it says. */
#include <stdio.h>
#include <stdlib.h>
#include "jobfile/jobfile_schema.h"

int main(void)
{
	struct strbuf out = STRBUF_EMPTY;
	int rc = jobfile_schema_write(&out);

	if (!rc && (fputs(strbuf_peek(&out), stdout) < 0 || fflush(stdout) != 0))
		rc = SCHEDD_EFAILED;
	strbuf_clear(&out);
	return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}
