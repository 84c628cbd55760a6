/* SPDX-License-Identifier: MIT */
/*
 * What was found is known for some seconds, unless accounts or the config
 * change. Whoever waits too long is told so.
 */
#include "server/rpc/rpc_door.h"

#include <stdlib.h>
#include <unistd.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include "loop/offloop.h"
#include "server/daemon.h"
#include "server/users_facts.h"

#define DOOR_LIFE (5 * SCHEDD_SECOND)              /* of what was found */
#define DOOR_KNOWN 32                              /* accounts */
#define DOOR_LOOKS 8                               /* accounts asked for at one time */
#define DOOR_GUESTS 64                             /* connections that wait */
#define DOOR_PATIENCE 10                           /* seconds, of those */
#define DOOR_MOMENT (100 * (schedd_span)1000)      /* in which who was let in is judged anew */
#define DOOR_SILENCE (10 * SCHEDD_SECOND)          /* in which nobody waits even that long */

struct door_look;

struct door_guest {
	struct door_guest *next;
	struct door_look *look;
	struct event limit;
	rpc_door_fn call;
	int fd;
	pid_t pid;
};

/* One account that is asked for. */
struct door_look {
	struct offloop_work work; /* first */
	struct door_look *next;
	struct rpc *rpc;
	struct users_facts *facts;
	unsigned generation; /* of the config by whose groups it is asked */
	struct door_guest *guests; /* in the order in which they came */
};

struct door_known {
	struct door_known *next;
	struct users_facts *facts;
	unsigned generation;
	int64_t until;
};

struct rpc_door {
	struct door_look *looks;   /* under way */
	struct door_known *known;  /* newest first */
	unsigned look_count, guest_count;
	int64_t silent;            /* until then nobody waits */
};

static int64_t door_now(void)
{
	const struct schedd_clock *clock = schedd_clock_system();

	return clock->mono(clock->context).us;
}

static const struct config_users *door_users(const struct rpc *rpc)
{
	return &daemon_config(rpc_daemon(rpc))->users;
}

static struct rpc_door *door_of(struct rpc *rpc)
{
	struct rpc_door **door = rpc_door_place(rpc);

	if (!*door)
		*door = calloc(1, sizeof(**door));
	return *door;
}

static void door_known_free(struct door_known *known)
{
	users_facts_free(known->facts);
	free(known);
}

/* What is known of the account and still holds; what does not, and too much, is forgotten. */
static const struct users_facts *door_find(struct rpc *rpc, struct rpc_door *door, uid_t uid)
{
	struct door_known **link = &door->known;
	const struct users_facts *facts = NULL;
	int64_t now = door_now();
	unsigned count = 0;

	while (*link) {
		struct door_known *known = *link;

		if (known->generation != rpc_generation(rpc) || now >= known->until || ++count > DOOR_KNOWN) {
			*link = known->next;
			door_known_free(known);
			continue;
		}
		if (users_facts_uid(known->facts) == uid)
			facts = known->facts;
		link = &known->next;
	}
	return facts;
}

/* ---- Asking ---- */

static void door_guest_end(struct door_guest *guest, const struct users_caller *caller, const struct schedd_error *err)
{
	struct rpc *rpc = guest->look->rpc;

	event_del(&guest->limit);
	(*rpc_door_place(rpc))->guest_count--;
	guest->call(rpc, guest->fd, users_facts_uid(guest->look->facts), guest->pid, caller, err);
	free(guest);
}

static void door_tell(struct door_guest *guest, const struct users_facts *facts)
{
	struct users_caller caller;
	struct schedd_error err;
	int rc = users_judge_facts(door_users(guest->look->rpc), facts, &caller, &err);

	door_guest_end(guest, &caller, rc ? &err : NULL);
}

static void door_look_unlink(struct door_look *look)
{
	struct rpc_door *door = *rpc_door_place(look->rpc);
	struct door_look **link = &door->looks;

	while (*link != look)
		link = &(*link)->next;
	*link = look->next;
	door->look_count--;
}

static void door_look_run(struct offloop_work *work)
{
	users_facts_ask(((struct door_look *)work)->facts);
}

static void door_look_done(struct offloop_work *work)
{
	struct door_look *look = (struct door_look *)work;
	struct rpc_door *door = *rpc_door_place(look->rpc);
	struct door_known *known = calloc(1, sizeof(*known));
	struct door_guest *guest;

	door_look_unlink(look);
	door->silent = 0;
	while ((guest = look->guests)) {
		look->guests = guest->next;
		/* By groups of another config nobody is judged. */
		if (look->generation == rpc_generation(look->rpc)) {
			door_tell(guest, look->facts);
			continue;
		}
		event_del(&guest->limit);
		door->guest_count--;
		rpc_door_knock(look->rpc, guest->fd, users_facts_uid(look->facts), guest->pid, guest->call);
		free(guest);
	}
	if (!known)
		return;
	known->facts = look->facts;
	known->generation = look->generation;
	known->until = door_now() + DOOR_LIFE;
	known->next = door->known;
	door->known = known;
	look->facts = NULL;
}

static void door_look_drop(struct offloop_work *work)
{
	struct door_look *look = (struct door_look *)work;

	users_facts_free(look->facts);
	free(look);
}

static const struct offloop_ops door_look_ops = {door_look_run, door_look_done, door_look_drop};

/* The look that is under way for the account, or begins. NULL: there are too many, or no memory. */
static struct door_look *door_look(struct rpc *rpc, struct rpc_door *door, uid_t uid)
{
	struct offloop *offloop = daemon_offloop(rpc_daemon(rpc));
	struct door_look *look = door->looks;

	while (look && (users_facts_uid(look->facts) != uid || look->generation != rpc_generation(rpc)))
		look = look->next;
	if (look || door->look_count >= DOOR_LOOKS || !offloop)
		return look;
	look = calloc(1, sizeof(*look));
	if (look)
		look->facts = users_facts_new(door_users(rpc), uid);
	if (!look || !look->facts) {
		free(look);
		return NULL;
	}
	look->work.ops = &door_look_ops;
	look->rpc = rpc;
	look->generation = rpc_generation(rpc);
	if (!offloop_start(offloop, &look->work)) {
		door_look_drop(&look->work);
		return NULL;
	}
	look->next = door->looks;
	door->looks = look;
	door->look_count++;
	return look;
}

static int door_silent(uid_t uid, struct schedd_error *err)
{
	return schedd_error_set(err, SCHEDD_EFAILED,
	    "the system's databases have not said yet who uid %ld is: try again, or ask an administrator whether "
	    "what they ask (nsswitch.conf) answers",
	    (long)uid);
}

/* ---- At the door ---- */

static void door_guest_late(evutil_socket_t fd, short what, void *context)
{
	struct door_guest *guest = context, **link = &guest->look->guests;
	struct schedd_error err;

	(void)fd;
	(void)what;
	while (*link != guest)
		link = &(*link)->next;
	*link = guest->next;
	door_silent(users_facts_uid(guest->look->facts), &err);
	door_guest_end(guest, NULL, &err);
}

/* False: it cannot wait. */
static bool door_wait(struct rpc *rpc, struct rpc_door *door, uid_t uid, const struct door_guest *from)
{
	static const struct timeval patience = {.tv_sec = DOOR_PATIENCE};
	struct door_look *look = door->guest_count < DOOR_GUESTS ? door_look(rpc, door, uid) : NULL;
	struct door_guest *guest = look ? malloc(sizeof(*guest)) : NULL, **link;

	if (!guest)
		return false;
	*guest = *from;
	guest->look = look;
	event_assign(&guest->limit, rpc_base(rpc), -1, 0, door_guest_late, guest);
	if (event_add(&guest->limit, &patience) < 0) {
		free(guest);
		return false;
	}
	for (link = &look->guests; *link;)
		link = &(*link)->next;
	*link = guest;
	door->guest_count++;
	return true;
}

void rpc_door_knock(struct rpc *rpc, int fd, uid_t uid, pid_t pid, rpc_door_fn call)
{
	const struct door_guest guest = {.call = call, .fd = fd, .pid = pid};
	const struct users_facts *facts = NULL;
	struct rpc_door *door;
	struct users_caller caller;
	struct schedd_error err;
	int rc;

	if (!users_judge_asks(door_users(rpc), uid)) {
		rc = users_judge(door_users(rpc), uid, &caller, &err);
		call(rpc, fd, uid, pid, &caller, rc ? &err : NULL);
		return;
	}
	door = door_of(rpc);
	facts = door ? door_find(rpc, door, uid) : NULL;
	if (facts) {
		rc = users_judge_facts(door_users(rpc), facts, &caller, &err);
		call(rpc, fd, uid, pid, &caller, rc ? &err : NULL);
		return;
	}
	if (door && door_wait(rpc, door, uid, &guest))
		return;
	door_silent(uid, &err);
	call(rpc, fd, uid, pid, NULL, &err);
}

int rpc_door_judge(struct rpc *rpc, uid_t uid, struct users_caller *out, struct schedd_error *err)
{
	const struct users_facts *facts;
	struct rpc_door *door = door_of(rpc);
	struct door_look *look;
	int64_t now = door_now();

	if (!users_judge_asks(door_users(rpc), uid))
		return users_judge(door_users(rpc), uid, out, err);
	if (!door)
		return schedd_error_nomem(err);
	facts = door_find(rpc, door, uid);
	look = facts ? NULL : door_look(rpc, door, uid);
	if (look && !offloop_wait(&look->work, now < door->silent ? 0 : DOOR_MOMENT) && now >= door->silent)
		door->silent = now + DOOR_SILENCE;
	if (look)
		facts = door_find(rpc, door, uid);
	return facts ? users_judge_facts(door_users(rpc), facts, out, err) : door_silent(uid, err);
}

void rpc_door_close(struct rpc *rpc)
{
	struct rpc_door **place = rpc_door_place(rpc), *door = *place;

	while (door && door->looks) {
		struct door_look *look = door->looks;
		struct door_guest *guest;

		door_look_unlink(look);
		while ((guest = look->guests)) {
			look->guests = guest->next;
			event_del(&guest->limit);
			close(guest->fd);
			free(guest);
		}
		offloop_leave(&look->work);
	}
	while (door && door->known) {
		struct door_known *known = door->known;

		door->known = known->next;
		door_known_free(known);
	}
	free(door);
	*place = NULL;
}
