/* SPDX-License-Identifier: MIT */
/* The authors' own vectors: the key and the text are 0, 1, 2, … */
#include "base/siphash.h"

#include <criterion/criterion.h>
#include <string.h>

Test(siphash, gives_what_its_authors_say)
{
	static const struct {
		size_t length;
		uint8_t hash[SIPHASH_SIZE];
	} vectors[] = {
	    {0, {0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55,
		    0x02, 0x93}},
	    {1, {0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34, 0x76, 0x59, 0x11, 0x9b, 0x22,
		    0xfc, 0x45}},
	    {2, {0x81, 0x77, 0x22, 0x8d, 0xa4, 0xa4, 0x5d, 0xc7, 0xfc, 0xa3, 0x8b, 0xde, 0xf6, 0x0a,
		    0xff, 0xe4}},
	};
	uint8_t key[SIPHASH_KEY], text[64], hash[SIPHASH_SIZE];

	for (uint8_t i = 0; i < sizeof(text); i++)
		text[i] = i;
	memcpy(key, text, sizeof(key));
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		siphash(key, text, vectors[i].length, hash);
		cr_expect_arr_eq(hash, vectors[i].hash, sizeof(hash), "%zu", vectors[i].length);
	}
}

Test(siphash, depends_on_each_byte_and_on_the_length)
{
	uint8_t key[SIPHASH_KEY] = {7}, text[32] = {0}, one[SIPHASH_SIZE], other[SIPHASH_SIZE];

	for (size_t length = 1; length <= sizeof(text); length++) {
		siphash(key, text, length, one);
		siphash(key, text, length - 1, other);
		cr_expect_arr_neq(one, other, sizeof(one));
		text[length - 1] ^= 1;
		siphash(key, text, length, other);
		cr_expect_arr_neq(one, other, sizeof(one));
		text[length - 1] ^= 1;
		key[length % SIPHASH_KEY] ^= 1;
		siphash(key, text, length, other);
		cr_expect_arr_neq(one, other, sizeof(one));
		key[length % SIPHASH_KEY] ^= 1;
	}
}
