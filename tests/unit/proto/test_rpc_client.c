/* SPDX-License-Identifier: MIT */
#include "proto/rpc_client.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "base/message.h"

/* A client on one end of a pair; the test plays the daemon on the other. */
static struct rpc_client *pair(int *peer, schedd_span timeout)
{
	struct rpc_client *client;
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	cr_assert_eq(rpc_client_from_fds(fds[0], fds[0], timeout, &client, NULL), 0);
	*peer = fds[1];
	return client;
}

static void answer(int peer, uint32_t msgid, int64_t number)
{
	struct strbuf packed = STRBUF_EMPTY;
	struct value result = value_int(number);

	message_pack_response(&packed, msgid, &result);
	cr_assert_eq(write(peer, packed.data, packed.length), (ssize_t)packed.length);
	strbuf_clear(&packed);
}

static void notify(int peer, const char *method)
{
	struct strbuf packed = STRBUF_EMPTY;

	message_pack_notification(&packed, method, NULL);
	cr_assert_eq(write(peer, packed.data, packed.length), (ssize_t)packed.length);
	strbuf_clear(&packed);
}

Test(rpc_client, finds_answers_that_come_out_of_order)
{
	struct rpc_client *client;
	struct value result, params;
	struct arena arena;
	const char *method;
	uint32_t first, second;
	int peer;

	arena_init(&arena);
	client = pair(&peer, SCHEDD_SECOND);
	cr_assert_eq(rpc_client_send(client, "a", NULL, &first, NULL), 0);
	cr_assert_eq(rpc_client_send(client, "b", NULL, &second, NULL), 0);
	notify(peer, "event");
	answer(peer, second, 2);
	answer(peer, first, 1);
	cr_assert_eq(rpc_client_receive(client, first, &arena, &result, NULL), 0);
	cr_assert_eq(result.integer, 1);
	cr_assert_eq(rpc_client_receive(client, second, &arena, &result, NULL), 0);
	cr_assert_eq(result.integer, 2);
	cr_assert_eq(rpc_client_next(client, 0, &arena, &method, &params, NULL), 1);
	cr_assert_str_eq(method, "event");
	cr_assert_eq(rpc_client_next(client, 0, &arena, &method, &params, NULL), 0);
	rpc_client_close(client);
	close(peer);
	arena_clear(&arena);
}

Test(rpc_client, tells_silence_from_a_closed_connection)
{
	struct schedd_error err = {0};
	struct rpc_client *client;
	struct value result;
	struct arena arena;
	int peer;

	arena_init(&arena);
	client = pair(&peer, 1000);
	cr_assert_eq(rpc_client_call(client, "a", NULL, &arena, &result, &err), SCHEDD_ETIMEOUT);
	close(peer);
	cr_assert_eq(
	    rpc_client_call(client, "a", NULL, &arena, &result, &err), SCHEDD_EUNREACHABLE);
	rpc_client_close(client);
	arena_clear(&arena);
}

Test(rpc_client, names_what_does_not_speak_the_protocol)
{
	struct schedd_error err = {0};
	struct rpc_client *client;
	struct value result;
	struct arena arena;
	int peer;

	arena_init(&arena);
	client = pair(&peer, SCHEDD_SECOND);
	cr_assert_eq(write(peer, "\xc1", 1), 1);
	cr_assert_lt(rpc_client_call(client, "a", NULL, &arena, &result, &err), 0);
	cr_assert(strstr(err.message, "does not speak this protocol"), "%s", err.message);
	rpc_client_close(client);
	close(peer);
	arena_clear(&arena);
}

Test(rpc_client, explains_why_it_cannot_connect)
{
	struct schedd_error err = {0};
	struct rpc_client *client;
	char longest[200];

	cr_assert_eq(
	    rpc_client_connect("/nonexistent/schedd.sock", 0, &client, &err), SCHEDD_EUNREACHABLE);
	cr_assert(strstr(err.message, "/nonexistent/schedd.sock"));
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	cr_assert_eq(rpc_client_connect(longest, 0, &client, &err), SCHEDD_EINVAL);
}
