/* SPDX-License-Identifier: MIT */
/* Any text is refused at a place in it, or its value is written and read back as the same; what is read swiftly the library reads alike. */
#include <stdint.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/json_library.h"
#include "base/json_swift.h"
#include "jobfile/json_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_back(const struct value *value, struct arena *arena,
    void (*write)(struct strbuf *out, const struct value *value))
{
	struct strbuf out = STRBUF_EMPTY;
	struct value again;

	write(&out, value);
	if (json_parse(out.data, out.length, arena, &again, NULL) || !value_equal(&again, value))
		abort();
	strbuf_clear(&out);
}

static void check_readers(const char *text, size_t size, struct arena *arena)
{
	struct schedd_error err;
	struct value left, right;

	if (json_swift_parse(text, size, false, UINT32_MAX, arena, &left) &&
	    (json_library_parse(text, size, arena, &right, &err) || !value_equal(&left, &right)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct schedd_error err = {.offset = -1};
	struct diagnostics diagnostics;
	struct value value, placed;
	struct arena arena;
	int rc;

	arena_init(&arena);
	diagnostics_init(&diagnostics);
	rc = json_parse(text, size, &arena, &value, &err);
	check_readers(text, size, &arena);
	if (rc && (!err.message[0] || (err.offset >= 0 && (size_t)err.offset > size)))
		abort();
	if (!rc) {
		check_back(&value, &arena, json_write);
		check_back(&value, &arena, json_write_pretty);
	}
	if (json_read("f", text, size, &arena, &placed, &diagnostics) && diagnostics.count == 0)
		abort();
	diagnostics_clear(&diagnostics);
	arena_clear(&arena);
	return 0;
}
