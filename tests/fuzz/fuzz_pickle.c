/* SPDX-License-Identifier: MIT */
/*
 * Any bytes, as they are and as base64, are plain data or are refused with a
 * reason; nothing is ever called. What was read can be walked in bounded time.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/strbuf.h"
#include "jobfile/pickle_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void base64(struct strbuf *out, const uint8_t *data, size_t size)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < size; i += 3) {
		uint32_t bits = (uint32_t)data[i] << 16;

		bits |= i + 1 < size ? (uint32_t)data[i + 1] << 8 : 0;
		bits |= i + 2 < size ? data[i + 2] : 0;
		for (size_t k = 0; k < 4; k++)
			strbuf_add_char(
			    out, i + k > size ? '=' : digits[bits >> (18 - 6 * k) & 0x3f]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct strbuf text = STRBUF_EMPTY;
	struct schedd_error err = {0};
	struct value value;
	struct arena arena;

	arena_init(&arena);
	if (pickle_read_bytes(data, size, &arena, &value, &err)) {
		if (!err.message[0])
			abort();
	} else {
		json_write(&text, &value);
		strbuf_clear(&text);
	}
	base64(&text, data, size);
	if (pickle_read(strbuf_peek(&text), &arena, &value, &err) && !err.message[0])
		abort();
	strbuf_clear(&text);
	arena_clear(&arena);
	return 0;
}
