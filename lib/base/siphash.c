/* SPDX-License-Identifier: MIT */
/* As Aumasson and Bernstein describe it; little-endian, whatever the machine is. */
#include "base/siphash.h"

#define SIPHASH_ROTATE(x, n) ((x) << (n) | (x) >> (64 - (n)))

static uint64_t siphash_read(const uint8_t *bytes, size_t count)
{
	uint64_t word = 0;

	for (size_t i = 0; i < count; i++)
		word |= (uint64_t)bytes[i] << (8 * i);
	return word;
}

static void siphash_write(uint8_t *bytes, uint64_t word)
{
	for (size_t i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(word >> (8 * i));
}

static void siphash_rounds(uint64_t v[4], int rounds)
{
	for (int i = 0; i < rounds; i++) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = SIPHASH_ROTATE(v[1], 13) ^ v[0];
		v[3] = SIPHASH_ROTATE(v[3], 16) ^ v[2];
		v[0] = SIPHASH_ROTATE(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = SIPHASH_ROTATE(v[1], 17) ^ v[2];
		v[3] = SIPHASH_ROTATE(v[3], 21) ^ v[0];
		v[2] = SIPHASH_ROTATE(v[2], 32);
	}
}

static void siphash_take(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	siphash_rounds(v, 2);
	v[0] ^= word;
}

void siphash(const uint8_t key[SIPHASH_KEY], const void *bytes, size_t length,
    uint8_t out[SIPHASH_SIZE])
{
	const uint8_t *at = bytes;
	uint64_t k0 = siphash_read(key, 8), k1 = siphash_read(key + 8, 8);
	uint64_t v[4] = {k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d) ^ 0xee,
	    k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573)};
	size_t left = length;

	for (; left >= 8; left -= 8, at += 8)
		siphash_take(v, siphash_read(at, 8));
	siphash_take(v, siphash_read(at, left) | (uint64_t)length << 56);
	v[2] ^= 0xee;
	siphash_rounds(v, 4);
	siphash_write(out, v[0] ^ v[1] ^ v[2] ^ v[3]);
	v[1] ^= 0xdd;
	siphash_rounds(v, 4);
	siphash_write(out + 8, v[0] ^ v[1] ^ v[2] ^ v[3]);
}
