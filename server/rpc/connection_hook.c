/* SPDX-License-Identifier: MIT */
/* A list with both links: hooks come and go in any order. */
#include "server/rpc/connection_state.h"

void connection_attach(struct connection *c, struct connection_hook *hook)
{
	struct connection_hook **first = &c->hooks;

	hook->connection = c;
	hook->prev = NULL;
	hook->next = *first;
	if (*first)
		(*first)->prev = hook;
	*first = hook;
}

void connection_detach(struct connection_hook *hook)
{
	if (!hook->connection)
		return;
	if (hook->prev)
		hook->prev->next = hook->next;
	else
		hook->connection->hooks = hook->next;
	if (hook->next)
		hook->next->prev = hook->prev;
	hook->next = hook->prev = NULL;
	hook->connection = NULL;
}

struct connection_hook *connection_hooks(struct connection *c)
{
	return c->hooks;
}
