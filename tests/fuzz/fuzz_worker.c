/* SPDX-License-Identifier: MIT */
/*
 * Whatever a worker writes is found to be messages or none; what is an answer
 * gives a result that is kept as JSON, or a reason for the failure, and of both
 * no more than is promised.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/frame.h"
#include "base/json.h"
#include "executor/worker_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct frame_limits limits = {
    .bytes = (size_t)4 << 20, .depth = 16, .elements = 65536};

/* A text of controls is six times as long when it is written. */
#define KEPT_MAX (6 * WORKER_RESULT_MAX + 64)

static void check_answer(const struct message *message, struct arena *arena)
{
	struct task_result result = worker_answer_read(message, arena);
	struct value kept;

	if (!result.started || result.exit_code < 0 || result.exit_code > 255)
		abort();
	if (message->error.type != VALUE_NIL ? !result.reason || result.value || result.exit_code == 0
					     : result.reason || result.exit_code != 0)
		abort();
	if (!result.value)
		return;
	if (strlen(result.value) > KEPT_MAX ||
	    json_parse(result.value, strlen(result.value), arena, &kept, NULL) != 0 ||
	    kept.type != VALUE_MAP || kept.map.count == 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	struct frame_scan scan = {0};
	struct schedd_error err = {0};
	struct message message;
	struct arena arena;
	int rc;

	arena_init(&arena);
	while ((rc = frame_scan(&scan, bytes, size, &limits, &err)) > 0) {
		if (message_unpack(bytes, scan.offset, &arena, &message, &err) != 0) {
			if (!err.message[0])
				abort();
			break;
		}
		if (message.type == MESSAGE_RESPONSE)
			check_answer(&message, &arena);
		bytes += scan.offset;
		size -= scan.offset;
		scan.offset = 0;
		arena_reset(&arena);
	}
	if (rc < 0 && !err.message[0])
		abort();
	arena_clear(&arena);
	return 0;
}
