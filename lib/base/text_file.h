/* SPDX-License-Identifier: MIT */
/*
 * Texts that people write, wherever they were edited: the one reader of
 * crontabs, units, files of variables, job files, configs and lists of ids.
 *
 * A byte order mark goes, CR LF becomes LF, the last line needs no line break.
 * A NUL byte or UTF-16 is no text, and said. Other bytes stay as they are, in
 * UTF-8 or not.
 */
#ifndef SCHEDD_BASE_TEXT_FILE_H
#define SCHEDD_BASE_TEXT_FILE_H

#include <stddef.h>
#include <schedd/error.h>

/*
 * Makes *length bytes a text, in place. name is what the text is called in
 * words. text has room for a NUL behind *length. SCHEDD_EFILE: it is none.
 */
int text_file_clean(const char *name, char *text, size_t *length, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* As file_read(), and cleaned. */
int text_file_read(const char *path, size_t max, char **text, size_t *length,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* As file_read_trusted(), and cleaned. */
int text_file_read_trusted(const char *path, size_t max, char **text, size_t *length,
    struct schedd_error *err) __attribute__((warn_unused_result));

#endif
