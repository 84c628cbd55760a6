/* SPDX-License-Identifier: MIT */
#include "core/frame/event_ring.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/json.h"
#include "core/frame/scheduler_state.h"
#include "core/scheduler.h"

#define LONG_ID "a-job-whose-id-is-longer-than-what-a-slot-has-room-for"

static const struct schedd_event samples[] = {
    {.time = 7,
	.code = SCHEDD_EVENT_JOB_EXECUTED,
	.job = "short",
	.store = "default",
	.run = 3,
	.scheduled_at = 6,
	.exit_code = 255,
	.uid = -1,
	.pid = -1},
    {.time = 8,
	.code = SCHEDD_EVENT_JOB_ERROR,
	.job = LONG_ID,
	.store = "default",
	.run = UINT32_MAX,
	.scheduled_at = SCHEDD_TIME_NONE,
	.exit_code = -1,
	.signal = 64,
	.error = "why",
	.uid = -1,
	.pid = -1},
    {.time = 9,
	.code = SCHEDD_EVENT_STORE_RECOVERED,
	.scheduled_at = SCHEDD_TIME_NONE,
	.exit_code = -1,
	.uid = 1000,
	.pid = 12,
	.method = "job.pause"},
};
#define SAMPLES (sizeof(samples) / sizeof(samples[0]))

struct seen {
	uint64_t first, last;
	unsigned count, wrong;
};

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static void see(const struct schedd_event *event, void *context)
{
	struct seen *seen = context;
	const struct schedd_event *want = &samples[event->time % SAMPLES];

	if (!seen->count++)
		seen->first = event->seq;
	seen->last = event->seq;
	for (size_t i = 0; i < SAMPLES; i++)
		if (samples[i].time == event->time)
			want = &samples[i];
	if (event->code != want->code || !same(event->job, want->job) ||
	    !same(event->store, want->store) || event->run != want->run ||
	    event->scheduled_at != want->scheduled_at || event->exit_code != want->exit_code ||
	    event->signal != want->signal || !same(event->error, want->error) ||
	    event->uid != want->uid || event->pid != want->pid ||
	    !same(event->method, want->method))
		seen->wrong++;
}

Test(event_ring, replays_what_was_told_up_to_its_size)
{
	const struct schedd_scheduler_options options = {.timezone = "UTC"};
	struct schedd_scheduler *scheduler;
	struct scheduler_settings settings;
	struct schedd_error err;
	struct seen seen = {0};
	uint64_t before;

	cr_assert_eq(schedd_scheduler_new(&options, &scheduler, &err), 0, "%s", err.message);
	scheduler_settings_init(&settings);
	settings.event_ring = 10;
	scheduler_set_settings(scheduler, &settings);
	cr_assert_eq(schedd_scheduler_start(scheduler, &err), 0, "%s", err.message);
	before = scheduler_event_seq(scheduler);
	for (size_t i = 0; i < SAMPLES; i++) {
		struct schedd_event event = samples[i];

		event_ring_emit(scheduler, &event);
	}
	scheduler_replay(scheduler, before, see, &seen);
	cr_assert_eq(seen.count, SAMPLES);
	for (int i = 0; i < 100; i++) {
		struct schedd_event event = samples[(size_t)i % SAMPLES];

		event_ring_emit(scheduler, &event);
	}
	seen = (struct seen){0};
	before = 0;
	while (before < scheduler_event_seq(scheduler)) {
		unsigned count = seen.count;

		scheduler_replay_some(scheduler, &before, 3, see, &seen);
		cr_assert_leq(seen.count - count, 3);
		cr_assert_gt(seen.count, count);
	}
	cr_assert_eq(seen.count, 10);
	cr_assert_eq(seen.last - seen.first, 9);
	seen = (struct seen){0};
	cr_assert_eq(scheduler_replay(scheduler, 0, see, &seen), seen.first);
	cr_assert_eq(seen.count, 10);
	cr_assert_eq(seen.last, scheduler_event_seq(scheduler));
	cr_assert_eq(seen.first, seen.last - 9);
	cr_assert_eq(seen.wrong, 0);
	schedd_scheduler_free(scheduler);
}

static void count_settled(void *context)
{
	++*(unsigned *)context;
}

static void ignore(const struct schedd_event *event, void *context)
{
	(void)event;
	(void)context;
}

static void emit(struct schedd_scheduler *scheduler, const struct schedd_event *sample)
{
	struct schedd_event event = *sample;

	event_ring_emit(scheduler, &event);
}

Test(event_ring, says_when_a_series_is_over)
{
	const struct schedd_scheduler_options options = {.timezone = "UTC"};
	struct schedd_scheduler *scheduler;
	struct schedd_listener *listener;
	struct schedd_error err;
	unsigned settled = 0;

	cr_assert_eq(schedd_scheduler_new(&options, &scheduler, &err), 0, "%s", err.message);
	cr_assert_eq(schedd_scheduler_start(scheduler, &err), 0, "%s", err.message);
	scheduler_events_gather(scheduler, count_settled, &settled);
	emit(scheduler, &samples[0]);
	cr_expect_eq(settled, 0, "nobody was told");
	listener = event_ring_listen(scheduler, SCHEDD_EVENT_JOB_EXECUTED, ignore, NULL);
	cr_assert_not_null(listener);
	emit(scheduler, &samples[1]);
	cr_expect_eq(settled, 0, "nobody listens to that");
	emit(scheduler, &samples[0]);
	cr_expect_eq(settled, 1, "it stands alone");
	scheduler_enter(scheduler);
	emit(scheduler, &samples[0]);
	emit(scheduler, &samples[0]);
	cr_expect_eq(settled, 1);
	scheduler_leave(scheduler);
	cr_expect_eq(settled, 2);
	scheduler_enter(scheduler);
	scheduler_leave(scheduler);
	cr_expect_eq(settled, 2);
	event_ring_unlisten(listener);
	schedd_scheduler_free(scheduler);
}

/* ---- Who listens ---- */

static struct schedd_scheduler *running(void)
{
	const struct schedd_scheduler_options options = {.timezone = "UTC"};
	struct schedd_scheduler *scheduler;
	struct schedd_error err;

	cr_assert_eq(schedd_scheduler_new(&options, &scheduler, &err), 0, "%s", err.message);
	cr_assert_eq(schedd_scheduler_start(scheduler, &err), 0, "%s", err.message);
	return scheduler;
}

/* Removes others, and itself, when it is told. */
struct leaver {
	struct schedd_listener *self, *goes;
	unsigned told;
};

static void leave(const struct schedd_event *event, void *context)
{
	struct leaver *leaver = context;

	(void)event;
	leaver->told++;
	schedd_scheduler_unlisten(leaver->goes);
	schedd_scheduler_unlisten(leaver->self);
	leaver->goes = leaver->self = NULL;
}

static void say(struct schedd_scheduler *scheduler, enum schedd_event_code code)
{
	struct schedd_event event = {.time = 1, .code = code, .uid = -1, .pid = -1};

	event_ring_emit(scheduler, &event);
}

Test(event_ring, listeners_come_and_go_while_they_are_told)
{
	struct schedd_scheduler *scheduler = running();
	struct leaver first = {.told = 0}, second = {.told = 0}, third = {.told = 0}, other = {.told = 0};

	first.self = schedd_scheduler_listen(scheduler, SCHEDD_EVENT_JOB_ERROR, leave, &first);
	second.self = schedd_scheduler_listen(scheduler, SCHEDD_EVENT_JOB_ERROR, leave, &second);
	third.self = schedd_scheduler_listen(scheduler, SCHEDD_EVENT_JOB_ERROR, leave, &third);
	other.self = schedd_scheduler_listen(scheduler, SCHEDD_EVENT_JOB_ADDED, leave, &other);
	first.goes = second.self;
	say(scheduler, SCHEDD_EVENT_JOB_ERROR);
	cr_assert_eq(first.told, 1);
	cr_assert_eq(second.told, 0, "one that was removed before its turn is not told");
	cr_assert_eq(third.told, 1);
	say(scheduler, SCHEDD_EVENT_JOB_ERROR);
	cr_assert_eq(first.told + second.told + third.told, 2);
	cr_assert_eq(other.told, 0);
	/* What one wants is told however many others came and went. */
	say(scheduler, SCHEDD_EVENT_JOB_ADDED);
	cr_assert_eq(other.told, 1);
	second.self = schedd_scheduler_listen(scheduler, SCHEDD_EVENT_JOB_ERROR, leave, &second);
	say(scheduler, SCHEDD_EVENT_JOB_ERROR);
	cr_assert_eq(second.told, 1);
	schedd_scheduler_free(scheduler);
}

#define MANY 100000

/* Clients may have tens of thousands of subscriptions, and go all at once. */
Test(event_ring, many_listeners_cost_no_more_each_than_few)
{
	struct schedd_scheduler *scheduler = running();
	struct schedd_listener **all = calloc(MANY, sizeof(*all));
	struct leaver leaver = {.told = 0};
	clock_t begun = clock();

	cr_assert(all);
	for (size_t i = 0; i < MANY; i++)
		cr_assert(all[i] = schedd_scheduler_listen(scheduler, SCHEDD_EVENT_JOB_ERROR, leave, &leaver));
	/* From the middle outwards: neither the first nor the last is always at hand. */
	for (size_t i = 0; i < MANY; i++)
		schedd_scheduler_unlisten(all[i % 2 ? MANY / 2 - 1 - i / 2 : MANY / 2 + i / 2]);
	cr_assert_lt((double)(clock() - begun) / CLOCKS_PER_SEC, 5.0,
	    "tens of milliseconds, but minutes if each looks through all of them");
	say(scheduler, SCHEDD_EVENT_JOB_ERROR);
	cr_assert_eq(leaver.told, 0);
	free(all);
	schedd_scheduler_free(scheduler);
}

/* What a map says: without what is nil. */
static struct value said(const struct value *map, struct arena *arena)
{
	struct value out = value_map();

	for (uint32_t i = 0; i < map->map.count; i++)
		if (map->map.members[i].value.type != VALUE_NIL)
			value_put(arena, &out, map->map.members[i].key, map->map.members[i].value);
	return out;
}

/* As JSON it is what the map of the protocol says, with what is said besides behind it, and becomes that map again. */
Test(event_ring, writes_an_event_as_its_map)
{
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		struct strbuf direct = STRBUF_EMPTY, text = STRBUF_EMPTY;
		struct value map, short_map, read, more = value_map();
		struct arena arena;

		arena_init(&arena);
		map = scheduler_event_value(&samples[i], &arena);
		if (i > 0) {
			value_put(&arena, &more, "fields", value_array());
			value_put(&arena, &more, "before", value_string(&arena, "a \"quoted\" one"));
			value_put(&arena, &map, "fields", more.map.members[0].value);
			value_put(&arena, &map, "before", more.map.members[1].value);
		}
		scheduler_event_json(&samples[i], &more, &arena, &direct);
		short_map = said(&map, &arena);
		json_write(&text, &short_map);
		cr_expect_str_eq(strbuf_peek(&direct), strbuf_peek(&text));
		cr_expect_not(strstr(strbuf_peek(&direct), "null"));
		cr_assert_geq(json_parse(direct.data, direct.length, &arena, &read, NULL), 0);
		read = scheduler_event_whole(&read, &arena);
		strbuf_reset(&direct);
		strbuf_reset(&text);
		json_write(&direct, &read);
		json_write(&text, &map);
		cr_expect_str_eq(strbuf_peek(&direct), strbuf_peek(&text));
		strbuf_clear(&direct);
		strbuf_clear(&text);
		arena_clear(&arena);
	}
}

Test(event_ring, leaves_what_is_no_event_as_it_is)
{
	struct value map = value_map(), whole;
	struct arena arena;

	arena_init(&arena);
	value_put(&arena, &map, "change", value_string_ref("what is damaged"));
	whole = scheduler_event_whole(&map, &arena);
	cr_expect(value_equal(&whole, &map));
	arena_clear(&arena);
}
