/* SPDX-License-Identifier: MIT */
/* A random sequence that a number starts over again (splitmix64). */
#ifndef TESTS_REFERENCE_RANDOM_H
#define TESTS_REFERENCE_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
	uint64_t state; /* any value is a seed */
};

static inline uint64_t random_next(struct random *random)
{
	uint64_t x = random->state += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* From min to max, both inclusive. */
static inline int random_in(struct random *random, int min, int max)
{
	return min + (int)(random_next(random) % (uint64_t)(max - min + 1));
}

/* True once in so many times. */
static inline bool random_once_in(struct random *random, int times)
{
	return random_next(random) % (uint64_t)times == 0;
}

#endif
