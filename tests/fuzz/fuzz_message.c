/* SPDX-License-Identifier: MIT */
/*
 * Any bytes are found to be a message or none, however they are cut into
 * pieces; what can be unpacked is packed and unpacked as the same, and a call
 * is checked against the method's rows.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/frame.h"
#include "base/message.h"
#include "proto/methods.h"
#include "proto/methods_address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct frame_limits limits = {
    .bytes = 65536, .depth = FRAME_DEPTH_MAX, .elements = 4096};

/* As a slow sender's: byte by byte. */
static int scan_slowly(struct frame_scan *scan, const char *bytes, size_t size)
{
	int rc = 0;

	for (size_t length = 1; length <= size && rc == 0; length++)
		rc = frame_scan(scan, bytes, length, &limits, NULL);
	return rc;
}

static void check_back(const struct value *value, struct arena *arena)
{
	struct strbuf packed = STRBUF_EMPTY, twice = STRBUF_EMPTY;
	struct message again;

	message_pack_response(&packed, 7, value);
	if (message_unpack(packed.data, packed.length, arena, &again, NULL) || again.msgid != 7 ||
	    again.type != MESSAGE_RESPONSE)
		abort();
	/* By the bytes: a NaN is not equal to itself. */
	message_pack_response(&twice, 7, &again.result);
	if (twice.length != packed.length || memcmp(twice.data, packed.data, packed.length) != 0)
		abort();
	strbuf_clear(&packed);
	strbuf_clear(&twice);
}

static void check_call(struct message *message, struct arena *arena)
{
	const struct method *method = methods_find(message->method);
	struct schedd_error err = {0};

	if (!method)
		return;
	methods_address(method, &message->params, arena);
	if (methods_check(method, &message->params, &err) && !err.message[0])
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame_scan scan = {0}, slow = {0};
	const char *bytes = (const char *)data;
	struct schedd_error err = {0};
	struct message message;
	struct arena arena;
	int rc = frame_scan(&scan, bytes, size, &limits, &err);

	if (scan_slowly(&slow, bytes, size) != rc || (rc == 1 && slow.offset != scan.offset) ||
	    (rc < 0 && !err.message[0]) || scan.offset > size)
		abort();
	if (rc != 1)
		return 0;
	arena_init(&arena);
	if (message_unpack(bytes, scan.offset, &arena, &message, &err)) {
		if (!err.message[0])
			abort();
	} else if (message.type == MESSAGE_RESPONSE) {
		check_back(&message.result, &arena);
	} else {
		check_back(&message.params, &arena);
		check_call(&message, &arena);
	}
	arena_clear(&arena);
	return 0;
}
