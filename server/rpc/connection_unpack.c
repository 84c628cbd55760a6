/* SPDX-License-Identifier: MIT */
/*
 * A large message is taken apart in pieces. Of all connections one at a time has
 * this done: what comes of a message takes many times its bytes, and until all of
 * it is there nobody has any use for it.
 */
#include "server/rpc/connection_state.h"

#include <stdlib.h>

/* Bytes at a time: single numbers, the worst of them, take about a millisecond. */
#define CONNECTION_PIECE 16384

struct connection_unpack {
	struct message_pieces *pieces;
	int rc; /* of the last step; 0: more is left */
	struct schedd_error err;
	struct arena arena;
	struct message message;
};

static struct connection_unpack *connection_unpack_new(void)
{
	struct connection_unpack *unpack = calloc(1, sizeof(*unpack));

	if (!unpack)
		return NULL;
	arena_init(&unpack->arena);
	unpack->pieces = message_pieces_new();
	if (unpack->pieces)
		return unpack;
	free(unpack);
	return NULL;
}

bool connection_unpack_some(struct connection *c)
{
	struct connection_unpack *unpack = c->unpack;

	if (c->rpc->unpacking && c->rpc->unpacking != c)
		return true;
	if (!unpack)
		unpack = c->unpack = connection_unpack_new();
	if (!unpack || unpack->rc)
		return false; /* without memory: this is said where it is taken */
	c->rpc->unpacking = c;
	unpack->rc = message_pieces_step(unpack->pieces, c->in.data, c->large, CONNECTION_PIECE,
	    &unpack->arena, &unpack->message, &unpack->err);
	if (unpack->rc)
		c->rpc->unpacking = NULL;
	return unpack->rc == 0;
}

void connection_unpack_forget(struct connection *c)
{
	if (c->rpc->unpacking == c)
		c->rpc->unpacking = NULL;
	if (!c->unpack)
		return;
	message_pieces_free(c->unpack->pieces);
	arena_clear(&c->unpack->arena);
	free(c->unpack);
	c->unpack = NULL;
}

int connection_unpack(struct connection *c, const char *bytes, size_t length, struct arena *arena,
    struct message *out, struct schedd_error *err)
{
	int rc;

	if (!c->unpack)
		return message_unpack(bytes, length, arena, out, err);
	*out = c->unpack->message;
	*err = c->unpack->err;
	*arena = c->unpack->arena;
	arena_init(&c->unpack->arena);
	rc = c->unpack->rc < 0 ? c->unpack->rc : 0;
	connection_unpack_forget(c);
	return rc;
}
