/* SPDX-License-Identifier: MIT */
/* UTF-8 as RFC 3629 has it: no surrogates, nothing over U+10FFFF, no longer form than needed. */
#ifndef SCHEDD_BASE_UTF8_H
#define SCHEDD_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the character that starts at text, of which length > 0 bytes are left; 0: there is none.
 */
size_t utf8_size(const char *text, size_t length);
/* The same, and which character that is. */
size_t utf8_decode(const char *text, size_t length, uint32_t *out);
/* Would a terminal obey it? Controls, and the characters that reorder or hide text around them. */
bool utf8_harmful(uint32_t c);
/* Are these bytes UTF-8 from first to last? */
bool utf8_valid(const char *text, size_t length);

#endif
