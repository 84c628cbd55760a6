/* SPDX-License-Identifier: MIT */
/*
 * A request is handed to the server's thread by a byte over the socket pair,
 * and answered by one; what is in it lies in memory that both know. A request
 * whose time is over is taken back under the lock, or was done.
 */
#include "support/fake_store.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "support/fake_link.h"

/* ---- A link ---- */

static bool fake_is_shut(int fd)
{
	struct pollfd end = {.fd = fd, .events = POLLRDHUP};

	return poll(&end, 1, 0) > 0 && end.revents & (POLLHUP | POLLRDHUP);
}

/* Under the lock. */
static void fake_release(struct fake_request *request)
{
	if (--request->refs == 0)
		free(request);
}

/* Under the lock: is that one not let in? */
static bool fake_closed(const struct fake_server *server, const struct store_link *link)
{
	const char *node = link->config->node;
	bool closed = server->down;

	for (int i = 0; i < FAKE_NODES && node; i++)
		closed |= strcmp(node, server->barred[i]) == 0;
	return closed;
}

/* Under the lock, which is open meanwhile: what was done is answered behind what comes now. */
static void fake_overtake(struct fake_server *server)
{
	uint64_t told = server->told;

	for (int i = 0; i < 10 && server->told == told; i++) {
		pthread_mutex_unlock(&server->lock);
		usleep(500);
		pthread_mutex_lock(&server->lock);
	}
}

/* False: the link ends. */
static bool fake_serve(struct fake_link *link, struct fake_request *request)
{
	struct fake_server *server = link->server;
	bool alive = true;

	while (server->frozen && !server->down && !fake_is_shut(link->theirs))
		usleep(2000);
	usleep((useconds_t)server->delay);
	pthread_mutex_lock(&server->lock);
	if (request->taken || fake_closed(server, request->link)) {
		alive = false;
	} else if (request->commits && server->dies_before > 0) {
		server->dies_before--;
		alive = false;
	} else {
		request->taken = true;
		request->rc = request->call(server, request);
		if (request->commits && server->dies_after > 0) {
			server->dies_after--;
			alive = false;
		}
	}
	if (server->shuffled)
		fake_overtake(server);
	server->told++;
	request->answered = alive;
	fake_release(request);
	pthread_mutex_unlock(&server->lock);
	return alive;
}

static void *fake_main(void *context)
{
	struct fake_link *link = context;
	struct fake_request *request;

	while (read(link->theirs, &request, sizeof(request)) == sizeof(request)) {
		const char byte = 'a';

		if (!fake_serve(link, request) || write(link->theirs, &byte, 1) != 1)
			break;
	}
	shutdown(link->theirs, SHUT_RDWR);
	return NULL;
}

int fake_ask(struct store_link *base, const struct fake_request *asked, struct schedd_error *err)
{
	struct fake_link *link = base->state;
	struct pollfd fd = {.fd = link->ours, .events = POLLIN};
	struct fake_request *request = malloc(sizeof(*request)), done;
	int left = store_link_left(base); /* may be more when it is answered */
	char byte;

	if (!request)
		return store_link_fail(base, STORE_FAULT_GONE, err, "out of memory");
	*request = *asked;
	request->link = base;
	request->refs = 2;
	if (write(link->ours, &request, sizeof(request)) != sizeof(request)) {
		free(request);
		return store_link_fail(base, STORE_FAULT_GONE, err, "the connection is closed");
	}
	if (poll(&fd, 1, left) == 1)
		(void)!read(link->ours, &byte, 1);
	pthread_mutex_lock(&link->server->lock);
	request->taken = true;
	done = *request;
	fake_release(request);
	pthread_mutex_unlock(&link->server->lock);
	/* Who asked cannot tell whether a commit without an answer was done: it was sent. */
	if (!done.answered)
		return store_link_fail(base,
		    done.commits ? STORE_FAULT_UNKNOWN : STORE_FAULT_GONE, err,
		    "the server does not answer%s",
		    done.commits ? "; whether the last change was stored is not known yet" : "");
	if (done.rc && done.fault)
		return store_link_fail(base, done.fault, err, "%s", done.err.message);
	if (done.rc)
		*err = done.err;
	return done.rc;
}

int fake_fail(struct fake_request *request, enum store_fault fault, const char *why)
{
	request->fault = fault;
	return schedd_error_set(&request->err, SCHEDD_EFAILED, "%s", why);
}

static int fake_do_own(struct fake_server *server, struct fake_request *request)
{
	struct store_link *base = request->link;
	struct fake_link *link = base->state;
	const struct store_remote_config *config = base->config;
	char why[200];

	if (server->read_only)
		return fake_fail(request, STORE_FAULT_READ_ONLY, "the server takes no writes");
	if (server->owned && strcmp(server->identity, config->identity) != 0) {
		snprintf(why, sizeof(why), "it belongs to %.120s", server->holder);
		return fake_fail(request, STORE_FAULT_HELD, why);
	}
	if (strcmp(server->life, config->life) != 0) {
		server->epoch++;
		server->data->batch = 0;
	}
	snprintf(server->identity, sizeof(server->identity), "%s", config->identity);
	snprintf(server->life, sizeof(server->life), "%s", config->life);
	snprintf(server->holder, sizeof(server->holder), "%s", config->holder);
	server->owned = link->owns = true;
	base->epoch = server->epoch;
	return 0;
}

static int fake_connect(struct store_link *base, struct schedd_error *err)
{
	struct fake_request request = {.call = fake_do_own};
	struct fake_link *link = base->state;
	bool closed;
	int ends[2];

	link->server = fake_server(base->config->url.hosts[0].name);
	pthread_mutex_lock(&link->server->lock);
	closed = fake_closed(link->server, base);
	pthread_mutex_unlock(&link->server->lock);
	if (closed)
		return store_link_fail(base, STORE_FAULT_GONE, err, "connection refused");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return store_link_fail(base, STORE_FAULT_GONE, err, "%s", strerror(errno));
	link->ours = ends[0];
	link->theirs = ends[1];
	if (pthread_create(&link->thread, NULL, fake_main, link))
		return store_link_fail(base, STORE_FAULT_GONE, err, "no thread");
	snprintf(base->durability, sizeof(base->durability), "as long as the test");
	if (base->writer && base->config->shared)
		return fake_share_join(base, err);
	return base->writer ? fake_ask(base, &request, err) : 0;
}

static void fake_disconnect(struct store_link *base)
{
	struct fake_link *link = base->state;

	if (!link->server || link->ours <= 0)
		return;
	shutdown(link->ours, SHUT_RDWR);
	pthread_join(link->thread, NULL);
	close(link->ours);
	close(link->theirs);
	link->ours = 0;
	fake_share_part(base);
	pthread_mutex_lock(&link->server->lock);
	if (link->owns && strcmp(link->server->life, base->config->life) == 0)
		link->server->owned = false;
	link->owns = false;
	pthread_mutex_unlock(&link->server->lock);
}

static int fake_do_commit(struct fake_server *server, struct fake_request *request)
{
	const struct store_link *link = request->link;
	bool shared = link->config->shared;
	struct fake_data *data;
	int rc = 0;

	if (server->read_only)
		return fake_fail(request, STORE_FAULT_READ_ONLY, "the server takes no writes");
	if (shared ? !fake_share_seat(server->data, link) : server->epoch != link->epoch)
		return fake_fail(request, STORE_FAULT_FENCED, "another schedd has taken it over");
	data = fake_data_copy(server->data);
	for (struct store_batch *batch = request->first; batch != request->end && rc == 0;
	     batch = batch->next)
		for (struct store_op *op = batch->first; op && rc == 0; op = op->next)
			if (!store_op_void(op))
				rc = fake_verbs[op->kind](data, request->link, op, &request->err);
	if (rc < 0) {
		fake_data_clear(data);
		return rc;
	}
	if (data->given)
		fake_feed(data, link, NODES_LINE_SLOT, NULL, 0, NULL);
	*(shared ? &fake_share_seat(data, link)->batch : &data->batch) = request->first->serial;
	fake_data_clear(server->data);
	server->data = data;
	fake_share_ring(server);
	server->commits++;
	return 0;
}

static int fake_commit(struct store_link *link, struct store_batch *first, struct store_batch *end,
    struct schedd_error *err)
{
	struct fake_request request = {
	    .call = fake_do_commit, .first = first, .end = end, .commits = true};

	return fake_ask(link, &request, err);
}

static int fake_do_resolve(struct fake_server *server, struct fake_request *request)
{
	const struct fake_node *seat = fake_share_seat(server->data, request->link);
	uint64_t batch = seat ? seat->batch : server->data->batch;

	*(bool *)request->context = batch == request->first->serial;
	return 0;
}

/* Verdicts are in the batches already: they were put there when it was done. */
static int fake_resolve(struct store_link *link, struct store_batch *first, struct store_batch *end,
    bool *stored, struct schedd_error *err)
{
	struct fake_request request = {.call = fake_do_resolve, .first = first, .context = stored};

	(void)end;
	return fake_ask(link, &request, err);
}

static int fake_do_load(struct fake_server *server, struct fake_request *request)
{
	struct fake_data *data = server->data;
	const struct store_driver *driver = request->link->store->ops->driver;
	struct fake_run *runs[64];
	int count = 0;

	if (request->link->config->shared)
		fake_share_load(data, request->link, request->context);
	for (const struct fake_job *job = data->jobs; job; job = job->next)
		if (job->json &&
		    store_loading_job(request->context, job->id, job->json, strlen(job->json),
			&job->counters))
			return schedd_error_set(&request->err, SCHEDD_EFAILED, "given up");
	for (const struct fake_text *text = data->texts; text; text = text->next) {
		if (text->text)
			store_loading_text(request->context, text->key, text->text);
		else
			store_loading_number(request->context, text->key, text->number);
	}
	for (struct fake_run *run = data->runs; run && count < 64; run = run->next)
		if (driver->jobs_alone ||
		    (store_query_done_at(&run->run) == SCHEDD_TIME_NONE &&
			(!request->link->config->shared || run->node == request->link->node)))
			runs[count++] = run;
	while (count-- > 0) {
		struct run run = runs[count]->run;

		run.job = fake_by_key(data, runs[count]->key)->id;
		store_loading_run(request->context, &run);
	}
	return 0;
}

static int fake_load(struct store_link *link, struct store_loading *loading, struct schedd_error *err)
{
	struct fake_request request = {.call = fake_do_load, .context = loading};

	return fake_ask(link, &request, err);
}

static int fake_do_reread(struct fake_server *server, struct fake_request *request)
{
	const struct fake_job *job = fake_find(server->data, request->argument);
	const char *json = job ? job->json : NULL;

	store_watching_job(request->context, request->argument, json, json ? strlen(json) : 0,
	    job ? &job->counters : NULL);
	return 0;
}

int fake_reread(struct store_link *link, const char *id, struct store_watching *watching,
    struct schedd_error *err)
{
	struct fake_request request = {.call = fake_do_reread, .context = watching, .argument = id};

	return fake_ask(link, &request, err);
}

static int fake_do_last_run(struct fake_server *server, struct fake_request *request)
{
	*(int64_t *)request->context = fake_last_run(server->data, request->argument);
	return 0;
}

static int fake_ask_last_run(
    struct store_link *link, const char *id, int64_t *out, struct schedd_error *err)
{
	struct fake_request request = {.call = fake_do_last_run, .context = out, .argument = id};

	return fake_ask(link, &request, err);
}

static int fake_do_idle(struct fake_server *server, struct fake_request *request)
{
	return server->epoch == request->link->epoch
		   ? 0
		   : fake_fail(request, STORE_FAULT_FENCED, "another schedd has taken it over");
}

static int fake_idle(
    struct store_link *link, struct store_watching *watching, struct schedd_error *err)
{
	struct fake_request request = {.call = fake_do_idle};

	if (link->config->shared)
		return fake_share_listen(link, watching, err);
	return fake_ask(link, &request, err);
}

static int fake_check(const struct store_remote_config *config, struct schedd_error *err)
{
	(void)config, (void)err;
	return 0;
}

static const char *const fake_params[] = {NULL};

static const struct store_driver fake_driver = {
    .size = sizeof(struct fake_link),
    .params = fake_params,
    .schemes = "fake",
    .check = fake_check,
    .connect = fake_connect,
    .disconnect = fake_disconnect,
    .commit = fake_commit,
    .resolve = fake_resolve,
    .load = fake_load,
    .reread = fake_reread,
    .last_run = fake_ask_last_run,
    .beat = SCHEDD_SECOND / 2,
    .idle = fake_idle,
    .fd = fake_share_fd,
    .share = &fake_share,
    .runs = fake_runs,
    .changes = fake_changes,
    .stats = fake_stats,
    .retain = fake_retain,
};

const struct store_ops store_fake_ops = STORE_REMOTE_OPS("fake", &fake_driver);

static const struct store_driver alone_driver = {
    .size = sizeof(struct fake_link),
    .params = fake_params,
    .schemes = "fake",
    .jobs_alone = true,
    .check = fake_check,
    .connect = fake_connect,
    .disconnect = fake_disconnect,
    .commit = fake_commit,
    .resolve = fake_resolve,
    .load = fake_load,
    .reread = fake_reread,
    .last_run = fake_ask_last_run,
    .beat = SCHEDD_SECOND / 2,
    .idle = fake_idle,
};

const struct store_ops store_alone_ops = STORE_REMOTE_JOBS_OPS("alone", &alone_driver);
