/* SPDX-License-Identifier: MIT */
#include "jobfile/apscheduler_command.h"

#include <string.h>
#include "base/json.h"

/* Calls module:function with arguments in JSON. */
static const char apscheduler_python[] =
    "import importlib,json,operator,sys;m,f=sys.argv[1].split(':');"
    "operator.attrgetter(f)(importlib.import_module(m))"
    "(*json.loads(sys.argv[2]),**json.loads(sys.argv[3]))";

static struct value apscheduler_command_json(
    struct arena *arena, const struct value *value, const char *none)
{
	struct strbuf text = STRBUF_EMPTY;
	struct value json;

	if (!value || value->type == VALUE_NIL)
		return value_string_ref(none);
	json_write(&text, value);
	json = value_string(arena, strbuf_peek(&text));
	strbuf_clear(&text);
	return json;
}

struct value apscheduler_command_make(struct arena *arena, const char *func,
    const struct value *args, const struct value *kwargs)
{
	struct value argv = value_array();

	value_append(arena, &argv, value_string_ref("python3"));
	value_append(arena, &argv, value_string_ref("-c"));
	value_append(arena, &argv, value_string_ref(apscheduler_python));
	value_append(arena, &argv, value_string(arena, func));
	value_append(arena, &argv, apscheduler_command_json(arena, args, "[]"));
	value_append(arena, &argv, apscheduler_command_json(arena, kwargs, "{}"));
	return argv;
}

static bool apscheduler_command_read(
    const struct value *text, struct arena *arena, struct value *out)
{
	return text->type == VALUE_STRING &&
	       json_parse(text->string.text, text->string.length, arena, out, NULL) == 0;
}

bool apscheduler_command_parse(const struct value *argv, struct arena *arena, struct value *func,
    struct value *args, struct value *kwargs)
{
	const struct value *items = argv->array.items;

	if (argv->type != VALUE_ARRAY || argv->array.count != 6 ||
	    !value_is_text(&items[0], "python3") || !value_is_text(&items[1], "-c") ||
	    !value_is_text(&items[2], apscheduler_python))
		return false;
	*func = items[3];
	return apscheduler_command_read(&items[4], arena, args) &&
	       apscheduler_command_read(&items[5], arena, kwargs);
}
