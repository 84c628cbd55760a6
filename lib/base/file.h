/* SPDX-License-Identifier: MIT */
/* Whole files in memory. */
#ifndef SCHEDD_BASE_FILE_H
#define SCHEDD_BASE_FILE_H

#include <stddef.h>
#include <schedd/error.h>

/*
 * Reads a file, a pipe or, for "-", standard input to its end. *text is
 * NUL-terminated and to be freed with free(); *length is without that NUL.
 * More than max bytes, or a directory, is SCHEDD_EFILE; what cannot be opened
 * is SCHEDD_EFILE or SCHEDD_EPERM with the system's reason.
 */
int file_read(const char *path, size_t max, char **text, size_t *length, struct schedd_error *err)
    __attribute__((warn_unused_result));

#endif
