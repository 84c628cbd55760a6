/* SPDX-License-Identifier: MIT */
/* What strangers wrote, for a terminal: nothing in it can be an order to that. */
#ifndef SCHEDD_BASE_SAFE_TEXT_H
#define SCHEDD_BASE_SAFE_TEXT_H

#include "base/strbuf.h"

/*
 * Appends the text with controls, characters that turn text around, and bytes
 * that are no UTF-8 as \x9b or \u202e. keep_newlines: line ends and tabs stay.
 */
void safe_text_add(struct strbuf *out, const char *text, size_t length, bool keep_newlines);

#endif
