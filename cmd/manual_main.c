/* SPDX-License-Identifier: MIT */
/* schedd_manual PAGE: a page of cmd/man/ with its lists, on standard output. Runs while schedd is
 * built. */
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "cmd/manual.h"

#define PAGE_BYTES_MAX ((size_t)4 << 20)

int main(int argc, char **argv)
{
	struct strbuf out = STRBUF_EMPTY;
	struct schedd_error err = {0};
	char *page = NULL;
	size_t length;
	int rc;

	if (argc != 2) {
		fprintf(stderr, "usage: schedd_manual PAGE\n");
		return 2;
	}
	rc = file_read(argv[1], PAGE_BYTES_MAX, &page, &length, &err);
	if (!rc)
		rc = manual_fill(&out, page, &err);
	if (rc)
		fprintf(stderr, "schedd_manual: %s: %s\n", argv[1], err.message);
	else if (fwrite(strbuf_peek(&out), 1, out.length, stdout) != out.length ||
		 fflush(stdout) != 0)
		rc = SCHEDD_EFAILED;
	strbuf_clear(&out);
	free(page);
	return rc ? 1 : 0;
}
