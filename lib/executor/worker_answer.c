/* SPDX-License-Identifier: MIT */
/* What is kept of a returned value is JSON of one member, which says how it is meant: see run.h. */
#include "executor/worker_answer.h"

#include <string.h>
#include "base/json.h"

/* JSON that the model checked when it took the job. */
static void answer_put_json(
    struct arena *arena, struct value *map, const char *key, const char *text)
{
	struct value value;

	if (text && json_parse(text, strlen(text), arena, &value, NULL) == 0)
		value_put(arena, map, key, value);
}

static void answer_put_env(
    struct arena *arena, struct value *map, const struct job_pairs *pairs)
{
	struct value env = value_map();

	for (uint32_t i = 0; pairs && i < pairs->count; i++)
		value_put(arena, &env, pairs->items[i].name,
		    value_string_ref(pairs->items[i].text));
	if (env.map.count > 0)
		value_put(arena, map, "env", env);
}

struct value worker_answer_call(
    const struct task_request *request, schedd_time now, struct arena *arena)
{
	const struct schedd_job *job = request->job;
	schedd_span timeout = job_details(job)->timeout;
	struct value map = value_map();

	/* As its account sees it. */
	value_put(arena, &map, "run", value_string_ref(job_id_plain(request->run_id)));
	if (job->name)
		value_put(arena, &map, "name", value_string_ref(job->name));
	value_put(arena, &map, "function", value_string_ref(job->call->function));
	answer_put_json(arena, &map, "args", job->call->args);
	answer_put_json(arena, &map, "kwargs", job->call->kwargs);
	value_put(arena, &map, "attempt", value_int(request->attempt));
	if (request->scheduled_at != SCHEDD_TIME_NONE)
		value_put(arena, &map, "scheduled_at", value_int(request->scheduled_at));
	if (timeout != SCHEDD_SPAN_NONE)
		value_put(arena, &map, "deadline", value_int(now + timeout));
	answer_put_env(arena, &map, request->extra_env);
	return map;
}

/* ---- Answers ---- */

static void answer_error(
    const struct value *error, struct arena *arena, struct task_result *result)
{
	const char *type = value_get_string(error, "type");
	const char *text = value_get_string(error, "message");
	int64_t code = value_get_int(error, "exit_code", 1);

	result->exit_code = code > 0 && code <= 255 ? (int)code : 1;
	if (error->type == VALUE_STRING)
		text = error->string.text;
	if (!text && !type)
		result->reason = "its worker answered with an error it did not explain";
	else if (type && text && text[0])
		result->reason = arena_printf(arena, "%s: %.4096s", type, text);
	else
		result->reason = arena_strdup(arena, type ? type : text);
}

/* Text up to so many bytes, cut between characters. */
static size_t answer_cut(const char *text, size_t length)
{
	if (length <= WORKER_RESULT_MAX)
		return length;
	length = WORKER_RESULT_MAX;
	while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
		length--;
	return length;
}

static char *answer_repr(const struct value *text, bool cut, struct arena *arena)
{
	size_t length = answer_cut(text->string.text, text->string.length);
	struct strbuf out = STRBUF_EMPTY;
	char *copy;

	strbuf_add(&out, "{\"repr\":");
	json_write_string(&out, text->string.text, length);
	if (cut || length < text->string.length)
		strbuf_add(&out, ",\"cut\":true");
	strbuf_add_char(&out, '}');
	copy = strbuf_failed(&out) ? NULL : arena_strdup(arena, strbuf_peek(&out));
	strbuf_clear(&out);
	return copy;
}

static char *answer_json(const struct value *value, struct arena *arena)
{
	struct strbuf out = STRBUF_EMPTY;
	char *copy;

	strbuf_add(&out, "{\"value\":");
	json_write(&out, value);
	strbuf_add_char(&out, '}');
	if (out.length > WORKER_RESULT_MAX + strlen("{\"value\":}")) {
		struct value text = value_string_n(
		    arena, strbuf_peek(&out) + strlen("{\"value\":"), WORKER_RESULT_MAX + 1);

		copy = answer_repr(&text, true, arena);
	} else {
		copy = strbuf_failed(&out) ? NULL : arena_strdup(arena, strbuf_peek(&out));
	}
	strbuf_clear(&out);
	return copy;
}

static void answer_value(
    const struct value *answer, struct arena *arena, struct task_result *result)
{
	const struct value *json = value_get(answer, "json");
	const struct value *repr = value_get(answer, "repr");
	const struct value *plain = value_get(answer, "value");
	struct value parsed;

	if (answer->type == VALUE_NIL)
		return;
	if (json && json->type == VALUE_STRING && json->string.length <= WORKER_RESULT_MAX &&
	    json_parse(json->string.text, json->string.length, arena, &parsed, NULL) == 0)
		result->value = answer_json(&parsed, arena);
	else if (json && json->type == VALUE_STRING)
		result->value =
		    answer_repr(json, json->string.length > WORKER_RESULT_MAX, arena);
	else if (repr && repr->type == VALUE_STRING)
		result->value = answer_repr(repr, value_get_bool(answer, "cut", false), arena);
	else
		result->value = answer_json(plain ? plain : answer, arena);
	/* The run went well, and none may take something else for what it returned. */
	if (!result->value || arena_failed(arena))
		result->value = "{\"repr\":\"(lost: no memory for it)\",\"cut\":true}";
}

struct task_result worker_answer_read(const struct message *message, struct arena *arena)
{
	struct task_result result = {.started = true};

	if (message->error.type != VALUE_NIL)
		answer_error(&message->error, arena, &result);
	else
		answer_value(&message->result, arena, &result);
	return result;
}
