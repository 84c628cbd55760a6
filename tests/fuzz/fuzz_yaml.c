/* SPDX-License-Identifier: MIT */
/* Any bytes are read or refused with a reason, and what is read is written and read back as the
 * same. */
#include <stdint.h>
#include <stdlib.h>

#include "jobfile/yaml_read.h"
#include "jobfile/yaml_scalar.h"
#include "jobfile/yaml_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_back(const struct value *value, struct arena *arena)
{
	struct strbuf out = STRBUF_EMPTY;
	struct diagnostics diagnostics;
	struct value again;

	diagnostics_init(&diagnostics);
	strbuf_add(&out, "top:");
	yaml_write_value(&out, value, 0);
	/* Keys longer than libyaml takes on one line are the one thing that cannot be written. */
	if (yaml_read("f", out.data, out.length, arena, &again, &diagnostics) == 0) {
		yaml_scalar_core_deep(&again);
		if (!value_equal(value_get(&again, "top"), value))
			abort();
	}
	strbuf_clear(&out);
	diagnostics_clear(&diagnostics);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diagnostics diagnostics;
	struct arena arena;
	struct value value;
	int rc;

	arena_init(&arena);
	diagnostics_init(&diagnostics);
	rc = yaml_read("f", (const char *)data, size, &arena, &value, &diagnostics);
	if (rc && diagnostics.count == 0)
		abort();
	yaml_scalar_core_deep(&value);
	if (!rc)
		check_back(&value, &arena);
	diagnostics_clear(&diagnostics);
	arena_clear(&arena);
	return 0;
}
