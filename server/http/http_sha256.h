/* SPDX-License-Identifier: MIT */
/* SHA-256 and HMAC-SHA-256 (RFC 2104) in hexadecimal, and comparing without telling by the time. */
#ifndef SCHEDD_SERVER_HTTP_HTTP_SHA256_H
#define SCHEDD_SERVER_HTTP_HTTP_SHA256_H

#include <stdbool.h>
#include <stddef.h>

#define HTTP_SHA256_HEX 65 /* bytes, with the NUL */

void http_sha256(const void *bytes, size_t length, char hex[HTTP_SHA256_HEX]);
void http_hmac_sha256(const void *key, size_t key_length, const void *bytes, size_t length,
    char hex[HTTP_SHA256_HEX]);
/* The same as base64, for a Content-Security-Policy. */
#define HTTP_SHA256_BASE64 45 /* bytes, with the NUL */
void http_sha256_base64(const void *bytes, size_t length, char text[HTTP_SHA256_BASE64]);
bool http_sha256_equal(const char *a, const char *b);

#endif
