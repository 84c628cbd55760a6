/* SPDX-License-Identifier: MIT */
/* Words as a shell reads them. */
#ifndef SCHEDD_BASE_SHELL_WORDS_H
#define SCHEDD_BASE_SHELL_WORDS_H

#include "base/strbuf.h"
#include "base/value.h"

/* One word, quoted where it must be. */
void shell_words_add(struct strbuf *out, const char *word);
/* The texts of an array as a line that a POSIX shell takes apart into the same words. */
void shell_words_write(struct strbuf *out, const struct value *argv);

#endif
