/* SPDX-License-Identifier: MIT */
/*
 * Whatever is read as a trigger, from JSON or text, is written as both and read
 * back as the same, and fires alike forwards, backwards and counted.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "trigger/trigger.h"

#define FUZZ_NOW ((schedd_time)1767225600 * SCHEDD_SECOND)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct schedd_trigger *fuzz_read(
    const char *text, size_t size, const struct trigger_context *context)
{
	struct schedd_trigger *trigger = NULL;
	struct schedd_error err;
	struct arena arena;
	struct value value;

	arena_init(&arena);
	if (*text != '{' && trigger_from_text(text, context, &trigger, &err))
		trigger = NULL;
	if (*text == '{' && (json_parse(text, size, &arena, &value, &err) ||
				trigger_from_value(&value, context, &trigger, &err)))
		trigger = NULL;
	arena_clear(&arena);
	return trigger;
}

/* Reads what was written; it must be the same trigger. */
static void fuzz_again(const struct schedd_trigger *trigger, const struct strbuf *written,
    const struct trigger_context *context)
{
	struct schedd_trigger *again = fuzz_read(strbuf_peek(written), written->length, context);

	if (!again || !trigger_equal(trigger, again) ||
	    trigger_next(trigger, FUZZ_NOW) != trigger_next(again, FUZZ_NOW))
		abort();
	trigger_unref(again);
}

static void fuzz_write(const struct schedd_trigger *trigger, const struct trigger_context *context)
{
	struct strbuf json = STRBUF_EMPTY, text = STRBUF_EMPTY, words = STRBUF_EMPTY;
	struct arena arena;
	struct value value;

	arena_init(&arena);
	value = trigger_to_value(trigger, &arena);
	json_write(&json, &value);
	trigger_to_text(trigger, &text);
	trigger_words(trigger, &words);
	trigger_remarks(trigger, &words);
	fuzz_again(trigger, &json, context);
	fuzz_again(trigger, &text, context);
	strbuf_clear(&json);
	strbuf_clear(&text);
	strbuf_clear(&words);
	arena_clear(&arena);
}

static void fuzz_times(const struct schedd_trigger *trigger)
{
	schedd_time at = FUZZ_NOW, before = SCHEDD_TIME_NONE;

	for (unsigned i = 0; i < 3; i++) {
		schedd_time fire = trigger_next(trigger, at);

		if (fire == SCHEDD_TIME_NONE)
			return;
		if (fire < at || trigger_latest(trigger, FUZZ_NOW, fire) != fire ||
		    trigger_latest(trigger, FUZZ_NOW, fire - 1) != before ||
		    trigger_count(trigger, FUZZ_NOW, fire, 100) != i + 1)
			abort();
		trigger_note_at(trigger, fire);
		before = fire;
		at = fire + 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct trigger_context context = {
	    .now = FUZZ_NOW, .job_id = "job", .host = "host", .seed = 7};
	char *text = strndup((const char *)data, size);
	struct schedd_trigger *trigger;

	context.zones = zone_cache_new(NULL);
	if (!text || !context.zones)
		abort();
	trigger = fuzz_read(text, strlen(text), &context);
	if (trigger) {
		fuzz_write(trigger, &context);
		fuzz_times(trigger);
	}
	trigger_unref(trigger);
	zone_cache_free(context.zones);
	free(text);
	return 0;
}
