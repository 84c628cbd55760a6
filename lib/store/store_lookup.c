/* SPDX-License-Identifier: MIT */
#include "store/store_lookup.h"

#include <stdio.h>
#include <stdlib.h>

struct store_lookup {
	struct gaicb request;
	struct addrinfo hints;
	char port[8];
	char name[256];
};

static struct store_lookup *lookup_new(const char *name, uint16_t port)
{
	struct store_lookup *lookup = calloc(1, sizeof(*lookup));

	if (!lookup)
		return NULL;
	lookup->hints.ai_socktype = SOCK_STREAM;
	snprintf(lookup->port, sizeof(lookup->port), "%u", (unsigned)port);
	snprintf(lookup->name, sizeof(lookup->name), "%s", name);
	lookup->request.ar_name = lookup->name;
	lookup->request.ar_service = lookup->port;
	lookup->request.ar_request = &lookup->hints;
	return lookup;
}

static int lookup_failed(
    struct store_link *link, const char *name, int code, struct schedd_error *err)
{
	return store_link_fail(link, STORE_FAULT_GONE, err, "the host '%.200s' is not found: %s",
	    name, gai_strerror(code));
}

/* An address that is written out needs no server of names. */
static int lookup_number(struct store_lookup *lookup, struct addrinfo **out)
{
	struct addrinfo hints = lookup->hints;

	hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
	return getaddrinfo(lookup->name, lookup->port, &hints, out);
}

/* One that was not done in time is waited for the next time. */
static int lookup_wait(struct store_link *link, struct store_lookup **under_way,
    struct addrinfo **out, struct schedd_error *err)
{
	struct store_lookup *lookup = *under_way;
	const struct gaicb *requests[1] = {&lookup->request};
	int code;

	while ((code = gai_error(&lookup->request)) == EAI_INPROGRESS) {
		int left = store_link_left(link);
		struct timespec time = {left / 1000, left % 1000 * 1000000L};

		if (left == 0)
			return store_link_fail(link, STORE_FAULT_GONE, err,
			    "the host '%.200s' is not found in time: the server of names does not "
			    "answer",
			    lookup->name);
		(void)gai_suspend(requests, 1, &time);
	}
	*under_way = NULL;
	if (code)
		lookup_failed(link, lookup->name, code, err);
	*out = lookup->request.ar_result;
	free(lookup);
	return code ? SCHEDD_EFAILED : 0;
}

int store_lookup_host(struct store_link *link, struct store_lookup **under_way, const char *name,
    uint16_t port, struct addrinfo **out, struct schedd_error *err)
{
	struct gaicb *requests[1];
	int code;

	*out = NULL;
	if (!*under_way) {
		*under_way = lookup_new(name, port);
		if (!*under_way)
			return schedd_error_nomem(err);
		if (lookup_number(*under_way, out) == 0) {
			free(*under_way);
			*under_way = NULL;
			return 0;
		}
		requests[0] = &(*under_way)->request;
		code = getaddrinfo_a(GAI_NOWAIT, requests, 1, NULL);
		if (code) {
			lookup_failed(link, name, code, err);
			free(*under_way);
			*under_way = NULL;
			return SCHEDD_EFAILED;
		}
	}
	return lookup_wait(link, under_way, out, err);
}
