/* SPDX-License-Identifier: MIT */
/*
 * Errors: a code that programs act on and a sentence that people read.
 *
 * Functions return 0 or one of the negative codes below. The sentence is
 * written once, where the reason is known, into the caller's struct.
 */
#ifndef SCHEDD_ERROR_H
#define SCHEDD_ERROR_H

#include <schedd/export.h>

SCHEDD_BEGIN

/* The negative of a code is schedctl's exit status (schedctl(1)), up to 8. */
enum schedd_code {
	SCHEDD_OK = 0,
	SCHEDD_EFAILED = -1,      /* it was tried and failed */
	SCHEDD_EINVAL = -2,       /* the request makes no sense as written */
	SCHEDD_EUNREACHABLE = -3, /* no daemon answers */
	SCHEDD_ENOTFOUND = -4,    /* no such job, run, store, executor */
	SCHEDD_ECONFLICT = -5,    /* id exists, changed meanwhile, wrong state */
	SCHEDD_EPERM = -6,        /* permission denied */
	SCHEDD_EFILE = -7,        /* a file's content is invalid */
	SCHEDD_ETIMEOUT = -8,     /* time is over, still pending */
	SCHEDD_ENOMEM = -12,      /* out of memory */
	SCHEDD_EMETHOD = -13,     /* unknown RPC method */
};

#define SCHEDD_ERROR_MESSAGE_MAX 768

struct schedd_error {
	int code;                               /* one of enum schedd_code */
	int offset;                             /* byte offset in the text at fault, -1: none */
	char message[SCHEDD_ERROR_MESSAGE_MAX]; /* one sentence, UTF-8, never cut inside a character
						 */
};

/*
 * Writes code and sentence into *err (which may be NULL) and returns code, so
 * that a function can end with "return schedd_error_set(...)".
 */
SCHEDD_API int schedd_error_set(struct schedd_error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As schedd_error_set, and marks the byte at which the text went wrong. */
SCHEDD_API int schedd_error_at(struct schedd_error *err, int code, int offset, const char *format,
    ...) __attribute__((format(printf, 4, 5)));

/* Puts "prefix: " before the sentence that is there. Returns err's code. */
SCHEDD_API int schedd_error_prefix(struct schedd_error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "out of memory" with SCHEDD_ENOMEM. */
SCHEDD_API int schedd_error_nomem(struct schedd_error *err);

/* The wire name of a code: "invalid_argument", "not_found", ... never NULL. */
SCHEDD_API const char *schedd_error_name(int code);

/* The code of a wire name; SCHEDD_EFAILED for a name that is not known. */
SCHEDD_API int schedd_error_code(const char *name);

SCHEDD_END

#endif
