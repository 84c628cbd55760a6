/* SPDX-License-Identifier: MIT */
#include "store/store_run_text.h"

#include <stddef.h>
#include <string.h>
#include "base/json.h"

enum run_text_type { RUN_TEXT_LONG, RUN_TEXT_INT, RUN_TEXT_TEXT };

/* Numbers are of 4 or 8 bytes; what is no state, trigger or text. */
static const struct run_text_row {
	const char *name;
	enum run_text_type type;
	size_t offset;
} run_text_rows[] = {
    {"attempt", RUN_TEXT_INT, offsetof(struct run, attempt)},
    {"scheduled_at", RUN_TEXT_LONG, offsetof(struct run, scheduled_at)},
    {"started_at", RUN_TEXT_LONG, offsetof(struct run, started_at)},
    {"ended_at", RUN_TEXT_LONG, offsetof(struct run, ended_at)},
    {"until", RUN_TEXT_LONG, offsetof(struct run, until)},
    {"count", RUN_TEXT_LONG, offsetof(struct run, count)},
    {"coalesced", RUN_TEXT_LONG, offsetof(struct run, coalesced)},
    {"exit_code", RUN_TEXT_INT, offsetof(struct run, exit_code)},
    {"signal", RUN_TEXT_INT, offsetof(struct run, signal)},
    {"reason", RUN_TEXT_TEXT, offsetof(struct run, reason)},
    {"max_rss", RUN_TEXT_LONG, offsetof(struct run, max_rss)},
    {"cpu_us", RUN_TEXT_LONG, offsetof(struct run, cpu_us)},
    {"output_bytes", RUN_TEXT_LONG, offsetof(struct run, output_bytes)},
    {"output_dropped", RUN_TEXT_LONG, offsetof(struct run, output_dropped)},
    {"pid", RUN_TEXT_INT, offsetof(struct run, pid)},
    {"pid_start", RUN_TEXT_LONG, offsetof(struct run, pid_start)},
    {"attempts", RUN_TEXT_TEXT, offsetof(struct run, attempts)},
    {"actor", RUN_TEXT_TEXT, offsetof(struct run, actor)},
    {"result", RUN_TEXT_TEXT, offsetof(struct run, result)},
};

#define RUN_TEXT_ROWS (sizeof(run_text_rows) / sizeof(run_text_rows[0]))

_Static_assert(sizeof(((struct run *)NULL)->exit_code) == 4 && sizeof(pid_t) == 4, "of 4 bytes");

static int64_t run_text_number(const struct run *run, const struct run_text_row *row)
{
	const char *at = (const char *)run + row->offset;
	int64_t wide;
	int32_t narrow;

	if (row->type == RUN_TEXT_LONG) {
		memcpy(&wide, at, sizeof(wide));
		return wide;
	}
	memcpy(&narrow, at, sizeof(narrow));
	return narrow;
}

static const char *run_text_text(const struct run *run, const struct run_text_row *row)
{
	const char *text;

	memcpy(&text, (const char *)run + row->offset, sizeof(text));
	return text;
}

void store_run_write(struct strbuf *out, const struct run *run)
{
	struct run none;

	run_init(&none);
	strbuf_printf(out, "{\"state\":\"%s\",\"trigger\":\"%s\"", run_state_name(run->state),
	    run_trigger_name(run->trigger));
	for (size_t i = 0; i < RUN_TEXT_ROWS; i++) {
		const struct run_text_row *row = &run_text_rows[i];

		if (row->type == RUN_TEXT_TEXT) {
			const char *text = run_text_text(run, row);

			if (!text)
				continue;
			strbuf_printf(out, ",\"%s\":", row->name);
			json_write_string(out, text, strlen(text));
		} else if (run_text_number(run, row) != run_text_number(&none, row)) {
			strbuf_printf(out, ",\"%s\":%lld", row->name,
			    (long long)run_text_number(run, row));
		}
	}
	strbuf_add(out, "}");
}

static void run_text_take(struct run *run, const struct run_text_row *row, struct arena *arena,
    const struct value *value)
{
	char *at = (char *)run + row->offset;

	if (row->type == RUN_TEXT_TEXT && value->type == VALUE_STRING) {
		char *text =
		    arena_strndup(arena, value->string.text, value->string.length);

		memcpy(at, &text, sizeof(text));
	} else if (row->type == RUN_TEXT_LONG && value->type == VALUE_INT) {
		memcpy(at, &value->integer, sizeof(value->integer));
	} else if (row->type == RUN_TEXT_INT && value->type == VALUE_INT) {
		int32_t narrow = (int32_t)value->integer;

		memcpy(at, &narrow, sizeof(narrow));
	}
}

int store_run_read(const char *text, size_t length, struct arena *arena, struct run *run,
    struct schedd_error *err)
{
	char *job = run->job;
	uint32_t number = run->number;
	const char *state, *trigger;
	struct value map;
	int rc = json_parse(text, length, arena, &map, err);

	if (rc)
		return rc == SCHEDD_ENOMEM ? rc : SCHEDD_EFILE;
	run_init(run);
	run->job = job;
	run->number = number;
	state = map.type == VALUE_MAP ? value_get_string(&map, "state") : NULL;
	trigger = state ? value_get_string(&map, "trigger") : NULL;
	if (!trigger || !run_state_parse(state, &run->state) ||
	    !run_trigger_parse(trigger, &run->trigger))
		return schedd_error_set(err, SCHEDD_EFILE, "it is no run");
	for (size_t i = 0; i < RUN_TEXT_ROWS; i++) {
		const struct value *value = value_get(&map, run_text_rows[i].name);

		if (value)
			run_text_take(run, &run_text_rows[i], arena, value);
	}
	return arena_failed(arena) ? schedd_error_nomem(err) : 0;
}
