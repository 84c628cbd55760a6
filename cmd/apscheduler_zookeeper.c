/* SPDX-License-Identifier: MIT */
/*
 * Through ZooKeeper's client library, loaded when it is asked for. A job is a
 * node below the store's: zookeeper://user:password@host:port,host:port/path
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/dynlib.h"
#include "base/strbuf.h"
#include "cmd/apscheduler_source.h"

#define ZOOKEEPER_TIMEOUT 10000 /* ms, of the session and of connecting */
#define ZOOKEEPER_STEP 5        /* ms between two looks at whether it is connected */
#define ZOOKEEPER_BYTES_MAX ((1 << 20) + 1) /* of a node: more than a pickle may have */

/* Codes and states, from zookeeper.h. */
#define ZOOKEEPER_NO_NODE (-101)
#define ZOOKEEPER_NO_AUTH (-102)
#define ZOOKEEPER_AUTH_FAILED (-115)
#define ZOOKEEPER_CONNECTED 3
#define ZOOKEEPER_REFUSED (-113)

struct zookeeper_names {
	int32_t count;
	char **names;
};

/* From zookeeper.h; these functions keep their shapes for good. */
struct zookeeper_calls {
	void *(*init)(const char *hosts, void *watcher, int timeout, const void *id, void *context,
	    int flags, void (*log)(const char *message));
	int (*state)(void *session);
	int (*add_auth)(void *session, const char *scheme, const char *text, int length,
	    void *completion, const void *data);
	int (*children)(void *session, const char *path, int watch, struct zookeeper_names *names);
	int (*get)(
	    void *session, const char *path, int watch, char *buffer, int *length, void *stat);
	int (*free_names)(struct zookeeper_names *names);
	const char *(*error)(int code);
	int (*close)(void *session);
};

static int zookeeper_load(struct zookeeper_calls *calls, struct schedd_error *err)
{
	static const char *const names[] = {"libzookeeper_mt.so.2", "libzookeeper_mt.so", NULL};
	const struct dynlib_symbol symbols[] = {
	    {"zookeeper_init2", (void **)&calls->init},
	    {"zoo_state", (void **)&calls->state},
	    {"zoo_add_auth", (void **)&calls->add_auth},
	    {"zoo_get_children", (void **)&calls->children},
	    {"zoo_get", (void **)&calls->get},
	    {"deallocate_String_vector", (void **)&calls->free_names},
	    {"zerror", (void **)&calls->error},
	    {"zookeeper_close", (void **)&calls->close},
	    {NULL, NULL},
	};

	return dynlib_library("ZooKeeper (libzookeeper-mt2)", names, symbols, err);
}

static int zookeeper_fail(
    const struct zookeeper_calls *calls, int code, const char *path, struct schedd_error *err)
{
	if (code == ZOOKEEPER_NO_NODE)
		return schedd_error_set(err, SCHEDD_ENOTFOUND,
		    "ZooKeeper: there is no node %.100s: which path has the store? "
		    "(zookeeper://HOST/PATH)",
		    path);
	return schedd_error_set(err,
	    code == ZOOKEEPER_NO_AUTH || code == ZOOKEEPER_AUTH_FAILED ? SCHEDD_EPERM : SCHEDD_EFAILED,
	    "ZooKeeper: %.100s: %s", path, calls->error(code));
}

/* ---- Connecting ---- */

/* What it says goes nowhere: sentences of ours say it. */
static void zookeeper_log(const char *message)
{
	(void)message;
}

/* "a,b:1" as "a:2181,b:1". */
static void zookeeper_hosts(const struct apscheduler_url *url, struct strbuf *out)
{
	struct strbuf given = STRBUF_EMPTY;
	const char *host = url->host ? url->host : "localhost", *at;
	bool bare = strchr(host, ':') != NULL;

	strbuf_printf(&given, bare ? "[%s]" : "%s", host);
	if (url->port)
		strbuf_printf(&given, ":%s", url->port);
	for (at = strbuf_peek(&given); *at;) {
		size_t length = strcspn(at, ",");
		const char *bracket = memchr(at, ']', length), *from = bracket ? bracket : at;
		bool port = memchr(from, ':', length - (size_t)(from - at)) != NULL;

		strbuf_printf(out, "%s%.*s%s", out->length ? "," : "", (int)length, at,
		    port ? "" : ":2181");
		at += length + (at[length] == ',');
	}
	strbuf_clear(&given);
}

static int zookeeper_connected(
    const struct zookeeper_calls *calls, void *session, struct schedd_error *err)
{
	const struct timespec step = {.tv_nsec = ZOOKEEPER_STEP * 1000000L};
	int state = calls->state(session);

	for (int waited = 0; waited < ZOOKEEPER_TIMEOUT && state != ZOOKEEPER_CONNECTED &&
			     state != ZOOKEEPER_REFUSED;
	     waited += ZOOKEEPER_STEP) {
		nanosleep(&step, NULL);
		state = calls->state(session);
	}
	if (state == ZOOKEEPER_CONNECTED)
		return 0;
	return state == ZOOKEEPER_REFUSED
		   ? schedd_error_set(err, SCHEDD_EPERM, "ZooKeeper: it refuses the log-in")
		   : schedd_error_set(err, SCHEDD_EFAILED,
			 "ZooKeeper: none answers there within %d s", ZOOKEEPER_TIMEOUT / 1000);
}

static int zookeeper_login(const struct zookeeper_calls *calls, void *session,
    const struct apscheduler_url *url, struct schedd_error *err)
{
	struct strbuf text = STRBUF_EMPTY;
	int code, rc = 0;

	if (!url->user)
		return 0;
	strbuf_printf(&text, "%s:%s", url->user, url->password ? url->password : "");
	if (strbuf_failed(&text)) {
		rc = schedd_error_nomem(err);
	} else {
		code = calls->add_auth(
		    session, "digest", strbuf_peek(&text), (int)text.length, NULL, NULL);
		if (code)
			rc = zookeeper_fail(calls, code, "the log-in", err);
	}
	strbuf_clear(&text);
	return rc;
}

/* ---- Reading ---- */

static int zookeeper_node(const struct zookeeper_calls *calls, void *session, const char *path,
    const char *id, char *buffer, apscheduler_source_fn call, void *context,
    struct schedd_error *err)
{
	int length = ZOOKEEPER_BYTES_MAX, code = calls->get(session, path, 0, buffer, &length, NULL);

	/* Removed since its name was read. */
	if (code == ZOOKEEPER_NO_NODE)
		return 0;
	if (code)
		return zookeeper_fail(calls, code, path, err);
	return call(id, buffer, length > 0 ? (size_t)length : 0, context) ? schedd_error_nomem(err)
									  : 0;
}

static int zookeeper_nodes(const struct zookeeper_calls *calls, void *session, const char *path,
    apscheduler_source_fn call, void *context, struct schedd_error *err)
{
	struct zookeeper_names names = {0};
	struct strbuf node = STRBUF_EMPTY;
	char *buffer;
	int rc = 0, code = calls->children(session, path, 0, &names);

	if (code)
		return zookeeper_fail(calls, code, path, err);
	buffer = malloc(ZOOKEEPER_BYTES_MAX);
	for (int32_t i = 0; rc == 0 && i < names.count; i++) {
		node.length = 0;
		strbuf_printf(&node, "%s/%s", path[1] ? path : "", names.names[i]);
		rc = !buffer || strbuf_failed(&node)
			 ? schedd_error_nomem(err)
			 : zookeeper_node(calls, session, strbuf_peek(&node), names.names[i], buffer,
			       call, context, err);
	}
	free(buffer);
	strbuf_clear(&node);
	calls->free_names(&names);
	return rc;
}

int apscheduler_zookeeper_read(const struct apscheduler_source *source,
    const struct apscheduler_url *url, apscheduler_source_fn call, void *context,
    struct schedd_error *err)
{
	struct strbuf hosts = STRBUF_EMPTY, path = STRBUF_EMPTY;
	struct zookeeper_calls calls;
	void *session = NULL;
	int rc = zookeeper_load(&calls, err);

	(void)source;
	if (rc)
		return rc;
	zookeeper_hosts(url, &hosts);
	strbuf_printf(&path, "/%s", url->path ? url->path : "apscheduler");
	while (path.length > 1 && path.data[path.length - 1] == '/')
		path.data[--path.length] = '\0';
	if (strbuf_failed(&hosts) || strbuf_failed(&path))
		rc = schedd_error_nomem(err);
	if (rc == 0)
		session = calls.init(
		    strbuf_peek(&hosts), NULL, ZOOKEEPER_TIMEOUT, NULL, NULL, 0, zookeeper_log);
	if (rc == 0 && !session)
		rc = schedd_error_set(err, SCHEDD_EINVAL,
		    "ZooKeeper: '%.200s' are no hosts and ports, or their names are not known",
		    strbuf_peek(&hosts));
	if (rc == 0)
		rc = zookeeper_connected(&calls, session, err);
	if (rc == 0)
		rc = zookeeper_login(&calls, session, url, err);
	if (rc == 0)
		rc = zookeeper_nodes(&calls, session, strbuf_peek(&path), call, context, err);
	if (session)
		calls.close(session);
	strbuf_clear(&hosts);
	strbuf_clear(&path);
	return rc;
}
