/* SPDX-License-Identifier: MIT */
/*
 * The lease of a store that is shared: renewed every third of it, on a thread
 * and a connection that no slow commit holds up. What is held is good until a
 * fifth of a lease before it ends, counted by the monotonic clock from before
 * it was asked for. Each beat tells the loop of all nodes, and the writer when
 * another's lease may be over.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "base/log.h"
#include "store/store_remote_parts.h"

/* Between attempts to renew while the server does not answer. */
#define LEASE_RETRY (SCHEDD_SECOND / 5)
/* Behind the end of another's lease, so that it is over when it is looked at. */
#define LEASE_LATER (SCHEDD_SECOND / 100)

/* All nodes, on their way to the loop. */
struct store_renewing {
	struct mailbox_letter letter; /* first */
	struct remote_lease *lease;
	struct store_beat beat;
	struct arena arena;
	struct store_node *nodes;
	uint32_t count, capacity;
	schedd_time now; /* by the store's clock */
};

const struct store_beat *store_renewing_beat(const struct store_renewing *renewing)
{
	return &renewing->beat;
}

void store_renewing_clock(struct store_renewing *renewing, schedd_time now)
{
	renewing->now = now;
}

void store_renewing_node(struct store_renewing *renewing, const struct store_node *node)
{
	struct arena *arena = &renewing->arena;
	struct store_node *copy;

	if (renewing->count == renewing->capacity) {
		uint32_t capacity = renewing->capacity ? renewing->capacity * 2 : 16;
		struct store_node *grown = arena_alloc(arena, capacity * sizeof(grown[0]));

		if (!grown)
			return;
		if (renewing->count)
			memcpy(grown, renewing->nodes, renewing->count * sizeof(grown[0]));
		renewing->nodes = grown;
		renewing->capacity = capacity;
	}
	copy = &renewing->nodes[renewing->count++];
	*copy = *node;
	copy->name = arena_strdup(arena, node->name);
	copy->labels = arena_strdup(arena, node->labels);
	copy->version = arena_strdup(arena, node->version);
	copy->address = arena_strdup(arena, node->address);
}

static void lease_tell(struct mailbox_letter *letter)
{
	struct store_renewing *renewing = (struct store_renewing *)letter;
	struct store *store = &renewing->lease->remote->base;
	const struct store_share_news news = {.kind = STORE_SHARE_NODES,
	    .own = renewing->beat.node,
	    .nodes = renewing->nodes,
	    .node_count = renewing->count};

	if (store->share && !arena_failed(&renewing->arena))
		store->share(&news, store->share_context);
	arena_clear(&renewing->arena);
	free(renewing);
}

/* Left or dead of late, by the store's clock: another may have given it something as it went. */
static bool lease_just_gone(const struct remote_lease *lease, const struct store_renewing *renewing,
    const struct store_node *node)
{
	return node->dead_since != SCHEDD_TIME_NONE &&
	       renewing->now - node->dead_since < 2 * lease->remote->config.lease;
}

/* When the first of the others' leases is over. */
static int64_t lease_look_at(const struct remote_lease *lease, const struct store_renewing *renewing)
{
	int64_t now = store_remote_mono(), at = INT64_MAX;

	for (uint32_t i = 0; i < renewing->count; i++) {
		const struct store_node *node = &renewing->nodes[i];
		int64_t over = now + (node->left > 0 ? node->left : 0) + LEASE_LATER;

		if (node->number == renewing->beat.node || over >= at)
			continue;
		if (node->dead_since == SCHEDD_TIME_NONE || lease_just_gone(lease, renewing, node))
			at = over;
	}
	return at;
}

static void lease_look(struct remote_lease *lease, int64_t at)
{
	atomic_store(&lease->look_at, at);
	if (at <= store_remote_mono() + SCHEDD_SECOND)
		store_remote_ring(&lease->remote->writer);
}

/* Of the last minute, by processor: 1 is a machine that is just busy, whatever its size. */
static double lease_load(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	double load;

	if (getloadavg(&load, 1) != 1)
		return 0;
	return processors > 1 ? load / (double)processors : load;
}

static struct store_renewing *lease_renewing(struct remote_lease *lease)
{
	struct store_renewing *renewing = calloc(1, sizeof(*renewing));

	if (!renewing)
		return NULL;
	renewing->letter.open = lease_tell;
	renewing->lease = lease;
	arena_init(&renewing->arena);
	pthread_mutex_lock(&lease->lock);
	renewing->beat.node = lease->node;
	renewing->beat.epoch = lease->epoch;
	renewing->beat.offset = lease->offset;
	pthread_mutex_unlock(&lease->lock);
	renewing->beat.jobs = atomic_load(&lease->jobs);
	renewing->beat.running = atomic_load(&lease->running);
	renewing->beat.load = lease_load();
	return renewing;
}

static void lease_hold(struct remote_lease *lease, uint64_t epoch, int64_t begin)
{
	schedd_span length = lease->remote->config.lease;

	atomic_store(&lease->holds, 0);
	atomic_store(&lease->until, begin + length - length / 5);
	atomic_store(&lease->holds, epoch);
}

static void lease_note_clock(struct remote_lease *lease, schedd_time theirs, int64_t begin)
{
	const struct schedd_clock *clock = lease->link.clock;
	schedd_span half = (store_remote_mono() - begin) / 2, old = lease->offset;
	schedd_span offset = clock->wall(clock->context) - half - theirs;

	pthread_mutex_lock(&lease->lock);
	lease->offset = offset;
	pthread_mutex_unlock(&lease->lock);
	if (llabs(offset) > SCHEDD_SECOND && llabs(offset - old) > SCHEDD_SECOND)
		log_warn(lease->link.log,
		    "store '%s': this node's clock differs from the store's by %.1f s; runs are on time by "
		    "this node's",
		    lease->remote->base.name, (double)offset / SCHEDD_SECOND);
}

/* A beat was refused: of an epoch that is over, which the writer has perhaps replaced while it was on its way. */
static void lease_refused(struct remote_lease *lease, uint64_t epoch)
{
	pthread_mutex_lock(&lease->lock);
	if (lease->epoch == epoch) {
		lease->epoch = 0;
		atomic_store(&lease->holds, 0);
		atomic_store(&lease->lost, epoch);
	}
	pthread_mutex_unlock(&lease->lock);
	store_remote_ring(&lease->remote->writer);
}

/* What a beat came to; false: the connection is gone. */
static bool lease_renewed(struct remote_lease *lease, struct store_renewing *renewing, int rc,
    int64_t begin)
{
	uint64_t epoch = renewing->beat.epoch;
	int64_t look_at;

	if (rc == 0) {
		pthread_mutex_lock(&lease->lock);
		if (epoch == lease->epoch && begin > atomic_load(&lease->until))
			lease->lapsed = true;
		if (epoch == lease->epoch)
			lease_hold(lease, epoch, begin);
		pthread_mutex_unlock(&lease->lock);
		lease_note_clock(lease, renewing->now, begin);
		look_at = lease_look_at(lease, renewing);
		/* What is taken is told behind whose it was. */
		mailbox_post(lease->remote->base.mailbox, &renewing->letter);
		lease_look(lease, look_at);
		atomic_store(&lease->seen, true);
		return true;
	}
	arena_clear(&renewing->arena);
	free(renewing);
	if (lease->link.fault != STORE_FAULT_FENCED)
		return false;
	lease_refused(lease, epoch);
	return true;
}

static int lease_connect(struct remote_lease *lease, struct schedd_error *err)
{
	const char *file = lease->remote->password_file;

	/* It may have been changed since. */
	if (file && store_secret_read(&lease->secret, file, err) == 0)
		lease->config.url.password = lease->secret.text;
	return lease->remote->driver->connect(&lease->link, err);
}

/* Within what is left of it; connects where that is needed. */
static bool lease_beat(struct remote_lease *lease, bool *connected)
{
	const struct store_driver *driver = lease->remote->driver;
	struct store_renewing *renewing;
	struct schedd_error err;
	int64_t begin;
	bool good;
	int rc = 0;

	lease->link.fault = STORE_FAULT_NONE;
	lease->link.deadline = store_remote_mono() + lease->remote->config.lease / 3;
	if (!*connected)
		rc = lease_connect(lease, &err);
	*connected = rc == 0;
	renewing = rc ? NULL : lease_renewing(lease);
	if (renewing) {
		begin = store_remote_mono();
		rc = driver->share->renew(&lease->link, renewing, &err);
		good = lease_renewed(lease, renewing, rc, begin);
	} else {
		good = false;
	}
	if (good)
		return true;
	driver->disconnect(&lease->link);
	*connected = false;
	return false;
}

static bool lease_wait(struct remote_lease *lease, schedd_span span)
{
	struct pollfd fd = {.fd = lease->bell, .events = POLLIN};
	uint64_t rung;
	bool stopping;

	(void)poll(&fd, 1, (int)(span / 1000));
	while (read(lease->bell, &rung, sizeof(rung)) < 0 && errno == EINTR)
		;
	pthread_mutex_lock(&lease->lock);
	stopping = lease->stopping;
	pthread_mutex_unlock(&lease->lock);
	return !stopping;
}

static void *lease_main(void *context)
{
	struct remote_lease *lease = context;
	schedd_span third = lease->remote->config.lease / 3;
	unsigned seed = (unsigned)lease->remote->base.life;
	bool connected = false;

	if (lease->secret.text)
		store_secret_hide_thread();
	for (;;) {
		schedd_span wait = third - third / 20 + (schedd_span)rand_r(&seed) % (third / 10 + 1);
		uint64_t epoch;

		pthread_mutex_lock(&lease->lock);
		epoch = lease->epoch;
		pthread_mutex_unlock(&lease->lock);
		if (epoch && !lease_beat(lease, &connected))
			wait = LEASE_RETRY;
		if (!lease_wait(lease, epoch ? wait : SCHEDD_MINUTE))
			break;
	}
	lease->remote->driver->disconnect(&lease->link);
	store_remote_ended(lease->remote);
	return NULL;
}

static void lease_ring(const struct remote_lease *lease)
{
	const uint64_t one = 1;

	while (write(lease->bell, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

void store_remote_lease_set(
    struct remote_lease *lease, uint32_t node, uint64_t epoch, int64_t begin)
{
	pthread_mutex_lock(&lease->lock);
	lease->node = node;
	lease->epoch = epoch;
	if (epoch != lease->joined) {
		atomic_store(&lease->late, lease->lapsed || begin > atomic_load(&lease->until) ? epoch : 0);
		lease->lapsed = false;
		lease->joined = epoch;
	}
	lease_hold(lease, epoch, begin);
	pthread_mutex_unlock(&lease->lock);
	lease_ring(lease);
}

void store_remote_lease_drop(struct remote_lease *lease)
{
	pthread_mutex_lock(&lease->lock);
	lease->epoch = 0;
	atomic_store(&lease->holds, 0);
	pthread_mutex_unlock(&lease->lock);
}

int store_remote_lease_start(struct remote_lease *lease, struct schedd_error *err)
{
	struct remote_store *remote = lease->remote;
	const char *password = remote->secret.text;
	sigset_t all, old;
	int rc;

	rc = password ? store_secret_set(&lease->secret, password, strlen(password), err) : 0;
	lease->config = remote->config;
	lease->config.url.password = lease->secret.text;
	lease->link = (struct store_link){.config = &lease->config,
	    .log = remote->base.log,
	    .clock = remote->base.clock,
	    .host = remote->base.host,
	    .store = &remote->base,
	    .state = calloc(1, remote->driver->size + 1)};
	atomic_store(&lease->look_at, INT64_MAX);
	pthread_mutex_init(&lease->lock, NULL);
	lease->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (rc)
		return rc;
	if (lease->bell < 0 || !lease->link.state)
		return schedd_error_set(
		    err, SCHEDD_EFAILED, "store '%s': its lease cannot be kept", remote->base.name);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	atomic_fetch_add(&remote->threads, 1);
	rc = pthread_create(&lease->thread, NULL, lease_main, lease);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc)
		atomic_fetch_sub(&remote->threads, 1);
	if (rc)
		return schedd_error_set(err, SCHEDD_EFAILED,
		    "store '%s': the thread of its lease does not start: %s", remote->base.name,
		    strerror(rc));
	pthread_setname_np(lease->thread, "store-lease");
	lease->started = true;
	return 0;
}

void store_remote_lease_end(struct remote_lease *lease)
{
	if (!lease->started)
		return;
	pthread_mutex_lock(&lease->lock);
	lease->stopping = true;
	pthread_mutex_unlock(&lease->lock);
	lease_ring(lease);
}

void store_remote_lease_stop(struct remote_lease *lease)
{
	if (lease->started) {
		store_remote_lease_end(lease);
		pthread_join(lease->thread, NULL);
		lease->started = false;
	}
	if (lease->bell > 0)
		close(lease->bell);
	lease->bell = -1;
	free(lease->link.state);
	lease->link.state = NULL;
	store_secret_clear(&lease->secret);
}

/* ---- For the scheduler ---- */

static const struct remote_store *lease_store(const struct store *store)
{
	return (const struct remote_store *)store;
}

static schedd_span lease_length(const struct store *store)
{
	return lease_store(store)->config.lease;
}

static const char *lease_node_name(const struct store *store)
{
	return lease_store(store)->config.node;
}

static bool lease_good(const struct store *store, uint64_t epoch)
{
	const struct remote_lease *lease = &lease_store(store)->lease;

	/* Twice: it may just be another one. */
	return epoch && atomic_load(&lease->holds) == epoch &&
	       store_remote_mono() < atomic_load(&lease->until) &&
	       atomic_load(&lease->holds) == epoch;
}

static bool lease_late(const struct store *store, uint64_t epoch)
{
	return epoch && atomic_load(&lease_store(store)->lease.late) == epoch;
}

static void lease_report(struct store *store, int64_t jobs, int64_t running)
{
	struct remote_lease *lease = &((struct remote_store *)store)->lease;

	atomic_store(&lease->jobs, jobs);
	atomic_store(&lease->running, running);
}

const struct store_share_ops store_remote_share = {
    .lease = lease_length,
    .node_name = lease_node_name,
    .leased = lease_good,
    .late = lease_late,
    .report = lease_report,
    .refresh = store_remote_refresh,
    .output = store_remote_output,
};
