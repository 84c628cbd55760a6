/* SPDX-License-Identifier: MIT */
/* A table of fixed size: an address that hashes to a taken place takes it over. */
#include "server/http/http_slow.h"

#include <stdio.h>
#include <string.h>
#include <schedd/clock.h>

#define HTTP_SLOW_FADES (60 * SCHEDD_SECOND)
#define HTTP_SLOW_LONGEST 32 /* seconds */

static unsigned http_slow_index(const char *address)
{
	unsigned hash = 5381;

	for (; *address; address++)
		hash = hash * 33 + (unsigned char)*address;
	return hash % HTTP_SLOW_PLACES;
}

unsigned http_slow_wait(const struct http_slow *slow, const char *address, int64_t now)
{
	const struct http_slow_place *place = &slow->places[http_slow_index(address)];

	if (strcmp(place->address, address) != 0 || place->failures < HTTP_SLOW_FREE ||
	    place->until <= now)
		return 0;
	return (unsigned)((place->until - now + SCHEDD_SECOND - 1) / SCHEDD_SECOND);
}

void http_slow_failed(struct http_slow *slow, const char *address, int64_t now)
{
	struct http_slow_place *place = &slow->places[http_slow_index(address)];
	unsigned over, seconds = 1;

	if (strcmp(place->address, address) != 0 || now - place->until > HTTP_SLOW_FADES) {
		place->failures = 0;
		place->told = 0;
		snprintf(place->address, sizeof(place->address), "%s", address);
	}
	place->failures++;
	over = place->failures > HTTP_SLOW_FREE ? place->failures - HTTP_SLOW_FREE : 0;
	while (over-- && seconds < HTTP_SLOW_LONGEST)
		seconds *= 2;
	place->until = now + (place->failures < HTTP_SLOW_FREE ? 0 : seconds * SCHEDD_SECOND);
}

bool http_slow_tell(struct http_slow *slow, const char *address, int64_t now, unsigned *count)
{
	struct http_slow_place *place = &slow->places[http_slow_index(address)];

	slow->untold++;
	if ((place->told && now - place->told < HTTP_SLOW_FADES) ||
	    (slow->told && now - slow->told < SCHEDD_SECOND))
		return false;
	*count = slow->untold;
	slow->untold = 0;
	slow->told = place->told = now;
	return true;
}

void http_slow_succeeded(struct http_slow *slow, const char *address)
{
	struct http_slow_place *place = &slow->places[http_slow_index(address)];

	if (strcmp(place->address, address) == 0)
		place->failures = 0;
}
