/* SPDX-License-Identifier: MIT */
/* The addresses of a host, within a link's deadline: client libraries wait for a server of names without end. */
#ifndef SCHEDD_STORE_STORE_LOOKUP_H
#define SCHEDD_STORE_STORE_LOOKUP_H

#include <netdb.h>
#include "store/store_remote.h"

/* One that was not done in time: it outlives the connection that would not wait for it. */
struct store_lookup;

/*
 * *out is the caller's to freeaddrinfo(). What is under way when the deadline comes stays in
 * *under_way, and is waited for the next time, which must be for the same host. The link's deadline
 * bounds it; failures go through store_link_fail().
 */
int store_lookup_host(struct store_link *link, struct store_lookup **under_way, const char *name,
    uint16_t port, struct addrinfo **out, struct schedd_error *err);

#endif
