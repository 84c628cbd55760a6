/* SPDX-License-Identifier: MIT */
/*
 * The file a run's output is kept in: a line that names the format, then
 * frames of a letter (o: stdout, e: stderr, g: gap), eight hexadecimal digits,
 * a blank, sixteen digits more and a newline. The first digits are the length
 * of the text that follows, the others the time it was written, in
 * microseconds since 1970; older files have no times. Of a gap
 * there is the number of bytes dropped in sixteen digits and no text follows. So
 * a person can read the file as it is, and a half-written last frame is seen.
 */
#ifndef SCHEDD_EXECUTOR_OUTPUT_FILE_H
#define SCHEDD_EXECUTOR_OUTPUT_FILE_H

#include "base/strbuf.h"
#include "executor/output.h"

#define OUTPUT_FILE_MAGIC "schedd output 1\n"
#define OUTPUT_FILE_HEADER 27 /* bytes of a frame before its text, where that has a time */

/*
 * Makes the file anew, mode 0600, and the two folders it is in where they are
 * missing, mode 0700. Returns a descriptor or -errno.
 */
int output_file_create(const char *path);
/* Makes an empty file one of that form. 0 or -errno. */
int output_file_begin(int fd);
/* Appends a frame whole or not at all, as far as the system allows. 0 or -errno. */
int output_file_append(int fd, const struct output_piece *piece);
/* The same with what output_file_write() made. */
int output_file_append_frames(int fd, const struct strbuf *frames);
/* The same to memory. */
void output_file_write_begin(struct strbuf *out);
void output_file_write(struct strbuf *out, const struct output_piece *piece);
/*
 * What stands before the text, read into all of piece but its bytes: how long it is, 0 if the bytes (one
 * at least) are its beginning alone, or -EBADMSG.
 */
int output_file_header(const char *bytes, size_t length, struct output_piece *piece);

#endif
