/* SPDX-License-Identifier: MIT */
/* The hash is libmd's: OpenSSL would cost megabytes for it. */
#include "server/http/http_sha256.h"

#include <sha2.h>
#include <string.h>

static void http_hex_of(const unsigned char *digest, char hex[HTTP_SHA256_HEX])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < SHA256_DIGEST_LENGTH; i++) {
		hex[2 * i] = digits[digest[i] >> 4];
		hex[2 * i + 1] = digits[digest[i] & 15];
	}
	hex[2 * SHA256_DIGEST_LENGTH] = '\0';
}

static void http_digest(
    const void *bytes, size_t length, unsigned char digest[SHA256_DIGEST_LENGTH])
{
	SHA2_CTX context;

	SHA256Init(&context);
	SHA256Update(&context, bytes, length);
	SHA256Final(digest, &context);
}

void http_sha256(const void *bytes, size_t length, char hex[HTTP_SHA256_HEX])
{
	unsigned char digest[SHA256_DIGEST_LENGTH];

	http_digest(bytes, length, digest);
	http_hex_of(digest, hex);
}

void http_sha256_base64(const void *bytes, size_t length, char text[HTTP_SHA256_BASE64])
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned char digest[SHA256_DIGEST_LENGTH + 1] = {0};
	size_t used = 0;

	http_digest(bytes, length, digest);
	for (size_t i = 0; i < SHA256_DIGEST_LENGTH; i += 3) {
		unsigned bits = (unsigned)digest[i] << 16 | (unsigned)digest[i + 1] << 8 |
				(i + 2 < sizeof(digest) ? digest[i + 2] : 0);

		for (int shift = 18; shift >= 0; shift -= 6)
			text[used++] = digits[bits >> shift & 63];
	}
	text[used - 1] = '='; /* 32 bytes leave two: 43 digits */
	text[used] = '\0';
}

void http_hmac_sha256(const void *key, size_t key_length, const void *bytes, size_t length,
    char hex[HTTP_SHA256_HEX])
{
	unsigned char block[SHA256_BLOCK_LENGTH] = {0}, digest[SHA256_DIGEST_LENGTH];
	SHA2_CTX context;

	if (key_length > sizeof(block)) {
		SHA256Init(&context);
		SHA256Update(&context, key, key_length);
		SHA256Final(block, &context);
	} else {
		memcpy(block, key, key_length);
	}
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] ^= 0x36;
	SHA256Init(&context);
	SHA256Update(&context, block, sizeof(block));
	SHA256Update(&context, bytes, length);
	SHA256Final(digest, &context);
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] ^= 0x36 ^ 0x5c;
	SHA256Init(&context);
	SHA256Update(&context, block, sizeof(block));
	SHA256Update(&context, digest, sizeof(digest));
	SHA256Final(digest, &context);
	http_hex_of(digest, hex);
	explicit_bzero(block, sizeof(block));
}

bool http_sha256_equal(const char *a, const char *b)
{
	unsigned char difference = 0;

	if (strlen(a) != HTTP_SHA256_HEX - 1 || strlen(b) != HTTP_SHA256_HEX - 1)
		return false;
	for (size_t i = 0; i < HTTP_SHA256_HEX - 1; i++)
		difference |= (unsigned char)(a[i] ^ b[i]);
	return difference == 0;
}
