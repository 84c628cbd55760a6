/* SPDX-License-Identifier: MIT */
/* Bytes as text of 64 plain characters (RFC 4648, chapter 4). */
#ifndef SCHEDD_BASE_BASE64_H
#define SCHEDD_BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include "base/strbuf.h"

/* Appends the text of length bytes, with its padding. */
void base64_write(struct strbuf *out, const void *bytes, size_t length);
/*
 * The bytes of a text into bytes, which has room for as many as the text has;
 * padding may be missing, blanks and line breaks are passed over. false: it is none.
 */
bool base64_read(const char *text, size_t size, void *bytes, size_t *length);

#endif
