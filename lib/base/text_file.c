/* SPDX-License-Identifier: MIT */
/* One pass finds what is no text, a second one moves what stands behind a CR that goes. */
#include "base/text_file.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "base/file.h"

#define TEXT_FILE_MARK "\xef\xbb\xbf"

static bool text_file_begins(const char *text, size_t length, const char *mark, size_t size)
{
	return length >= size && memcmp(text, mark, size) == 0;
}

static int text_file_check(
    const char *name, const char *text, size_t length, struct schedd_error *err)
{
	const char *nul, *begin = text;
	unsigned line = 1;

	if (text_file_begins(text, length, "\xff\xfe", 2) ||
	    text_file_begins(text, length, "\xfe\xff", 2))
		return schedd_error_set(
		    err, SCHEDD_EFILE, "%.200s:1:1: it is in UTF-16: save it as UTF-8", name);
	nul = memchr(text, '\0', length);
	if (!nul)
		return 0;
	for (const char *c = text; c < nul; c++) {
		if (*c == '\n') {
			line++;
			begin = c + 1;
		}
	}
	return schedd_error_set(err, SCHEDD_EFILE,
	    "%.200s:%u:%td: a NUL byte: it is binary, not text", name, line, nul - begin + 1);
}

int text_file_clean(const char *name, char *text, size_t *length, struct schedd_error *err)
{
	size_t begin = 0, used = 0;
	int rc = text_file_check(name, text, *length, err);

	if (rc)
		return rc;
	if (text_file_begins(text, *length, TEXT_FILE_MARK, 3))
		begin = 3;
	for (size_t i = begin; i < *length; i++) {
		bool last = i + 1 == *length;

		/* A file cut off within CR LF ends its line too. */
		if (text[i] == '\r' && (last || text[i + 1] == '\n'))
			continue;
		text[used++] = text[i];
	}
	text[used] = '\0';
	*length = used;
	return 0;
}

/* Cleans what was read with that success. */
static int text_file_read_done(
    int rc, const char *path, char **text, size_t *length, struct schedd_error *err)
{
	if (rc)
		return rc;
	rc = text_file_clean(
	    strcmp(path, "-") == 0 ? "standard input" : path, *text, length, err);
	if (rc) {
		free(*text);
		*text = NULL;
	}
	return rc;
}

int text_file_read(
    const char *path, size_t max, char **text, size_t *length, struct schedd_error *err)
{
	return text_file_read_done(
	    file_read(path, max, text, length, err), path, text, length, err);
}

int text_file_read_trusted(
    const char *path, size_t max, char **text, size_t *length, struct schedd_error *err)
{
	return text_file_read_done(
	    file_read_trusted(path, max, text, length, err), path, text, length, err);
}
