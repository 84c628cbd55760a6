/* SPDX-License-Identifier: MIT */
/* The hash is part of what is promised: a job keeps its splay over restarts and versions. */
#include "trigger/trigger_spread.h"

/* bits scaled to 0..range-1 without the bias of a remainder. */
static uint64_t trigger_spread_scale(uint64_t bits, uint64_t range)
{
	return (uint64_t)(((unsigned __int128)bits * range) >> 64);
}

schedd_span trigger_spread_jitter(schedd_span jitter, uint64_t random)
{
	return (schedd_span)trigger_spread_scale(random, (uint64_t)jitter + 1);
}

/* FNV-1a, 64 bits, the NUL of each text included. */
static uint64_t trigger_spread_hash(uint64_t hash, const char *text)
{
	do
		hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
	while (*text++);
	return hash;
}

schedd_span trigger_spread_splay(schedd_span splay, const char *host, const char *job_id)
{
	schedd_span step = splay < SCHEDD_SECOND ? 1 : SCHEDD_SECOND / 1000;
	uint64_t hash = UINT64_C(14695981039346656037);

	hash = trigger_spread_hash(hash, host ? host : "");
	hash = trigger_spread_hash(hash, job_id ? job_id : "");
	/* splitmix64's finish: FNV leaves the upper bits of short texts poor. */
	hash = (hash ^ (hash >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	hash = (hash ^ (hash >> 27)) * UINT64_C(0x94d049bb133111eb);
	hash ^= hash >> 31;
	return (schedd_span)trigger_spread_scale(hash, (uint64_t)(splay / step) + 1) * step;
}
