/* SPDX-License-Identifier: MIT */
/* SipHash-2-4 with 128 bits: who does not know the key can neither foresee nor make a value. */
#ifndef SCHEDD_BASE_SIPHASH_H
#define SCHEDD_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#define SIPHASH_KEY 16
#define SIPHASH_SIZE 16

void siphash(const uint8_t key[SIPHASH_KEY], const void *bytes, size_t length,
    uint8_t out[SIPHASH_SIZE]);

#endif
