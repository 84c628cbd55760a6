/* SPDX-License-Identifier: MIT */
#include "core/runs/invocation.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

void invocation_init(struct schedd_scheduler *scheduler)
{
	uint64_t mix = scheduler_random(scheduler);

	if (getrandom(scheduler->key, sizeof(scheduler->key), 0) < 0)
		memcpy(scheduler->key, &mix, sizeof(mix));
}

static void invocation_hex(const uint8_t *bytes, size_t count, char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < count; i++) {
		*text++ = digits[bytes[i] >> 4];
		*text++ = digits[bytes[i] & 15];
	}
	*text = '\0';
}

bool invocation_take_key(struct schedd_scheduler *scheduler, const char *text)
{
	uint8_t key[SIPHASH_KEY];

	if (strlen(text) != 2 * sizeof(key))
		return false;
	for (size_t i = 0; i < sizeof(key); i++) {
		unsigned byte;

		if (strspn(text + 2 * i, "0123456789abcdef") < 2 ||
		    sscanf(text + 2 * i, "%2x", &byte) != 1)
			return false;
		key[i] = (uint8_t)byte;
	}
	memcpy(scheduler->key, key, sizeof(key));
	return true;
}

void invocation_key(const struct schedd_scheduler *scheduler, char text[2 * SIPHASH_KEY + 1])
{
	invocation_hex(scheduler->key, sizeof(scheduler->key), text);
}

void invocation_make(const struct schedd_scheduler *scheduler, const char *id,
    schedd_time scheduled_at, char text[PROCESS_INVOCATION + 1])
{
	struct {
		schedd_time scheduled_at;
		char id[JOB_ID_MAX + 16];
	} of = {.scheduled_at = scheduled_at};
	uint8_t hash[SIPHASH_SIZE];
	size_t length = strnlen(id, sizeof(of.id) - 1);

	memcpy(of.id, id, length);
	siphash(scheduler->key, &of, offsetof(__typeof__(of), id) + length, hash);
	invocation_hex(hash, sizeof(hash), text);
}

void invocation_places(const struct schedd_scheduler *scheduler, char prefix[INVOCATION_PLACE])
{
	static const char own[] = "schedd";
	char digits[2 * SIPHASH_SIZE + 1];
	uint8_t hash[SIPHASH_SIZE];

	siphash(scheduler->key, own, strlen(own), hash);
	invocation_hex(hash, sizeof(hash), digits);
	snprintf(prefix, INVOCATION_PLACE, "schedd-secrets-%.12s-", digits);
}

void invocation_place(const struct schedd_scheduler *scheduler, const char *invocation,
    char name[INVOCATION_PLACE])
{
	char digits[2 * SIPHASH_SIZE + 1];
	uint8_t hash[SIPHASH_SIZE];
	size_t length;

	/* Anybody can list the directory it stands in: the value itself stays unknown. */
	siphash(scheduler->key, invocation, strlen(invocation), hash);
	invocation_hex(hash, sizeof(hash), digits);
	invocation_places(scheduler, name);
	length = strlen(name);
	snprintf(name + length, INVOCATION_PLACE - length, "%.20s", digits);
}
