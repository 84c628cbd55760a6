/* SPDX-License-Identifier: MIT */
/* Each line holds old values, not new ones: what is now is known, and looking back undoes. */
#include "core/jobs/change_log.h"

#include <string.h>
#include "base/json.h"
#include "core/frame/store_slot.h"
#include "model/job_fields.h"

#define CHANGE_LOG_LINE 384 /* bytes of most lines */

/* Fields without which it cannot be told why a job ran or did not. */
static const char *const change_log_kept[] = {
    "trigger", "max_instances", "overlap", "group", "misfire_grace_time", NULL};

static bool change_log_keeps(const char *name)
{
	for (const char *const *kept = change_log_kept; *kept; kept++)
		if (strcmp(*kept, name) == 0)
			return true;
	return false;
}

static void change_log_differs(struct arena *arena, struct value *names, struct value *before,
    const char *name, const struct value *was)
{
	value_append(arena, names, value_string_ref(name));
	if (before && change_log_keeps(name))
		value_put(arena, before, name, was ? *was : value_nil());
}

struct value change_log_fields(const struct schedd_job *old, const struct schedd_job *new,
    struct arena *arena, struct value *before)
{
	struct value was = job_fields_export(old, arena), is = job_fields_export(new, arena);
	struct value names = value_array();

	for (uint32_t i = 0; i < is.map.count; i++) {
		const struct value_member *member = &is.map.members[i];
		const struct value *earlier = value_get(&was, member->key);

		if (!earlier || !value_equal(earlier, &member->value))
			change_log_differs(arena, &names, before, member->key, earlier);
	}
	for (uint32_t i = 0; i < was.map.count; i++) {
		const struct value_member *member = &was.map.members[i];

		if (!value_get(&is, member->key))
			change_log_differs(arena, &names, before, member->key, &member->value);
	}
	return names;
}

static void change_log_add(struct arena *arena, struct value *map, const struct value *more)
{
	for (uint32_t i = 0; more && i < more->map.count; i++)
		value_put(arena, map, more->map.members[i].key, more->map.members[i].value);
}

void change_log_put(struct store_batch *batch, const struct schedd_event *event,
    const struct value *more, struct arena *arena)
{
	struct strbuf text = STRBUF_EMPTY;

	(void)strbuf_reserve(&text, CHANGE_LOG_LINE);
	scheduler_event_json(event, more, arena, &text);
	if (!strbuf_failed(&text))
		store_batch_put_change(batch, event->time, event->job, strbuf_peek(&text));
	arena->failed |= strbuf_failed(&text);
	strbuf_clear(&text);
}

void change_log_scheduler(struct schedd_scheduler *scheduler, const char *word,
    const struct scheduler_actor *actor, const struct value *more, struct arena *arena)
{
	schedd_time now = scheduler_now(scheduler);
	struct value map = value_map();
	struct strbuf text = STRBUF_EMPTY;

	value_put(arena, &map, "time", value_int(now));
	value_put(arena, &map, "event", value_string_ref(word));
	value_put(
	    arena, &map, "uid", actor && actor->uid >= 0 ? value_int(actor->uid) : value_nil());
	value_put(
	    arena, &map, "pid", actor && actor->pid > 0 ? value_int(actor->pid) : value_nil());
	value_put(arena, &map, "method", value_string(arena, actor ? actor->method : NULL));
	change_log_add(arena, &map, more);
	json_write(&text, &map);
	for (uint32_t i = 0; !strbuf_failed(&text) && i < scheduler->store_count; i++)
		store_slot_put_change(
		    scheduler->stores[i], now, CHANGE_LOG_SCHEDULER, strbuf_peek(&text));
	strbuf_clear(&text);
}
