/* SPDX-License-Identifier: MIT */
/* A preview asks the trigger itself, never a copy of its rules. */
#include "trigger/trigger_preview.h"

#include <string.h>
#include "base/json.h"
#include "base/suggest.h"
#include "trigger/trigger_ops.h"
#include "trigger/trigger_value.h"
#include "trigger/when.h"

static const char *const preview_keys[] = {"trigger", "from", "until", "n", "id", "timezone"};

#define PREVIEW_KEYS (sizeof(preview_keys) / sizeof(preview_keys[0]))

/* By enum trigger_note. */
static const char *const preview_notes[] = {NULL, "moved", "first_pass", "second_pass"};

static struct value preview_time(const struct schedd_trigger *trigger,
    const struct trigger_preview *preview, schedd_time fire, struct arena *arena)
{
	return preview->wire ? value_int(fire)
			     : trigger_value_time(arena, fire, trigger_zone(trigger));
}

void trigger_preview_start(struct trigger_preview_walk *walk, const struct schedd_trigger *trigger,
    const struct trigger_preview *preview)
{
	*walk = (struct trigger_preview_walk){.trigger = trigger,
	    .preview = *preview,
	    .from = preview->from,
	    .times = value_array(),
	    .notes = value_array()};
}

static void preview_note(struct trigger_preview_walk *walk, schedd_time fire, const char *note,
    const struct value *date, struct arena *arena)
{
	struct value entry = value_map();

	value_put(
	    arena, &entry, "fire_time", preview_time(walk->trigger, &walk->preview, fire, arena));
	value_put(arena, &entry, "note", value_string_ref(note));
	if (date)
		value_put(arena, &entry, "date", *date);
	value_append(arena, &walk->notes, entry);
}

/* fire as it is shown, and what is to be said about named, the trigger's own time. */
static bool preview_add(
    struct trigger_preview_walk *walk, schedd_time fire, schedd_time named, struct arena *arena)
{
	const struct trigger_preview *preview = &walk->preview;
	enum trigger_note note;
	int32_t day;

	if (fire == SCHEDD_TIME_NONE ||
	    (preview->until != SCHEDD_TIME_NONE && fire > preview->until))
		return false;
	if (trigger_left_out(walk->trigger, walk->from, named, &day)) {
		const struct value date = trigger_value_date(arena, day);

		preview_note(walk, fire, "left_out", &date, arena);
	}
	walk->found++;
	walk->from = named + 1;
	value_append(arena, &walk->times, preview_time(walk->trigger, preview, fire, arena));
	note = trigger_note_at(walk->trigger, named);
	if (note != TRIGGER_NOTE_NONE)
		preview_note(walk, fire, preview_notes[note], NULL, arena);
	return true;
}

bool trigger_preview_more(struct trigger_preview_walk *walk, struct arena *arena)
{
	const struct trigger_preview *preview = &walk->preview;
	uint32_t before = walk->steps;

	if (walk->found == 0 && preview->count > 0 && preview->planned != SCHEDD_TIME_NONE &&
	    preview->planned >= preview->from &&
	    !preview_add(walk, preview->planned, preview->planned_for, arena))
		return false;
	while (walk->found < preview->count) {
		struct trigger_budget budget = TRIGGER_BUDGET;
		schedd_time fire = trigger_next_within(walk->trigger, walk->from, &budget);

		walk->steps += TRIGGER_STEPS_MAX - budget.steps + 1;
		if (!preview_add(walk, fire, fire, arena))
			return false;
		walk->given_up = walk->steps > TRIGGER_PREVIEW_STEPS;
		if (walk->given_up || walk->steps - before > TRIGGER_PREVIEW_PIECE)
			return !walk->given_up && walk->found < preview->count;
	}
	return false;
}

/* The remarks as a list, one a line of theirs. */
static struct value preview_remarks(const struct schedd_trigger *trigger, struct arena *arena)
{
	struct strbuf text = STRBUF_EMPTY;
	struct value list = value_array();

	trigger_remarks(trigger, &text);
	for (const char *line = strbuf_peek(&text); *line;) {
		size_t length = strcspn(line, "\n");

		if (length > 0)
			value_append(arena, &list, value_string_n(arena, line, length));
		line += length + (line[length] == '\n');
	}
	strbuf_clear(&text);
	return list;
}

/* What one of the writers says about the trigger. */
static struct value preview_text(const struct schedd_trigger *trigger,
    void (*write)(const struct schedd_trigger *, struct strbuf *), struct arena *arena)
{
	struct strbuf text = STRBUF_EMPTY;

	write(trigger, &text);
	return value_string_take(arena, &text);
}

int trigger_preview_end(const struct trigger_preview_walk *walk, struct arena *arena,
    struct value *out, struct schedd_error *err)
{
	const struct schedd_trigger *trigger = walk->trigger;
	const struct trigger_preview *preview = &walk->preview;
	struct value remarks = preview_remarks(trigger, arena);
	const char *zone = zone_name(trigger_zone(trigger));

	if (walk->given_up)
		return schedd_error_set(err, SCHEDD_EFAILED,
		    "the trigger has to be searched too long for %u times: %u were found; ask for "
		    "fewer, or begin later",
		    preview->count, walk->found);
	*out = value_map();
	if (preview->anonymous && trigger_has_hash(trigger))
		value_append(arena, &remarks,
		    value_string_ref("the job's id is not known: the empty one was hashed"));
	value_put(arena, out, "trigger", trigger_to_value(trigger, arena));
	value_put(arena, out, "timezone", value_string(arena, zone));
	if (preview->wire) {
		value_put(arena, out, "text", preview_text(trigger, trigger_to_text, arena));
		value_put(arena, out, "words", preview_text(trigger, trigger_words, arena));
	}
	value_put(arena, out, "fire_times", walk->times);
	if (walk->notes.array.count > 0)
		value_put(arena, out, "notes", walk->notes);
	if (preview->wire || remarks.array.count > 0)
		value_put(arena, out, "remarks", remarks);
	return arena_failed(arena) ? schedd_error_nomem(err) : 0;
}

int trigger_preview_value(const struct schedd_trigger *trigger,
    const struct trigger_preview *preview, struct arena *arena, struct value *out,
    struct schedd_error *err)
{
	struct trigger_preview_walk walk;

	trigger_preview_start(&walk, trigger, preview);
	while (trigger_preview_more(&walk, arena))
		continue;
	return trigger_preview_end(&walk, arena, out, err);
}

static int preview_check_keys(const struct value *request, struct schedd_error *err)
{
	if (request->type != VALUE_MAP)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "a request must be a map with 'trigger', not %s",
		    value_type_name(request->type));
	for (uint32_t i = 0; i < request->map.count; i++) {
		const char *key = request->map.members[i].key, *near;
		size_t known = 0;

		while (known < PREVIEW_KEYS && strcmp(preview_keys[known], key) != 0)
			known++;
		if (known < PREVIEW_KEYS)
			continue;
		near = suggest_closest(key, preview_keys, PREVIEW_KEYS);
		return schedd_error_set(err, SCHEDD_EINVAL,
		    near ? "unknown key '%.60s', did you mean '%s'?" : "unknown key '%.60s'", key,
		    near);
	}
	if (!value_get(request, "trigger"))
		return schedd_error_set(err, SCHEDD_EINVAL, "'trigger' is missing");
	return 0;
}

/* A member that may be left out or null. */
static const struct value *preview_member(const struct value *request, const char *key)
{
	const struct value *member = value_get(request, key);

	return member && member->type != VALUE_NIL ? member : NULL;
}

static int preview_text_member(
    const struct value *request, const char *key, const char **out, struct schedd_error *err)
{
	const struct value *member = preview_member(request, key);

	if (!member)
		return 0;
	if (member->type != VALUE_STRING || strlen(member->string.text) != member->string.length)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "'%s' must be a string without NULs", key);
	*out = member->string.text;
	return 0;
}

static int preview_count(const struct value *request, uint32_t *out, struct schedd_error *err)
{
	const struct value *n = preview_member(request, "n");

	*out = preview_member(request, "until") ? TRIGGER_PREVIEW_MAX : TRIGGER_PREVIEW_DEFAULT;
	if (!n)
		return 0;
	if (n->type != VALUE_INT || n->integer < 0 || n->integer > TRIGGER_PREVIEW_MAX)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "'n' must be an integer from 0 to %d", TRIGGER_PREVIEW_MAX);
	*out = (uint32_t)n->integer;
	return 0;
}

static int preview_when(const struct value *request, const char *key,
    const struct when_context *when, schedd_time *out, struct schedd_error *err)
{
	const struct value *member = preview_member(request, key);
	int rc;

	if (!member)
		return 0;
	rc = when_from_value(member, when, out, err);
	if (rc && rc != SCHEDD_ENOMEM)
		schedd_error_prefix(err, when->strict ? "--%s" : "'%s'", key);
	return rc;
}

/* id and timezone, which the trigger is made with. */
static int preview_context(
    const struct value *request, struct trigger_context *context, struct schedd_error *err)
{
	const char *zone = NULL;
	int rc = preview_text_member(request, "id", &context->job_id, err);

	if (!rc)
		rc = preview_text_member(request, "timezone", &zone, err);
	if (rc || !zone)
		return rc;
	if (!context->zones)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "'timezone': no time zone is known here");
	return zone_cache_get(context->zones, zone, &context->zone, err);
}

int trigger_preview_read(const struct value *request, const struct trigger_context *context,
    struct trigger_preview *out, struct schedd_trigger **trigger, struct schedd_error *err)
{
	struct trigger_context own = *context;
	struct when_context when = {
	    .zones = context->zones, .now = context->now, .strict = context->strict};
	int rc = preview_check_keys(request, err);

	*out = (struct trigger_preview){.from = context->now,
	    .until = SCHEDD_TIME_NONE,
	    .planned = SCHEDD_TIME_NONE,
	    .planned_for = SCHEDD_TIME_NONE};
	own.strict = false; /* the trigger was not typed at a prompt, or was read there */
	if (!rc)
		rc = preview_count(request, &out->count, err);
	if (!rc)
		rc = preview_context(request, &own, err);
	if (!rc)
		rc = trigger_from_value(value_get(request, "trigger"), &own, trigger, err);
	if (rc)
		return rc;
	when.zone = trigger_zone(*trigger);
	out->anonymous = !own.job_id || !*own.job_id;
	rc = preview_when(request, "from", &when, &out->from, err);
	if (!rc)
		rc = preview_when(request, "until", &when, &out->until, err);
	if (rc || out->from != own.now)
		trigger_unref(*trigger);
	if (rc || out->from == own.now)
		return rc;
	own.now = out->from;
	return trigger_from_value(value_get(request, "trigger"), &own, trigger, err);
}

int trigger_preview_request(const struct value *request, const struct trigger_context *context,
    bool wire, struct arena *arena, struct value *out, struct schedd_error *err)
{
	struct trigger_preview preview;
	struct schedd_trigger *trigger;
	int rc = trigger_preview_read(request, context, &preview, &trigger, err);

	if (rc)
		return rc;
	preview.wire = wire;
	rc = trigger_preview_value(trigger, &preview, arena, out, err);
	trigger_unref(trigger);
	return rc;
}

static struct value preview_error(const struct schedd_error *err, struct arena *arena)
{
	struct value map = value_map(), error = value_map();

	value_put(arena, &error, "code", value_string_ref(schedd_error_name(err->code)));
	value_put(arena, &error, "message", value_string(arena, err->message));
	value_put(arena, &error, "exit", value_int(err->code == SCHEDD_EINVAL ? 2 : 1));
	value_put(arena, &map, "error", error);
	return map;
}

void trigger_preview_line(
    const char *line, size_t length, const struct trigger_context *context, struct strbuf *out)
{
	struct schedd_error err = {.code = SCHEDD_ENOMEM};
	struct value request, answer;
	struct arena arena;
	int rc;

	arena_init(&arena);
	rc = json_parse(line, length, &arena, &request, &err);
	if (!rc)
		rc = trigger_preview_request(&request, context, false, &arena, &answer, &err);
	if (rc)
		answer = preview_error(&err, &arena);
	json_write(out, &answer);
	arena_clear(&arena);
}
