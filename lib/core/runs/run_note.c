/* SPDX-License-Identifier: MIT */
#include "core/runs/run_note.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "core/frame/store_slot.h"
#include "core/runs/run_live_state.h"

#define RUN_NOTE_KEY_MAX (sizeof(RUN_NOTE_PREFIX) + RUN_LIVE_ID_MAX)

static void run_note_key(char key[RUN_NOTE_KEY_MAX], const struct run_live *live)
{
	snprintf(key, RUN_NOTE_KEY_MAX, RUN_NOTE_PREFIX "%s", live->id);
}

struct value run_note_env(const struct run_live *live, struct arena *arena)
{
	struct value map = value_map();

	for (uint32_t i = 0; i < live->extra_env.count; i++)
		value_put(arena, &map, live->extra_env.items[i].name,
		    value_string(arena, live->extra_env.items[i].text));
	return map;
}

int run_note_take_env(struct run_live *live, const struct value *env)
{
	uint32_t count = env && env->type == VALUE_MAP ? env->map.count : 0;
	struct job_pair *items = count ? calloc(count, sizeof(items[0])) : NULL;

	if (count && !items)
		return SCHEDD_ENOMEM;
	live->extra_env.items = items;
	for (uint32_t i = 0; i < count; i++) {
		const struct value_member *member = &env->map.members[i];

		if (member->value.type != VALUE_STRING)
			continue;
		items[live->extra_env.count].name = strdup(member->key);
		items[live->extra_env.count++].text = strdup(member->value.string.text);
	}
	return 0;
}

/* Does its row say all? A run of the schedule was due when it was planned. */
static bool run_note_needed(const struct run_live *live)
{
	return live->forced || live->extra_env.count ||
	       (live->due_at != SCHEDD_TIME_NONE && live->due_at != live->run.scheduled_at);
}

void run_note_put(struct store_batch *batch, struct run_live *live)
{
	struct value map = value_map();
	struct strbuf text = STRBUF_EMPTY;
	char key[RUN_NOTE_KEY_MAX];
	struct arena arena;

	if (!run_note_needed(live))
		return;
	arena_init(&arena);
	value_put(&arena, &map, "forced", value_bool(live->forced));
	value_put(&arena, &map, "due_at",
	    live->due_at == SCHEDD_TIME_NONE ? value_nil() : value_int(live->due_at));
	value_put(&arena, &map, "env", run_note_env(live, &arena));
	json_write(&text, &map);
	run_note_key(key, live);
	if (!strbuf_failed(&text) && !arena_failed(&arena)) {
		store_batch_put_text(batch, key, strbuf_peek(&text));
		live->noted = true;
	}
	strbuf_clear(&text);
	arena_clear(&arena);
}

int run_note_take(struct run_live *live, const char *text, struct schedd_error *err)
{
	struct arena arena;
	struct value map;
	int rc;

	live->noted = true;
	arena_init(&arena);
	rc = json_parse(text, strlen(text), &arena, &map, err);
	if (!rc && map.type != VALUE_MAP)
		rc = schedd_error_set(err, SCHEDD_EINVAL, "the note of run %s is no map", live->id);
	if (!rc) {
		live->forced = value_get_bool(&map, "forced", false);
		live->due_at = value_get_int(&map, "due_at", live->due_at);
		rc = run_note_take_env(live, value_get(&map, "env"));
		if (rc)
			schedd_error_nomem(err);
	}
	arena_clear(&arena);
	return rc;
}

void run_note_drop(const struct run_live *live)
{
	char key[RUN_NOTE_KEY_MAX];

	if (!live->noted)
		return;
	run_note_key(key, live);
	store_slot_put_text(live->store, key, NULL);
}
