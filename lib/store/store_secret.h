/* SPDX-License-Identifier: MIT */
/* A password in memory of its own, which no core file and no child process gets to see. */
#ifndef SCHEDD_STORE_STORE_SECRET_H
#define SCHEDD_STORE_STORE_SECRET_H

#include <stddef.h>
#include <schedd/error.h>

#define STORE_SECRET_MAX 1024 /* bytes, without the NUL */

struct store_secret {
	char *text; /* NULL: none */
};

/* Takes a copy of so many bytes. SCHEDD_EINVAL: it is too long; SCHEDD_ENOMEM. */
int store_secret_set(struct store_secret *secret, const char *text, size_t length,
    struct schedd_error *err) __attribute__((warn_unused_result));
/*
 * Reads it from a file of one line that only its owner may read, and that is this account's or
 * root's. After an error the old one stays.
 */
int store_secret_read(struct store_secret *secret, const char *path, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Wipes it. */
void store_secret_clear(struct store_secret *secret);
/*
 * Keeps what this thread has allocated and will allocate out of core files: client libraries
 * have copies of passwords there. Where threads have no memory of their own it does nothing.
 */
void store_secret_hide_thread(void);
/* Wipes a text that was one and is somewhere else; NULL is fine. */
void store_secret_wipe(const char *text);

#endif
