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

/*
 * Somebody acts on what is in it, so nobody else may be able to write it: it
 * belongs to root or to us, others may not write, and where we are root no group
 * but root's either. SCHEDD_EPERM names who can.
 */
struct stat;
int file_trust(const struct stat *st, const char *path, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* As file_read() of a file that is trusted, never waiting: a pipe is refused, as "-" is no name
 * here. */
int file_read_trusted(const char *path, size_t max, char **text, size_t *length,
    struct schedd_error *err) __attribute__((warn_unused_result));

#endif
