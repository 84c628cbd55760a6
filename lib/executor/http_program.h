/* SPDX-License-Identifier: MIT */
/*
 * What schedd-http, which sends a request with the rights of whom it runs as, and
 * the executor that starts it agree on.
 *
 * The request is on stdin: texts that end in NUL, each behind a letter of enum
 * http_program_part. The body of the answer goes to stdout, and what went wrong, if
 * anything did, into the file that is descriptor HTTP_PROGRAM_NOTE: of a fixed
 * size, and NULs behind the sentence.
 */
#ifndef SCHEDD_EXECUTOR_HTTP_PROGRAM_H
#define SCHEDD_EXECUTOR_HTTP_PROGRAM_H

#include <schedd/error.h>

#define HTTP_PROGRAM "schedd-http"
#define HTTP_PROGRAM_NOTE 3
#define HTTP_PROGRAM_NOTE_MAX SCHEDD_ERROR_MESSAGE_MAX
#define HTTP_PROGRAM_NO_ANSWER 100 /* its exit code where there was none; others as of the module */

enum http_program_part {
	HTTP_PROGRAM_METHOD = 'M',
	HTTP_PROGRAM_URL = 'U',
	HTTP_PROGRAM_HEADER = 'H', /* its name; its text follows */
	HTTP_PROGRAM_TEXT = 'T',
	HTTP_PROGRAM_BODY = 'B',
};

#endif
