/* SPDX-License-Identifier: MIT */
/*
 * A spawner is in one of two lists: active ones take starts, parked ones are
 * held up by one. The same starts are in at most one spawner, or in the queue.
 */
#include "executor/spawner_pool.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/syscall.h>
#include "base/dynlib.h"
#include "base/log.h"
#include "executor/graveyard.h"
#include "executor/spawn_pack.h"
#include "executor/spawner_queue.h"
#include "loop/alarm.h"

#define POOL_ACTIVE_MAX 8
#define POOL_DEPTH 8 /* starts that one of them has at a time */
/* How many may be held up at once: by all, by one account, by schedd's own account. */
#define POOL_PARKED_MAX 32
#define POOL_PARKED_ACCOUNT 4
#define POOL_PARKED_OWN 16
#define POOL_LIMIT (10 * SCHEDD_SECOND)
#define POOL_PATIENCE (SCHEDD_SECOND / 5)
#define POOL_LOOK (SCHEDD_SECOND / 10) /* between looks while something is under way */
#define POOL_TRIES 3   /* spawners that may be lost while they prepare one start */
#define POOL_LOSSES 2  /* in a row, without a word: the program does not work */
#define POOL_WORRY 20  /* the same where it has worked: one start is made here */

struct pool_member {
	struct pool_member *next;
	struct spawner_pool *pool;
	struct spawner *spawner;
	bool parked;
	uid_t uid;               /* whose start holds it up */
	pid_t pid;               /* the process that is being made; 0: none */
	int pidfd;               /* of that; -1: none */
	struct schedd_mono ends; /* when it is given up */
};

struct spawner_pool {
	struct spawner_pool_config config;
	struct spawn_inherit inherit;
	cpu_set_t cpus;
	unsigned wanted; /* active spawners at most */
	bool pinned;     /* each on a CPU of its own */
	int program;     /* -1: there is none */
	unsigned losses; /* spawners lost since one has said something */
	bool worked;     /* one ever did */
	struct pool_member *members;
	struct graveyard *graveyard;
	struct spawner_queue queue;
	uint32_t busy;                      /* in the queue or in spawners */
	struct alarm *look;
	bool looking; /* the alarm is set */
};

static struct schedd_mono pool_now(const struct spawner_pool *pool)
{
	return pool->config.clock->mono(pool->config.clock->context);
}

/* It is over, well or not. */
static void pool_finish(
    struct spawner_pool *pool, struct spawner_start *start, const struct spawn_result *result)
{
	pool->busy--;
	spawner_queue_pass(&pool->queue, start);
	start->done(start, result);
}

static void pool_fail(
    struct spawner_pool *pool, struct spawner_start *start, enum spawn_step step, int error)
{
	const struct spawn_result result = {.step = step, .error = error};

	pool_finish(pool, start, &result);
}

/* ---- Spawners come and go ---- */

static void pool_heard(struct spawner *spawner, void *context);

static unsigned pool_count(const struct spawner_pool *pool, bool parked)
{
	unsigned count = 0;

	for (const struct pool_member *member = pool->members; member; member = member->next)
		count += member->parked == parked;
	return count;
}

/* A CPU that none of the active ones has. */
static int pool_cpu(const struct spawner_pool *pool)
{
	for (int cpu = 0; pool->pinned && cpu < CPU_SETSIZE; cpu++) {
		const struct pool_member *member = pool->members;

		while (member && (member->parked || spawner_cpu(member->spawner) != cpu))
			member = member->next;
		if (CPU_ISSET(cpu, &pool->cpus) && !member)
			return cpu;
	}
	return -1;
}

static struct pool_member *pool_grow(struct spawner_pool *pool)
{
	const struct spawner_place place = {.loop = pool->config.loop,
	    .inherit = &pool->inherit,
	    .cpus = &pool->cpus,
	    .program = pool->program,
	    .cpu = pool_cpu(pool)};
	struct pool_member *member = calloc(1, sizeof(*member));
	struct schedd_error err;

	if (!member)
		return NULL;
	*member = (struct pool_member){.pool = pool, .pidfd = -1};
	member->spawner = spawner_new(&place, pool_heard, member, &err);
	if (!member->spawner) {
		log_warn(pool->config.log, "%s", err.message);
		free(member);
		return NULL;
	}
	member->next = pool->members;
	pool->members = member;
	return member;
}

static void pool_member_free(struct pool_member *member)
{
	struct spawner_pool *pool = member->pool;
	struct pool_member **at = &pool->members;
	pid_t pid;

	while (*at != member)
		at = &(*at)->next;
	*at = member->next;
	spawner_free(member->spawner, &pid);
	graveyard_take(pool->graveyard, pid);
	if (member->pidfd >= 0)
		close(member->pidfd);
	free(member);
}

/* Kills the process that was being made for a start that is called off, and waits for its end. */
static void pool_undo(struct spawner_pool *pool, pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGKILL);
	graveyard_take(pool->graveyard, pid);
}

/* A start that its spawner was lost over: to another, unless it may have run. */
static void pool_rescue(struct spawner_pool *pool, struct spawner_start *start)
{
	struct spawn_result result;

	switch (spawner_revoke(start, &result)) {
	case SPAWNER_EXECUTING:
		/* How its execution went may not be known; its end will show it. */
		spawner_drop(start);
		pool_finish(pool, start, &result);
		return;
	case SPAWNER_PREPARED:
		pool_undo(pool, result.pid);
		start->tries++;
		break;
	case SPAWNER_NOT_BEGUN:
		break;
	}
	if (start->tries < POOL_TRIES)
		spawner_queue_add(&pool->queue, start, true);
	else
		pool_fail(pool, start, SPAWN_CLONE, EINTR);
}

/* The program is gone, or is to go. */
static void pool_lose(struct pool_member *member)
{
	struct spawner_pool *pool = member->pool;
	struct spawner_start *start;

	if (++pool->losses == POOL_LOSSES && !pool->worked)
		log_warn(pool->config.log,
		    SPAWNER_PROGRAM " does not work: jobs are started by schedd itself, which one "
				    "that hangs can hold up");
	while ((start = spawner_last(member->spawner)))
		pool_rescue(pool, start);
	pool_member_free(member);
}

/* ---- Who gets which start ---- */

/* Is the next start to be made here? */
static bool pool_inside(struct spawner_pool *pool)
{
	if (pool->worked && pool->losses >= POOL_WORRY) {
		pool->losses = 0;
		return true;
	}
	return pool->config.make || pool->program < 0 ||
	       (pool->losses >= POOL_LOSSES && !pool->worked);
}

/* May one more of this account's starts hold a spawner up? */
static bool pool_may_hold(const struct spawner_pool *pool, uid_t uid)
{
	unsigned all = 0, own = 0;

	for (const struct pool_member *member = pool->members; member; member = member->next) {
		all += member->parked;
		own += member->parked && member->uid == uid;
	}
	if (!all)
		return true;
	return all < POOL_PARKED_MAX &&
	       own < (uid == geteuid() ? POOL_PARKED_OWN : POOL_PARKED_ACCOUNT);
}

static struct pool_member *pool_idlest(struct spawner_pool *pool)
{
	struct pool_member *best = NULL;

	for (struct pool_member *member = pool->members; member; member = member->next)
		if (!member->parked &&
		    (!best || spawner_busy(member->spawner) < spawner_busy(best->spawner)))
			best = member;
	if ((!best || spawner_busy(best->spawner) > 0) && pool_count(pool, false) < pool->wanted) {
		struct pool_member *grown = pool_grow(pool);

		return grown ? grown : best;
	}
	return best;
}

static void pool_look_later(struct spawner_pool *pool)
{
	struct schedd_mono when = pool_now(pool);

	when.us += POOL_LOOK;
	if (!pool->looking && pool->busy)
		pool->looking = alarm_set_mono(pool->look, when) == 0;
}

static void pool_start_inside(struct spawner_pool *pool, struct spawner_start *start)
{
	struct spawn_result result;
	struct account account;
	struct spawn how;

	if (!spawn_unpack(start->packed, start->size, &how, &account)) {
		pool_fail(pool, start, SPAWN_CLONE, EBADMSG);
		return;
	}
	how.inherit = &pool->inherit;
	memcpy(how.fds, start->fds, sizeof(how.fds));
	(pool->config.make ? pool->config.make : spawn)(&how, &result);
	pool_finish(pool, start, &result);
}

/* Gives one start of the queue away. False: it stays where it is. */
static bool pool_give(struct spawner_pool *pool, struct spawner_start *start)
{
	struct pool_member *member = pool_inside(pool) ? NULL : pool_idlest(pool);
	bool given = member && spawner_busy(member->spawner) < POOL_DEPTH &&
		     spawner_ask(member->spawner, start, pool_now(pool));
	/* Nobody who has something to do will come back to it. */
	bool inside = !given && (!member || spawner_busy(member->spawner) == 0);

	if (given || inside)
		spawner_queue_remove(&pool->queue, start);
	if (inside)
		pool_start_inside(pool, start);
	return given || inside;
}

static void pool_pump(struct spawner_pool *pool)
{
	struct spawner_start *start = pool->queue.first;

	while (start) {
		if (pool->members && !pool_may_hold(pool, start->uid)) {
			start = start->next;
			continue;
		}
		if (!pool_give(pool, start))
			break;
		/* Whoever was told may have changed the queue. */
		start = pool->queue.first;
	}
	pool_look_later(pool);
}

static void pool_answered(
    struct spawner_start *start, const struct spawn_result *result, void *context)
{
	struct spawner_pool *pool = context;

	if (start)
		pool_finish(pool, start, result);
	else
		graveyard_take(pool->graveyard, result->pid);
}

static void pool_unpark(struct pool_member *member)
{
	member->parked = false;
	member->pid = 0;
	if (member->pidfd >= 0)
		close(member->pidfd);
	member->pidfd = -1;
}

static void pool_heard(struct spawner *spawner, void *context)
{
	struct pool_member *member = context;
	struct spawner_pool *pool = member->pool;
	bool lives = spawner_hear(spawner, pool_now(pool), pool_answered, pool);

	if (spawner_ready(spawner))
		pool->worked = true;
	if (lives)
		pool->losses = 0;
	if (!lives && spawner_ready(spawner) && !spawner_busy(spawner)) {
		/* It had nothing to do any more. */
		pool_member_free(member);
	} else if (!lives) {
		pool_lose(member);
	} else if (member->parked && !spawner_holder(spawner)) {
		/* It has got on after all. */
		if (pool_count(pool, false) < pool->wanted && pool_cpu(pool) == spawner_cpu(spawner))
			pool_unpark(member);
		else
			pool_lose(member);
	}
	pool_pump(pool);
}

/* ---- What does not get on ---- */

/* What waits behind the start that holds a spawner up goes to others. */
static void pool_park(struct pool_member *member, struct schedd_mono now)
{
	struct spawner_pool *pool = member->pool;
	struct spawner_start *holder = spawner_holder(member->spawner), *start;

	if (!holder) {
		/* The program itself stands still. */
		pool_lose(member);
		return;
	}
	member->parked = true;
	member->uid = holder->uid;
	member->pid = spawner_child(holder);
	/* Its pid cannot be another's before it was reaped, which is long after this. */
	if (member->pid > 0)
		member->pidfd = (int)syscall(SYS_pidfd_open, member->pid, 0);
	member->ends.us = now.us - pool->config.patience + pool->config.limit;
	while ((start = spawner_take_back(member->spawner)))
		spawner_queue_add(&pool->queue, start, true);
}

/* The start has failed, unless just the word of its end is missing. */
static void pool_give_up(struct pool_member *member)
{
	struct spawner_pool *pool = member->pool;
	struct spawner_start *start = spawner_holder(member->spawner);
	bool over = start && (spawner_answered(start) || spawner_executed(start));
	struct spawn_result result = {0};

	if (start && spawner_revoke(start, &result) == SPAWNER_EXECUTING)
		spawner_drop(start);
	if (!over) {
		if (member->pidfd >= 0)
			(void)syscall(SYS_pidfd_send_signal, member->pidfd, SIGKILL, NULL, 0);
		else if (result.pid > 0) /* made since the spawner was passed over */
			kill(result.pid, SIGKILL);
		graveyard_take(pool->graveyard, result.pid);
		result.error = ETIMEDOUT;
		result.waited = (int)(pool->config.limit / SCHEDD_SECOND);
		result.pid = 0;
	}
	pool_lose(member);
	if (start)
		pool_finish(pool, start, &result);
}

/* Starts that were not given away because too many of their account hang. */
static void pool_give_up_waiting(struct spawner_pool *pool, struct schedd_mono now)
{
	struct spawner_start *start = pool->queue.first;

	while (start) {
		struct spawner_start *next = start->next;

		if (now.us - start->asked.us < pool->config.limit || pool_may_hold(pool, start->uid)) {
			start = next;
			continue;
		}
		spawner_queue_remove(&pool->queue, start);
		pool_fail(pool, start, SPAWN_CLONE, ETIMEDOUT);
		start = pool->queue.first;
	}
}

static void pool_look_at(struct pool_member *member, struct schedd_mono now)
{
	struct spawner_pool *pool = member->pool;
	const struct spawner_start *holder;
	schedd_span since;

	/* It may hang in one start before it has told of others. */
	spawner_settle(member->spawner, now, pool_answered, pool);
	since = now.us - spawner_progress(member->spawner).us;
	if (!member->parked) {
		if (spawner_busy(member->spawner) && since >= pool->config.patience &&
		    (spawner_ready(member->spawner) || since >= pool->config.limit))
			pool_park(member, now);
		return;
	}
	holder = spawner_holder(member->spawner);
	if (now.us >= member->ends.us && holder && spawner_starved(holder))
		member->ends.us = now.us + pool->config.limit;
	else if (now.us >= member->ends.us || (holder && spawner_executed(holder)))
		pool_give_up(member);
}

static void pool_look(bool stepped, void *context)
{
	struct spawner_pool *pool = context;
	struct schedd_mono now = pool_now(pool);
	struct pool_member *next;

	(void)stepped;
	pool->looking = false;
	pool_give_up_waiting(pool, now);
	for (struct pool_member *member = pool->members; member; member = next) {
		next = member->next;
		pool_look_at(member, now);
	}
	pool_pump(pool);
}

/* ---- From outside ---- */

int spawner_pool_start(struct spawner_pool *pool, const struct spawn *spawn,
    struct spawner_start *start, struct schedd_error *err)
{
	start->next = start->previous = NULL;
	start->spawner = NULL;
	start->tries = 0;
	start->uid = spawn->account->uid;
	start->asked = pool_now(pool);
	memcpy(start->fds, spawn->fds, sizeof(start->fds));
	start->packed = spawn_pack(spawn, &start->size);
	if (!start->packed) {
		spawner_start_clear(start);
		return schedd_error_nomem(err);
	}
	pool->busy++;
	spawner_queue_deal(&pool->queue, start);
	for (struct pool_member *member = pool->members; member; member = member->next)
		if (!member->parked)
			spawner_queue_overtake(&pool->queue, member->spawner, start->deal);
	pool_pump(pool);
	return 0;
}

bool spawner_pool_cancel(struct spawner_pool *pool, struct spawner_start *start, bool kill_it)
{
	struct spawn_result result;

	if (!start->spawner) {
		spawner_queue_remove(&pool->queue, start);
	} else {
		switch (spawner_revoke(start, &result)) {
		case SPAWNER_EXECUTING:
			if (kill_it && result.pid > 0)
				kill(result.pid, SIGKILL);
			return false;
		case SPAWNER_PREPARED:
			pool_undo(pool, result.pid);
			break;
		case SPAWNER_NOT_BEGUN:
			break;
		}
	}
	pool->busy--;
	return true;
}

void spawner_pool_turn(struct spawner_pool *pool, schedd_span limit)
{
	struct pollfd sockets[POOL_ACTIVE_MAX];
	struct pool_member *members[POOL_ACTIVE_MAX];
	nfds_t count = 0;

	for (struct pool_member *member = pool->members; member && count < POOL_ACTIVE_MAX;
	     member = member->next) {
		members[count] = member;
		sockets[count++] = (struct pollfd){spawner_socket(member->spawner), POLLIN, 0};
	}
	if (poll(sockets, count, (int)(limit / 1000) + 1) <= 0)
		return;
	for (nfds_t i = 0; i < count; i++)
		if (sockets[i].revents) {
			/* It may change the others. */
			pool_heard(members[i]->spawner, members[i]);
			return;
		}
}

void spawner_pool_bury(struct spawner_pool *pool, pid_t pid)
{
	graveyard_take(pool->graveyard, pid);
}

bool spawner_pool_owns(const struct spawner_pool *pool, pid_t pid)
{
	if (graveyard_has(pool->graveyard, pid))
		return true;
	for (const struct pool_member *member = pool->members; member; member = member->next)
		if (member->pid == pid || spawner_pid(member->spawner) == pid)
			return true;
	return false;
}

/* One a CPU that this process may use; on a CPU of its own where they are not too many. */
static void pool_count_cpus(struct spawner_pool *pool)
{
	int count;

	CPU_ZERO(&pool->cpus);
	count = sched_getaffinity(0, sizeof(pool->cpus), &pool->cpus) == 0 ? CPU_COUNT(&pool->cpus) : 1;
	pool->wanted = count < POOL_ACTIVE_MAX ? (unsigned)count : POOL_ACTIVE_MAX;
	pool->pinned = count > 1 && count <= POOL_ACTIVE_MAX;
}

int spawner_pool_new(const struct spawner_pool_config *config, struct spawner_pool **out,
    struct schedd_error *err)
{
	struct spawner_pool *pool = calloc(1, sizeof(*pool));
	struct schedd_error why;

	if (!pool)
		return schedd_error_nomem(err);
	pool->config = *config;
	pool->program = -1;
	if (!config->limit)
		pool->config.limit = POOL_LIMIT;
	if (!config->patience)
		pool->config.patience = POOL_PATIENCE;
	if (!config->clock)
		pool->config.clock = schedd_clock_system();
	if (config->inherit)
		pool->inherit = *config->inherit;
	else
		spawn_inherit_capture(&pool->inherit);
	pool->config.inherit = &pool->inherit;
	pool_count_cpus(pool);
	pool->graveyard = graveyard_new(config->loop, pool->config.clock);
	if (!pool->graveyard)
		schedd_error_nomem(err);
	else
		pool->look = alarm_new_mono(config->loop, pool_look, pool, err);
	if (!pool->look) {
		spawner_pool_free(pool);
		return err->code;
	}
	/* Held open: an upgrade of the files must not bring another one in. */
	if (!config->make)
		pool->program = dynlib_program(SPAWNER_PROGRAM, &why);
	if (!config->make && pool->program < 0)
		log_warn(config->log,
		    "%s: jobs are started by schedd itself, which one that hangs can hold up",
		    why.message);
	*out = pool;
	return 0;
}

void spawner_pool_free(struct spawner_pool *pool)
{
	if (!pool)
		return;
	while (pool->members)
		pool_member_free(pool->members);
	graveyard_free(pool->graveyard);
	alarm_free(pool->look);
	if (pool->program >= 0)
		close(pool->program);
	free(pool);
}
