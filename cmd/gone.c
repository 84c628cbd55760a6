/* SPDX-License-Identifier: MIT */
#include "cmd/gone.h"

#include <string.h>

#include "cmd/out.h"
#include "cmd/say.h"

bool gone_has_runs(struct command *command, const char *id)
{
	struct value params = value_map(), result;
	const struct value *runs;

	value_put(&command->arena, &params, "jobs", value_string_ref(id));
	value_put(&command->arena, &params, "limit", value_int(1));
	if (command_call(command, "run.list", &params, &result, NULL) != 0)
		return false;
	runs = value_get(&result, "runs");
	return runs && runs->type == VALUE_ARRAY && runs->array.count > 0;
}

void gone_say(struct command *command, const char *id)
{
	if (!args_has(&command->args, "node") && !out_is_json(command) && gone_has_runs(command, id))
		say(command, "It has run and is gone; schedctl history %s shows how that went.",
		    id);
}

bool gone_check(struct command *command, const char *id)
{
	struct value params = value_map(), result;
	struct schedd_error err = {0};
	struct strbuf line = STRBUF_EMPTY;

	value_put(&command->arena, &params, "id", value_string_ref(id));
	if (command_call(command, "job.get", &params, &result, &err) == 0 ||
	    err.code != SCHEDD_ENOTFOUND)
		return true;
	out_safe(&line, err.message, strlen(err.message), false);
	say(command, "schedctl: %s", strbuf_peek(&line));
	strbuf_clear(&line);
	gone_say(command, id);
	return false;
}
