/* SPDX-License-Identifier: MIT */
/* A job as YAML in the caller's editor. */
#ifndef SCHEDD_CMD_EDIT_FILE_H
#define SCHEDD_CMD_EDIT_FILE_H

#include "base/strbuf.h"
#include "cmd/command.h"

/* A file of the caller's own, on disk while it is edited. */
struct edit_file {
	char path[4096];    /* "": none yet */
	struct strbuf text; /* what is in it, or was read back */
};

/* Makes the file and writes text, with message (NULL: none) as comments above it. */
int edit_file_write(struct edit_file *file, const char *message, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Runs $VISUAL, $EDITOR or vi on it and reads it back, without the comments at its beginning. */
int edit_file_run(struct edit_file *file, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* keep: leaves it where it is. */
void edit_file_clear(struct edit_file *file, bool keep);

#endif
