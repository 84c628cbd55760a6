/* SPDX-License-Identifier: MIT */
/* Words as a shell reads them. */
#ifndef SCHEDD_CMD_SHELL_WORDS_H
#define SCHEDD_CMD_SHELL_WORDS_H

#include "base/strbuf.h"
#include "base/value.h"

/* The texts of an array as a line that a POSIX shell takes apart into the same words. */
void shell_words_write(struct strbuf *out, const struct value *argv);

#endif
