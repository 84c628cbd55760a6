/* SPDX-License-Identifier: MIT */
/*
 * The client library has threads of its own, which answer when they like. Who
 * asks waits for as long as he may, and leaves what is not answered by then to
 * them: sessions and batches of requests are counted, and freed by the last.
 */
#include "store/modules/store_zookeeper.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/strbuf.h"
#include "store/store_lookup.h"

#define ZOO_PORT 2181
/* How long a close waits for its word to be sent. */
#define ZOO_CLOSE_MS 500

struct zoo_session {
	pthread_mutex_t lock; /* of state and refs */
	pthread_cond_t changed;
	zhandle_t *zh; /* NULL: closed */
	int state;     /* ZOO_…_STATE */
	int refs;
};

struct zoo_batch {
	pthread_mutex_t lock; /* of what completions touch */
	pthread_cond_t answered;
	uint32_t refs, pending;
	struct zoo_session *session;
	uint32_t count;
	struct zoo_answer *answers;
	struct zoo_call *calls;
	zoo_op_result_t *results;
	struct arena arena;
};

static void talk_cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attributes);
	pthread_condattr_destroy(&attributes);
}

/* So many milliseconds from now. */
static struct timespec talk_until(int milliseconds)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += milliseconds / 1000;
	until.tv_nsec += (long)(milliseconds % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000)
		until.tv_sec++, until.tv_nsec -= 1000000000;
	return until;
}

/* ---- The session ---- */

static void session_unref(struct zoo_session *session)
{
	bool last;

	pthread_mutex_lock(&session->lock);
	last = --session->refs == 0;
	pthread_mutex_unlock(&session->lock);
	if (!last)
		return;
	pthread_cond_destroy(&session->changed);
	pthread_mutex_destroy(&session->lock);
	free(session);
}

static void session_watch(zhandle_t *zh, int type, int state, const char *path, void *context)
{
	struct zoo_session *session = context;

	(void)zh, (void)path;
	if (type != ZOO_SESSION_EVENT)
		return;
	pthread_mutex_lock(&session->lock);
	session->state = state;
	pthread_cond_broadcast(&session->changed);
	pthread_mutex_unlock(&session->lock);
}

/* What the library says goes nowhere: sentences of ours say it. */
static void session_log(const char *message)
{
	(void)message;
}

static void *session_close(void *context)
{
	struct zoo_session *session = context;

	zookeeper_close(session->zh);
	pthread_mutex_lock(&session->lock);
	session->zh = NULL;
	pthread_cond_broadcast(&session->changed);
	pthread_mutex_unlock(&session->lock);
	session_unref(session);
	return NULL;
}

static struct zoo_session *session_new(struct store_link *link, const char *hosts)
{
	struct zoo_session *session = calloc(1, sizeof(*session));
	sigset_t all, old;

	if (!session)
		return NULL;
	pthread_mutex_init(&session->lock, NULL);
	talk_cond_init(&session->changed);
	session->refs = 1;
	/* Signals are the host's business: none is delivered to the library's threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	session->zh = zookeeper_init2(hosts, session_watch, (int)(link->config->lease / 1000), NULL,
	    session, 0, session_log);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (session->zh) {
		(void)zoo_set_servers_resolution_delay(session->zh, 60000);
		return session;
	}
	session_unref(session);
	return NULL;
}

static void talk_host(
    struct strbuf *out, const struct store_url_host *host, const char *address)
{
	strbuf_printf(out, strchr(address, ':') ? "%s[%s]:%u" : "%s%s:%u", out->length ? "," : "",
	    address, host->port ? host->port : ZOO_PORT);
}

static int talk_look_up(
    struct store_link *link, uint32_t at, struct strbuf *out, struct schedd_error *err)
{
	const struct store_url_host *host = &link->config->url.hosts[at];
	char address[INET6_ADDRSTRLEN];
	struct addrinfo *list = NULL;
	int rc;

	if (!host->name[0] || at >= ZOO_LOOKUPS) {
		talk_host(out, host, host->name[0] ? host->name : "127.0.0.1");
		return 0;
	}
	rc = store_lookup_host(link, &zoo_of(link)->lookups[at], host->name,
	    host->port ? host->port : ZOO_PORT, &list, err);
	for (struct addrinfo *one = list; one; one = one->ai_next)
		if (getnameinfo(one->ai_addr, one->ai_addrlen, address, sizeof(address), NULL, 0,
			NI_NUMERICHOST) == 0)
			talk_host(out, host, address);
	if (list)
		freeaddrinfo(list);
	return rc;
}

/*
 * The library would look names up for as long as it takes: it is given addresses. Hosts that are not
 * found are passed over where another one is.
 */
static int talk_hosts(struct store_link *link, struct strbuf *out, struct schedd_error *err)
{
	uint32_t count = link->config->url.host_count;
	int64_t deadline = link->deadline;
	int rc = 0;

	for (uint32_t i = 0; i < count; i++) {
		link->deadline = deadline - store_link_left(link) * 1000LL * (count - i - 1) / (count - i);
		rc = talk_look_up(link, i, out, err);
		link->deadline = deadline;
	}
	if (strbuf_failed(out))
		return schedd_error_nomem(err);
	if (out->length == 0)
		return rc;
	link->fault = STORE_FAULT_NONE;
	return 0;
}

static int talk_auth(struct store_link *link, struct schedd_error *err)
{
	const struct store_url *url = &link->config->url;
	struct strbuf text = STRBUF_EMPTY;
	int rc = ZOK;

	if (!url->user)
		return 0;
	strbuf_printf(&text, "%s:%s", url->user, url->password);
	if (!strbuf_failed(&text))
		rc = zoo_add_auth(zoo_of(link)->session->zh, "digest", strbuf_peek(&text),
		    (int)text.length, NULL, NULL);
	if (text.data)
		explicit_bzero(text.data, text.length);
	strbuf_clear(&text);
	return rc == ZOK ? 0 : store_zookeeper_failed(link, rc, false, err);
}

int store_zookeeper_talk_connect(struct store_link *link, struct schedd_error *err)
{
	struct zoo_link *zoo = zoo_of(link);
	struct strbuf hosts = STRBUF_EMPTY;
	struct zoo_session *session;
	struct timespec until;
	int state, rc = talk_hosts(link, &hosts, err);

	if (rc == 0)
		zoo->session = session_new(link, strbuf_peek(&hosts));
	strbuf_clear(&hosts);
	if (rc)
		return rc;
	until = talk_until(store_link_left(link));
	session = zoo->session;
	if (!session)
		return store_link_fail(
		    link, STORE_FAULT_GONE, err, "its client cannot be made: %s", strerror(errno));
	pthread_mutex_lock(&session->lock);
	while (session->state != ZOO_CONNECTED_STATE && session->state != ZOO_EXPIRED_SESSION_STATE &&
	       session->state != ZOO_AUTH_FAILED_STATE &&
	       pthread_cond_timedwait(&session->changed, &session->lock, &until) == 0)
		;
	state = session->state;
	pthread_mutex_unlock(&session->lock);
	if (state == ZOO_AUTH_FAILED_STATE)
		return store_link_fail(link, STORE_FAULT_REFUSED, err, "it refuses the log-in");
	if (state != ZOO_CONNECTED_STATE)
		return store_link_fail(link, STORE_FAULT_GONE, err,
		    "no ZooKeeper answers there within %lld s",
		    (long long)(link->config->connect_timeout / SCHEDD_SECOND));
	return talk_auth(link, err);
}

void store_zookeeper_talk_close(struct store_link *link)
{
	struct zoo_session *session = zoo_of(link)->session;
	struct timespec until = talk_until(ZOO_CLOSE_MS);
	pthread_t thread;
	sigset_t all, old;
	bool started;

	zoo_of(link)->session = NULL;
	if (!session)
		return;
	session->refs++;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	started = pthread_create(&thread, NULL, session_close, session) == 0;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (started) {
		pthread_detach(thread);
		/* The word that it ends lets another have the store at once. */
		pthread_mutex_lock(&session->lock);
		while (session->zh &&
		       pthread_cond_timedwait(&session->changed, &session->lock, &until) == 0)
			;
		pthread_mutex_unlock(&session->lock);
	}
	session_unref(session);
}

zhandle_t *store_zookeeper_handle(const struct store_link *link)
{
	return zoo_of(link)->session->zh;
}

int store_zookeeper_granted(const struct store_link *link)
{
	return zoo_recv_timeout(store_zookeeper_handle(link));
}

const struct ACL_vector *store_zookeeper_acl(const struct store_link *link)
{
	return link->config->url.user ? &ZOO_CREATOR_ALL_ACL : &ZOO_OPEN_ACL_UNSAFE;
}

/* ---- Requests ---- */

static void batch_unref(struct zoo_batch *batch, uint32_t count)
{
	bool last;

	pthread_mutex_lock(&batch->lock);
	batch->refs -= count;
	last = batch->refs == 0;
	pthread_mutex_unlock(&batch->lock);
	if (!last)
		return;
	for (uint32_t i = 0; i < batch->count; i++) {
		struct zoo_answer *answer = &batch->answers[i];

		free(answer->text);
		for (int32_t k = 0; k < answer->name_count; k++)
			free(answer->names[k]);
		free(answer->names);
	}
	pthread_cond_destroy(&batch->answered);
	pthread_mutex_destroy(&batch->lock);
	arena_clear(&batch->arena);
	free(batch);
}

struct zoo_batch *store_zookeeper_batch(struct store_link *link, uint32_t count)
{
	struct zoo_batch *batch = calloc(1, sizeof(*batch));

	if (!batch)
		return NULL;
	pthread_mutex_init(&batch->lock, NULL);
	talk_cond_init(&batch->answered);
	arena_init(&batch->arena);
	batch->refs = 1;
	batch->session = zoo_of(link)->session;
	batch->answers = arena_alloc(&batch->arena, (count + 1) * sizeof(batch->answers[0]));
	batch->calls = arena_alloc(&batch->arena, (count + 1) * sizeof(batch->calls[0]));
	if (!batch->answers || !batch->calls) {
		batch_unref(batch, 1);
		return NULL;
	}
	batch->count = count;
	for (uint32_t i = 0; i < count; i++)
		batch->calls[i] = (struct zoo_call){batch, i};
	return batch;
}

void *store_zookeeper_alloc(struct zoo_batch *batch, size_t size)
{
	return arena_alloc(&batch->arena, size);
}

void store_zookeeper_done(struct zoo_batch *batch)
{
	batch_unref(batch, 1);
}

static struct zoo_call *batch_begin(struct zoo_batch *batch, uint32_t place)
{
	pthread_mutex_lock(&batch->lock);
	batch->refs++;
	batch->pending++;
	pthread_mutex_unlock(&batch->lock);
	return &batch->calls[place];
}

static void batch_end(const struct zoo_call *call)
{
	struct zoo_batch *batch = call->batch;

	pthread_mutex_lock(&batch->lock);
	batch->pending--;
	pthread_cond_broadcast(&batch->answered);
	pthread_mutex_unlock(&batch->lock);
	batch_unref(batch, 1);
}

/* It could not even be asked. */
static void batch_refuse(struct zoo_call *call, int rc)
{
	if (rc == ZOK)
		return;
	call->batch->answers[call->place].rc = rc;
	batch_end(call);
}

static void batch_got(
    int rc, const char *value, int length, const struct Stat *stat, const void *data)
{
	const struct zoo_call *call = data;
	struct zoo_answer *answer = &call->batch->answers[call->place];

	answer->rc = rc;
	if (rc == ZOK) {
		answer->length = length > 0 ? (size_t)length : 0;
		answer->text = malloc(answer->length + 1);
		answer->stat = *stat;
		if (!answer->text) {
			answer->rc = ZSYSTEMERROR;
		} else {
			memcpy(answer->text, value ? value : "", answer->length);
			answer->text[answer->length] = '\0';
		}
	}
	batch_end(call);
}

static void batch_got_names(int rc, const struct String_vector *strings, const void *data)
{
	const struct zoo_call *call = data;
	struct zoo_answer *answer = &call->batch->answers[call->place];

	answer->rc = rc;
	if (rc == ZOK && strings) {
		answer->names = calloc((size_t)strings->count + 1, sizeof(answer->names[0]));
		for (int32_t i = 0; answer->names && i < strings->count; i++) {
			answer->names[i] = strdup(strings->data[i]);
			if (!answer->names[i])
				break;
			answer->name_count++;
		}
		if (!answer->names || answer->name_count < strings->count)
			answer->rc = ZSYSTEMERROR;
	}
	batch_end(call);
}

static void batch_got_void(int rc, const void *data)
{
	const struct zoo_call *call = data;

	call->batch->answers[call->place].rc = rc;
	batch_end(call);
}

void store_zookeeper_get(struct zoo_batch *batch, uint32_t place, const char *path)
{
	struct zoo_call *call = batch_begin(batch, place);

	batch_refuse(call, zoo_aget(batch->session->zh, path, 0, batch_got, call));
}

void store_zookeeper_children(struct zoo_batch *batch, uint32_t place, const char *path)
{
	struct zoo_call *call = batch_begin(batch, place);

	batch_refuse(call, zoo_aget_children(batch->session->zh, path, 0, batch_got_names, call));
}

void store_zookeeper_multi(struct zoo_batch *batch, const zoo_op_t *ops, int count)
{
	struct zoo_call *call = batch_begin(batch, 0);

	batch->results = arena_alloc(&batch->arena, (size_t)count * sizeof(batch->results[0]));
	batch_refuse(call, batch->results ? zoo_amulti(batch->session->zh, count, ops, batch->results,
						batch_got_void, call)
					  : ZSYSTEMERROR);
}

bool store_zookeeper_wait(struct store_link *link, struct zoo_batch *batch)
{
	struct timespec until = talk_until(store_link_left(link));
	bool all;

	pthread_mutex_lock(&batch->lock);
	while (batch->pending &&
	       pthread_cond_timedwait(&batch->answered, &batch->lock, &until) == 0)
		;
	all = batch->pending == 0;
	pthread_mutex_unlock(&batch->lock);
	return all;
}

const struct zoo_answer *store_zookeeper_answer(const struct zoo_batch *batch, uint32_t place)
{
	return &batch->answers[place];
}

const zoo_op_result_t *store_zookeeper_results(const struct zoo_batch *batch)
{
	return batch->results;
}

/* ---- What a code means ---- */

int store_zookeeper_failed(
    struct store_link *link, int rc, bool writes, struct schedd_error *err)
{
	switch (rc) {
	case ZNOAUTH:
		return store_link_fail(link, writes ? STORE_FAULT_READ_ONLY : STORE_FAULT_REFUSED,
		    err, "access to its nodes is denied: not authenticated, or their ACL does not name "
		    "the user");
	case ZNOTREADONLY:
		return store_link_fail(
		    link, STORE_FAULT_READ_ONLY, err, "the server takes no writes: %s", zerror(rc));
	case ZAUTHFAILED:
		return store_link_fail(link, STORE_FAULT_REFUSED, err, "%s", zerror(rc));
	case ZINVALIDSTATE:
		/* The session was over before: nothing was sent. */
		return store_link_fail(
		    link, STORE_FAULT_GONE, err, "its session is over: %s", zerror(rc));
	default:
		if (writes)
			return store_link_fail(link, STORE_FAULT_UNKNOWN, err,
			    "%s: whether it was stored is not known yet", zerror(rc));
		return store_link_fail(link, STORE_FAULT_GONE, err, "%s", zerror(rc));
	}
}
