/* SPDX-License-Identifier: MIT */
#include "cmd/out.h"
#include "cmd/verb_rows.h"

static int version_run(struct command *command)
{
	static const char text[] = "schedctl " SCHEDD_VERSION "\n";
	struct value object = value_map();

	if (!out_is_json(command))
		return out_write(text, sizeof(text) - 1) ? EXIT_DONE : EXIT_PIPE;
	value_put(&command->arena, &object, "schedctl", value_string_ref(SCHEDD_VERSION));
	return out_json(command, &object);
}

const struct verb verb_version = {
    .name = "version",
    .group = "About",
    .summary = "show the version",
    .usage = "",
    .examples = "schedctl version",
    .run = version_run,
};
