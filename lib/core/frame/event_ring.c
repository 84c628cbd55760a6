/* SPDX-License-Identifier: MIT */
/*
 * Numbers, keeps and tells events. Numbers are reserved in blocks that are
 * stored before they are used, so that a crash never makes one come twice.
 */
#include "core/frame/event_ring.h"

#include <stdlib.h>
#include <string.h>
#include "core/frame/scheduler_state.h"

#define EVENT_RING_KEY "event.seq"
#define EVENT_RING_BLOCK 65536

/* What one account is told of must not say how much others do: its events have numbers of their own. */
struct event_account {
	uint64_t last; /* the number of its latest event */
	char name[];
};

struct schedd_listener {
	struct schedd_scheduler *scheduler;
	struct schedd_listener *next, *prev;
	unsigned mask;
	schedd_listener_fn call; /* NULL: removed, freed when nobody is being called */
	void *context;
};

static const char *event_account_key(const void *item)
{
	return ((const struct event_account *)item)->name;
}

void event_ring_init(struct event_ring *ring)
{
	memset(ring, 0, sizeof(*ring));
	strmap_init(&ring->accounts, event_account_key);
	ring->oldest = 1;
}

void event_ring_clear(struct event_ring *ring)
{
	struct event_account *account;

	for (uint32_t i = 0; ring->slots && i < ring->capacity; i++)
		free(ring->slots[i].more);
	free(ring->memory);
	for (uint32_t position = 0; (account = strmap_next(&ring->accounts, &position));)
		free(account);
	strmap_clear(&ring->accounts);
	while (ring->listeners) {
		struct schedd_listener *listener = ring->listeners;

		ring->listeners = listener->next;
		free(listener);
	}
	event_ring_init(ring);
}

/* Numbers begin at the clock's milliseconds, so that they go on rising after a restart. NULL: no
 * memory. */
static struct event_account *event_ring_account(
    struct schedd_scheduler *scheduler, const char *name, size_t length)
{
	struct event_ring *ring = &scheduler->events;
	struct event_account *account = malloc(sizeof(*account) + length + 1), *known;

	if (!account)
		return NULL;
	memcpy(account->name, name, length);
	account->name[length] = '\0';
	known = strmap_get(&ring->accounts, account->name);
	if (!known) {
		account->last = (uint64_t)scheduler_now(scheduler) / 1000;
		if (strmap_put(&ring->accounts, account) == 0)
			return account;
	}
	free(account);
	return known;
}

uint64_t scheduler_event_last(struct schedd_scheduler *scheduler, const char *account)
{
	const struct event_account *known = event_ring_account(scheduler, account, strlen(account));

	return known ? known->last : 0;
}

static struct store_slot *event_ring_store(struct schedd_scheduler *scheduler)
{
	return scheduler->default_store;
}

static void event_ring_reserved(int rc, const struct schedd_error *err, void *context)
{
	struct schedd_scheduler *scheduler = context;

	scheduler->events.reserving = false;
	if (rc)
		log_warn(scheduler->log, "event numbers cannot be reserved: %s", err->message);
	else
		scheduler->events.reserved += EVENT_RING_BLOCK;
}

__attribute__((cold, noinline)) static void event_ring_reserve(struct schedd_scheduler *scheduler)
{
	struct event_ring *ring = &scheduler->events;
	struct store_slot *slot = event_ring_store(scheduler);
	struct store_batch *batch = slot ? store_batch_new(slot->store) : NULL;

	if (!batch)
		return;
	ring->reserving = true;
	store_batch_put_number(batch, EVENT_RING_KEY, (int64_t)(ring->reserved + EVENT_RING_BLOCK));
	store_commit(slot->store, batch, event_ring_reserved, scheduler);
}

/* Numbers go on behind that one. */
static void event_ring_go_on(struct event_ring *ring, uint64_t last)
{
	ring->seq = last;
	ring->oldest = last + 1;
	ring->place = ring->slots ? (uint32_t)(last % ring->capacity) : 0;
}

int event_ring_load(struct schedd_scheduler *scheduler, struct schedd_error *err)
{
	struct event_ring *ring = &scheduler->events;
	struct store_slot *slot = event_ring_store(scheduler);
	uint64_t last;

	if (!slot)
		return 0;
	/* A server that is not there yet cannot say: the clock is ahead of any number of before. */
	if (!slot->snapshot) {
		event_ring_go_on(ring, (uint64_t)scheduler_now(scheduler));
		ring->reserved = UINT64_MAX;
		return 0;
	}
	last = (uint64_t)store_snapshot_number(slot->snapshot, EVENT_RING_KEY, 0);
	if (last > ring->seq)
		event_ring_go_on(ring, last);
	ring->reserved = ring->seq;
	event_ring_reserve(scheduler);
	store_flush(slot->store, SCHEDD_SPAN_NONE);
	if (ring->reserved == ring->seq)
		return schedd_error_set(err, SCHEDD_EFAILED,
		    "store default: it cannot be written, so nothing can be recorded");
	return 0;
}

void event_ring_save(struct schedd_scheduler *scheduler, struct store_batch *batch)
{
	store_batch_put_number(batch, EVENT_RING_KEY, (int64_t)scheduler->events.seq);
}

/* Each in one line of the CPU's cache; no page of it is used before an event is kept there. */
static struct event_slot *event_ring_slots(struct event_ring *ring)
{
	const size_t size = sizeof(ring->slots[0]);
	uintptr_t begin;

	ring->memory = calloc((size_t)ring->capacity + 1, size);
	begin = ((uintptr_t)ring->memory + size - 1) / size * size;
	return (struct event_slot *)(void *)begin;
}

static bool event_ring_room(struct schedd_scheduler *scheduler)
{
	struct event_ring *ring = &scheduler->events;

	if (ring->slots)
		return true;
	ring->capacity = scheduler->settings.event_ring ? scheduler->settings.event_ring : 1;
	ring->slots = event_ring_slots(ring);
	ring->oldest = ring->seq;
	ring->place = (uint32_t)(ring->seq % ring->capacity);
	return ring->slots != NULL;
}

/* The next number. */
static void event_ring_number(struct schedd_scheduler *scheduler)
{
	struct event_ring *ring = &scheduler->events;

	ring->seq++;
	if (++ring->place >= ring->capacity)
		ring->place = 0;
	if (ring->seq + EVENT_RING_BLOCK / 2 > ring->reserved && ring->reserved && !ring->reserving)
		event_ring_reserve(scheduler);
}

static size_t event_ring_size(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

static char *event_ring_put_text(char *at, const char *text, const char **to)
{
	size_t size = event_ring_size(text);

	*to = text ? memcpy(at, text, size) : NULL;
	return at + size;
}

/* NULL: no memory; then the event is kept without it. */
static struct event_more *event_ring_more(
    const struct schedd_event *event, const char *job, uint64_t own)
{
	struct event_more *more =
	    malloc(sizeof(*more) + event_ring_size(job) + event_ring_size(event->error) +
		   event_ring_size(event->method));
	char *at;

	if (!more)
		return NULL;
	more->own = own;
	more->uid = event->uid;
	more->pid = event->pid;
	at = event_ring_put_text(more->texts, job, &more->job);
	at = event_ring_put_text(at, event->error, &more->error);
	event_ring_put_text(at, event->method, &more->method);
	return more;
}

/* The latest one may have taken the place of the oldest. */
static void event_ring_age(struct event_ring *ring)
{
	if (ring->seq >= ring->oldest + ring->capacity)
		ring->oldest = ring->seq - ring->capacity + 1;
}

static void event_ring_keep(struct event_ring *ring, const struct schedd_event *event, uint64_t own)
{
	struct event_slot *slot = &ring->slots[ring->place];
	size_t id = event->job ? strlen(event->job) : 0;
	bool fits = id <= EVENT_RING_ID;

	free(slot->more);
	*slot = (struct event_slot){.time = event->time,
	    .scheduled_at = event->scheduled_at,
	    .run = event->run,
	    .exit_code = (int16_t)event->exit_code,
	    .signal = (uint8_t)event->signal,
	    .code = (uint8_t)__builtin_ctz((unsigned)event->code),
	    .store = event->store};
	if (fits && id)
		memcpy(slot->id, event->job, id);
	if (!fits || event->error || event->method || event->uid >= 0 || event->pid >= 0 || own)
		slot->more = event_ring_more(event, fits ? NULL : event->job, own);
	event_ring_age(ring);
}

/* What was kept, as it was told; valid until the slot is used again. */
static struct schedd_event event_ring_view(const struct event_ring *ring, uint64_t seq)
{
	const struct event_slot *slot = &ring->slots[seq % ring->capacity];
	const struct event_more *more = slot->more;
	struct schedd_event event = {.seq = seq,
	    .time = slot->time,
	    .code = (enum schedd_event_code)(1u << slot->code),
	    .job = slot->id[0] ? slot->id : NULL,
	    .store = slot->store,
	    .run = slot->run,
	    .scheduled_at = slot->scheduled_at,
	    .exit_code = slot->exit_code,
	    .signal = slot->signal,
	    .uid = -1,
	    .pid = -1};

	if (more) {
		event.job = more->job ? more->job : event.job;
		event.error = more->error;
		event.method = more->method;
		event.uid = more->uid;
		event.pid = more->pid;
	}
	return event;
}

/* One more wants these events, or (by -1) one less. A scheduler may have tens of thousands of listeners. */
static void event_ring_want(struct event_ring *ring, unsigned mask, int by)
{
	for (unsigned left = mask; left; left &= left - 1) {
		uint32_t *wanting = &ring->wanting[__builtin_ctz(left)];

		*wanting += (uint32_t)by;
		if (*wanting)
			ring->wanted |= left & -left;
		else
			ring->wanted &= ~(left & -left);
	}
}

static void event_ring_forget(struct event_ring *ring, struct schedd_listener *listener)
{
	if (listener->prev)
		listener->prev->next = listener->next;
	else
		ring->listeners = listener->next;
	if (listener->next)
		listener->next->prev = listener->prev;
	else
		ring->last = listener->prev;
	free(listener);
}

/* Those that were removed while all were told. */
static void event_ring_sweep(struct event_ring *ring)
{
	struct schedd_listener *next;

	for (struct schedd_listener *listener = ring->listeners; listener && ring->removed; listener = next) {
		next = listener->next;
		if (listener->call)
			continue;
		event_ring_forget(ring, listener);
		ring->removed--;
	}
}

static void event_ring_tell(struct event_ring *ring, const struct schedd_event *event)
{
	ring->calling++;
	for (struct schedd_listener *listener = ring->listeners; listener;
	     listener = listener->next)
		if (listener->call && (listener->mask & (unsigned)event->code))
			listener->call(event, listener->context);
	if (--ring->calling == 0)
		event_ring_sweep(ring);
}

/* The number of an event of that job among its account's; 0: it is nobody's but the daemon's. */
static uint64_t event_ring_own(struct schedd_scheduler *scheduler, const char *job)
{
	size_t length = job ? job_id_account(job) : 0;
	struct event_account *account = length ? event_ring_account(scheduler, job, length) : NULL;

	return account ? ++account->last : 0;
}

uint64_t scheduler_event_own(const struct schedd_scheduler *scheduler, uint64_t seq)
{
	const struct event_ring *ring = &scheduler->events;
	const struct event_slot *slot = ring->slots ? &ring->slots[seq % ring->capacity] : NULL;

	return slot && slot->more && seq >= ring->oldest && seq <= ring->seq ? slot->more->own : 0;
}

uint64_t scheduler_event_oldest(const struct schedd_scheduler *scheduler, const char *account)
{
	const struct event_ring *ring = &scheduler->events;
	size_t length = strlen(account);

	for (uint64_t seq = ring->oldest; ring->slots && seq <= ring->seq; seq++) {
		const struct event_slot *slot = &ring->slots[seq % ring->capacity];
		const char *job = slot->more && slot->more->job ? slot->more->job : slot->id;

		if (slot->more && slot->more->own && strncmp(job, account, length) == 0 &&
		    job[length] == ':')
			return slot->more->own;
	}
	return 0;
}

void event_ring_emit(struct schedd_scheduler *scheduler, struct schedd_event *event)
{
	struct event_ring *ring = &scheduler->events;

	event_ring_number(scheduler);
	event->seq = ring->seq;
	if (event_ring_room(scheduler))
		event_ring_keep(ring, event, event_ring_own(scheduler, event->job));
	if (!(ring->wanted & (unsigned)event->code))
		return;
	event_ring_tell(ring, event);
	ring->told = true;
	if (scheduler->depth == 0)
		event_ring_settle(ring);
}

void event_ring_settle(struct event_ring *ring)
{
	if (!ring->told)
		return;
	ring->told = false;
	if (ring->settled)
		ring->settled(ring->settled_context);
}

void scheduler_events_gather(
    struct schedd_scheduler *scheduler, void (*settled)(void *context), void *context)
{
	scheduler->events.settled = settled;
	scheduler->events.settled_context = context;
}

struct schedd_listener *event_ring_listen(
    struct schedd_scheduler *scheduler, unsigned mask, schedd_listener_fn call, void *context)
{
	struct event_ring *ring = &scheduler->events;
	struct schedd_listener *listener = calloc(1, sizeof(*listener));

	if (!listener)
		return NULL;
	listener->scheduler = scheduler;
	listener->mask = mask;
	listener->call = call;
	listener->context = context;
	listener->prev = ring->last;
	if (ring->last)
		ring->last->next = listener;
	else
		ring->listeners = listener;
	ring->last = listener;
	event_ring_want(ring, mask, 1);
	return listener;
}

void event_ring_unlisten(struct schedd_listener *listener)
{
	struct event_ring *ring = &listener->scheduler->events;

	listener->call = NULL;
	event_ring_want(ring, listener->mask, -1);
	if (ring->calling == 0)
		event_ring_forget(ring, listener);
	else
		ring->removed++;
}

struct schedd_scheduler *event_ring_owner(const struct schedd_listener *listener)
{
	return listener->scheduler;
}

uint64_t scheduler_replay_some(struct schedd_scheduler *scheduler, uint64_t *since, uint32_t most,
    schedd_listener_fn call, void *context)
{
	struct event_ring *ring = &scheduler->events;
	uint64_t first = *since + 1 > ring->oldest ? *since + 1 : ring->oldest;

	for (; ring->slots && most && *since < ring->seq; most--) {
		uint64_t seq = *since + 1 > ring->oldest ? *since + 1 : ring->oldest;
		const struct schedd_event event = event_ring_view(ring, seq);

		*since = seq;
		call(&event, context);
	}
	return first;
}

uint64_t scheduler_replay(
    struct schedd_scheduler *scheduler, uint64_t since, schedd_listener_fn call, void *context)
{
	return scheduler_replay_some(scheduler, &since, UINT32_MAX, call, context);
}

uint64_t scheduler_event_seq(const struct schedd_scheduler *scheduler)
{
	return scheduler->events.seq;
}

void event_ring_say(struct schedd_scheduler *scheduler, enum schedd_event_code code,
    const char *name, const char *error, const struct scheduler_actor *actor)
{
	struct schedd_event event = {.code = code,
	    .time = scheduler_now(scheduler),
	    .store = name,
	    .scheduled_at = SCHEDD_TIME_NONE,
	    .exit_code = -1,
	    .error = error,
	    .uid = actor ? actor->uid : -1,
	    .pid = actor ? actor->pid : -1,
	    .method = actor ? actor->method : NULL};

	event_ring_emit(scheduler, &event);
}

void event_ring_say_run(struct store_slot *slot, enum schedd_event_code code, schedd_time when,
    const char *job, const struct run *run, const char *error)
{
	struct schedd_event event = {.code = code,
	    .time = when,
	    .job = job,
	    .store = slot->name,
	    .run = run->number,
	    /* Of a row that grows, what was added to it. */
	    .scheduled_at = run->until != SCHEDD_TIME_NONE ? run->until : run->scheduled_at,
	    .exit_code = run->exit_code,
	    .signal = run->signal,
	    .error = error,
	    .uid = -1,
	    .pid = -1};

	event_ring_emit(slot->scheduler, &event);
}

bool event_ring_keep_run(struct store_slot *slot, enum schedd_event_code code, schedd_time when,
    const char *name, size_t length, const struct run *run)
{
	struct event_ring *ring = &slot->scheduler->events;
	struct event_slot *kept;

	if (!ring->slots || length > EVENT_RING_ID || ring->wanted & (unsigned)code)
		return false;
	event_ring_number(slot->scheduler);
	kept = &ring->slots[ring->place];
	if (kept->more)
		free(kept->more);
	kept->time = when;
	kept->scheduled_at = run->until != SCHEDD_TIME_NONE ? run->until : run->scheduled_at;
	kept->more = NULL;
	kept->run = run->number;
	kept->exit_code = (int16_t)run->exit_code;
	kept->signal = (uint8_t)run->signal;
	kept->code = (uint8_t)__builtin_ctz((unsigned)code);
	kept->store = slot->name;
	memcpy(kept->id, name, EVENT_RING_ID);
	kept->id[length] = '\0';
	event_ring_age(ring);
	return true;
}
