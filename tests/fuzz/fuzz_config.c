/* SPDX-License-Identifier: MIT */
/* Any file is a config, which can be shown again, or is refused with a place and a reason. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/config.h"
#include "server/config_show.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct schedd_error err = {0};
	struct config config;
	struct arena arena;
	struct value shown;
	int rc;

	arena_init(&arena);
	config_init(&config);
	rc = config_read_text(&config, "f", (const char *)data, size, &err);
	if (rc && (rc != SCHEDD_EFILE || strncmp(err.message, "f:", 2) != 0))
		abort();
	if (!rc) {
		shown = config_show_value(&config, NULL, &arena);
		if (!value_get(&shown, "settings"))
			abort();
	}
	config_clear(&config);
	arena_clear(&arena);
	return 0;
}
