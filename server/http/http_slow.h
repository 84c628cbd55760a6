/* SPDX-License-Identifier: MIT */
/* Counts wrong tokens and passwords by address: who guesses has to wait. */
#ifndef SCHEDD_SERVER_HTTP_HTTP_SLOW_H
#define SCHEDD_SERVER_HTTP_HTTP_SLOW_H

#include <stdbool.h>
#include <stdint.h>

#define HTTP_SLOW_PLACES 256
#define HTTP_SLOW_FREE 10 /* wrong ones before it slows */

struct http_slow_place {
	char address[48];
	unsigned failures;
	int64_t until; /* monotonic µs: nothing is checked before; then the count fades */
	int64_t told;  /* monotonic µs: when it was last told of; 0: never */
};

struct http_slow {
	struct http_slow_place places[HTTP_SLOW_PLACES];
	int64_t told; /* monotonic µs: when one was last told of */
	unsigned untold; /* failures of all since then */
};

/* Seconds that this address has to wait still; 0: none. */
unsigned http_slow_wait(const struct http_slow *slow, const char *address, int64_t now);
void http_slow_failed(struct http_slow *slow, const char *address, int64_t now);
/*
 * After a failure: is it to be told of? Once a minute for an address, and once
 * a second for all of them. *count: failures of all that the telling is for.
 */
bool http_slow_tell(struct http_slow *slow, const char *address, int64_t now, unsigned *count);
void http_slow_succeeded(struct http_slow *slow, const char *address);

#endif
