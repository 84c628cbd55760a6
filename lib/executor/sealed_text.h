/* SPDX-License-Identifier: MIT */
/* Files in memory to be handed to processes, whose size and content are settled. */
#ifndef SCHEDD_EXECUTOR_SEALED_TEXT_H
#define SCHEDD_EXECUTOR_SEALED_TEXT_H

#include <stddef.h>
#include <schedd/error.h>

/*
 * One that holds the text, to be read from its begin; nobody who has it can make
 * something else of it. what: its name, for sentences. -1, and *err.
 */
int sealed_text_new(const char *text, size_t length, const char *what, struct schedd_error *err);
/* One of so many NULs, which may be written over. Likewise. */
int sealed_text_blank(size_t length, const char *what, struct schedd_error *err);

#endif
