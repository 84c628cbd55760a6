/* SPDX-License-Identifier: MIT */
/*
 * libmongoc with limits: each wait on a socket is bounded, and no call is begun
 * after the link's deadline. Errors are told apart by where they come from and by
 * the server's codes.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "store/modules/store_mongodb.h"

#define TALK_WIRE_4_4 9

/* ---- Fields ---- */

int64_t mo_number(const bson_t *row, const char *field, int64_t nothing)
{
	bson_iter_t at;

	return bson_iter_init_find(&at, row, field) && BSON_ITER_HOLDS_NUMBER(&at)
		   ? bson_iter_as_int64(&at)
		   : nothing;
}

const char *mo_text(const bson_t *row, const char *field)
{
	bson_iter_t at;

	return bson_iter_init_find(&at, row, field) && BSON_ITER_HOLDS_UTF8(&at)
		   ? bson_iter_utf8(&at, NULL)
		   : NULL;
}

bool mo_true(const bson_t *row, const char *field)
{
	bson_iter_t at;

	return bson_iter_init_find(&at, row, field) && bson_iter_as_bool(&at);
}

/* ---- Failures ---- */

static const struct {
	uint32_t code;
	enum store_fault fault;
} talk_codes[] = {
    {13, STORE_FAULT_REFUSED},      /* no right to it */
    {18, STORE_FAULT_REFUSED},      /* the password */
    {11, STORE_FAULT_REFUSED},      /* no such user */
    {26, STORE_FAULT_REFUSED},      /* no such collection */
    {59, STORE_FAULT_REFUSED},      /* it does not know the command */
    {8000, STORE_FAULT_REFUSED},    /* as hosted servers say it */
    {10107, STORE_FAULT_READ_ONLY}, /* not the primary */
    {13435, STORE_FAULT_READ_ONLY},
    {14031, STORE_FAULT_READ_ONLY}, /* out of disk space */
    {91, STORE_FAULT_GONE},         /* shutting down */
    {11600, STORE_FAULT_GONE},
    {11602, STORE_FAULT_GONE},
    {189, STORE_FAULT_GONE},        /* the primary has stepped down */
    {64, STORE_FAULT_UNKNOWN},      /* stored, but not as safely as was asked for */
    {100, STORE_FAULT_UNKNOWN},
};

static int talk_gone(struct store_link *link, const char *why, struct schedd_error *err)
{
	bool sent = mo_of(link)->sent;

	return store_link_fail(link, sent ? STORE_FAULT_UNKNOWN : STORE_FAULT_GONE, err, "%s%s", why,
	    sent ? "; whether the last change was stored is not known yet" : "");
}

static int talk_code(
    struct store_link *link, uint32_t code, const char *why, struct schedd_error *err)
{
	mo_of(link)->code = code;
	for (size_t i = 0; i < sizeof(talk_codes) / sizeof(talk_codes[0]); i++)
		if (talk_codes[i].code == code)
			return talk_codes[i].fault == STORE_FAULT_GONE
				   ? talk_gone(link, why, err)
				   : store_link_fail(link, talk_codes[i].fault, err, "%s (error %u)",
					 why, (unsigned)code);
	return schedd_error_set(err, SCHEDD_EFAILED, "store '%s': %s (error %u)",
	    link->config->name, why, (unsigned)code);
}

#define TALK_HUNG_UP                                                                               \
	"the server closed the connection before it answered anything; is it MongoDB that listens "  \
	"there, and with or without TLS (?tls=true)?"

/* Of one server the reason itself; of several the library tells each. */
static const char *talk_why(const struct store_link *link, const bson_error_t *error)
{
	static const struct {
		const char *words, *why;
	} strange[] = {
	    {"Invalid reply from server", "what answers there is no MongoDB server"},
	    {"length header", TALK_HUNG_UP},
	    {"connection closed", TALK_HUNG_UP},
	    {"socket timeout", "the server does not answer; is it MongoDB that listens there?"},
	};
	const char *why = mo_of(link)->why;

	if (link->config->url.host_count > 1)
		return error->message;
	if (why[0])
		return why;
	for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++)
		if (strstr(error->message, strange[i].words))
			return strange[i].why;
	return error->message;
}

static int talk_failed(
    struct store_link *link, const bson_error_t *error, struct schedd_error *err)
{
	bool stands = strstr(error->message, "timeout") || strstr(error->message, "timed out");

	switch (error->domain) {
	case MONGOC_ERROR_SERVER:
	case MONGOC_ERROR_QUERY:
	case MONGOC_ERROR_WRITE_CONCERN:
		return talk_code(link, error->code, error->message, err);
	case MONGOC_ERROR_CLIENT:
		if (error->code == MONGOC_ERROR_CLIENT_AUTHENTICATE)
			return store_link_fail(
			    link, STORE_FAULT_REFUSED, err, "%s", error->message);
		return talk_gone(link, error->message, err);
	case MONGOC_ERROR_SERVER_SELECTION:
		if (mo_of(link)->trust || strstr(error->message, "uthentication failed") ||
		    strstr(error->message, "Invalid reply from server"))
			return store_link_fail(link, STORE_FAULT_REFUSED, err, "%s",
			    talk_why(link, error));
		return talk_gone(link, talk_why(link, error), err);
	default:
		return talk_gone(
		    link, stands ? "the server does not answer" : error->message, err);
	}
}

static int talk_late(struct store_link *link, struct schedd_error *err)
{
	return store_link_left(link) > 0 ? 0
					 : talk_gone(link, "the server does not answer", err);
}

/* ---- Connecting ---- */

static const char *const talk_texts[] = {
    MONGOC_URI_AUTHSOURCE, MONGOC_URI_AUTHMECHANISM, MONGOC_URI_REPLICASET, NULL};

int store_mongodb_check(const struct store_remote_config *config, struct schedd_error *err)
{
	const char *tls = store_url_param(&config->url, "tls");

	if (!config->url.path[0] || strpbrk(config->url.path, "/\\. \"$"))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "url: '%.64s' is no name of a database, write mongodb://HOST/DATABASE",
		    config->url.path);
	if (config->prefix)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "option 'prefix' is not for type 'mongodb': use a database of its own");
	if (config->tls_key)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "option 'tls_key' is not for type 'mongodb': tls_cert is a file with both, "
		    "certificate and key");
	if (tls && strcmp(tls, "true") != 0 && strcmp(tls, "false") != 0)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "url: tls '%.40s' must be true or false", tls);
	return 0;
}

/* The library wants the path of a local socket in percent-encoding. */
static void talk_socket(const char *path, struct strbuf *out)
{
	for (; *path; path++)
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._", *path))
			strbuf_add_char(out, *path);
		else
			strbuf_printf(out, "%%%02X", (unsigned)(unsigned char)*path);
}

static void talk_hosts(const struct store_url *url, struct strbuf *out)
{
	strbuf_add(out, "mongodb://");
	for (uint32_t i = 0; i < url->host_count; i++) {
		const char *name = url->hosts[i].name[0] ? url->hosts[i].name : "localhost";
		unsigned port = url->hosts[i].port ? url->hosts[i].port : 27017;

		if (i)
			strbuf_add_char(out, ',');
		if (name[0] == '/')
			talk_socket(name, out);
		else if (strchr(name, ':'))
			strbuf_printf(out, "[%s]:%u", name, port);
		else
			strbuf_printf(out, "%s:%u", name, port);
	}
	strbuf_add_char(out, '/');
}

static void talk_limits(mongoc_uri_t *uri, const struct store_remote_config *config)
{
	mongoc_uri_set_option_as_int32(
	    uri, MONGOC_URI_CONNECTTIMEOUTMS, (int32_t)(config->connect_timeout / 1000));
	mongoc_uri_set_option_as_int32(
	    uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, (int32_t)(config->connect_timeout / 1000));
	/* A commit asks several times: none of them may take all of its time. */
	mongoc_uri_set_option_as_int32(
	    uri, MONGOC_URI_SOCKETTIMEOUTMS, (int32_t)(config->timeout / 2000));
	mongoc_uri_set_option_as_bool(uri, MONGOC_URI_SERVERSELECTIONTRYONCE, true);
	mongoc_uri_set_option_as_bool(uri, MONGOC_URI_RETRYWRITES, false);
	mongoc_uri_set_option_as_utf8(uri, MONGOC_URI_APPNAME, "schedd");
}

static void talk_tls(mongoc_uri_t *uri, const struct store_remote_config *config)
{
	const char *tls = store_url_param(&config->url, "tls");

	if ((tls && strcmp(tls, "true") == 0) || config->tls_ca || config->tls_cert)
		mongoc_uri_set_option_as_bool(uri, MONGOC_URI_TLS, true);
	if (config->tls_ca)
		mongoc_uri_set_option_as_utf8(uri, MONGOC_URI_TLSCAFILE, config->tls_ca);
	if (config->tls_cert)
		mongoc_uri_set_option_as_utf8(
		    uri, MONGOC_URI_TLSCERTIFICATEKEYFILE, config->tls_cert);
}

static mongoc_uri_t *talk_uri(const struct store_remote_config *config, bson_error_t *error)
{
	const struct store_url *url = &config->url;
	struct strbuf hosts = STRBUF_EMPTY;
	mongoc_uri_t *uri;

	talk_hosts(url, &hosts);
	uri = mongoc_uri_new_with_error(strbuf_peek(&hosts), error);
	strbuf_clear(&hosts);
	if (!uri)
		return NULL;
	mongoc_uri_set_database(uri, url->path);
	if (url->user && url->user[0]) {
		mongoc_uri_set_username(uri, url->user);
		if (url->password)
			mongoc_uri_set_password(uri, url->password);
		if (!store_url_param(url, MONGOC_URI_AUTHSOURCE))
			mongoc_uri_set_auth_source(uri, url->path);
	}
	for (const char *const *name = talk_texts; *name; name++) {
		const char *text = store_url_param(url, *name);

		if (!text)
			continue;
		if (strcmp(*name, MONGOC_URI_AUTHSOURCE) == 0)
			mongoc_uri_set_auth_source(uri, text);
		else if (strcmp(*name, MONGOC_URI_AUTHMECHANISM) == 0)
			mongoc_uri_set_auth_mechanism(uri, text);
		else
			mongoc_uri_set_option_as_utf8(uri, *name, text);
	}
	if (!store_url_param(url, MONGOC_URI_REPLICASET) && url->host_count == 1)
		mongoc_uri_set_option_as_bool(uri, MONGOC_URI_DIRECTCONNECTION, true);
	talk_limits(uri, config);
	talk_tls(uri, config);
	return uri;
}

static void talk_library(void)
{
	mongoc_init();
	/* It writes to stderr, again and again while a server is away. */
	mongoc_log_set_handler(NULL, NULL);
}

int store_mongodb_talk_connect(struct store_link *link, struct schedd_error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct mo_link *mo = mo_of(link);
	bson_error_t error;
	mongoc_uri_t *uri;
	bson_t reply;
	int rc;

	pthread_once(&once, talk_library);
	mo->sent = mo->trust = false;
	mo->why[0] = '\0';
	uri = talk_uri(link->config, &error);
	if (uri) {
		mo->client = mongoc_client_new_from_uri_with_error(uri, &error);
		mongoc_uri_destroy(uri);
	}
	if (!mo->client)
		return store_link_fail(link, STORE_FAULT_REFUSED, err, "%s", error.message);
	mongoc_client_set_error_api(mo->client, MONGOC_ERROR_API_VERSION_2);
	store_mongodb_stream(link);
	/* Known to every server there was, and tells which this is. */
	rc = store_mongodb_talk_command(
	    link, BCON_NEW("isMaster", BCON_INT32(1)), &reply, err);
	if (rc) {
		if (link->fault == STORE_FAULT_NONE)
			link->fault = STORE_FAULT_REFUSED;
		return rc;
	}
	mo->set = mo_text(&reply, "setName") != NULL;
	if (mo_number(&reply, "maxWireVersion", 0) < TALK_WIRE_4_4)
		rc = store_link_fail(link, STORE_FAULT_REFUSED, err,
		    "the server is too old, it must be MongoDB 4.4 or later");
	else if (link->writer && !mo_true(&reply, "ismaster"))
		rc = store_link_fail(link, STORE_FAULT_READ_ONLY, err,
		    "the server is a secondary and takes no writes");
	bson_destroy(&reply);
	return rc;
}

void store_mongodb_talk_close(struct store_link *link)
{
	struct mo_link *mo = mo_of(link);

	if (!mo->client)
		return;
	/* Without a word of farewell, for which it might wait. */
	mongoc_client_reset(mo->client);
	mongoc_client_destroy(mo->client);
	mo->client = NULL;
	mo->sent = false;
}

/* ---- Talking ---- */

int store_mongodb_talk_command(
    struct store_link *link, bson_t *command, bson_t *reply, struct schedd_error *err)
{
	bson_error_t error;
	bson_t own, *answer = reply ? reply : &own; /* which must not be copied */
	bool good;

	mo_of(link)->code = 0;
	if (talk_late(link, err)) {
		bson_destroy(command);
		return SCHEDD_EFAILED;
	}
	good = mongoc_client_command_simple(
	    mo_of(link)->client, link->config->url.path, command, NULL, answer, &error);
	bson_destroy(command);
	if (!good || !reply)
		bson_destroy(answer);
	return good ? 0 : talk_failed(link, &error, err);
}

/* Of single statements: one that found a newer document under its id is no failure. */
static int talk_write_errors(
    struct store_link *link, const bson_t *reply, bool *there, struct schedd_error *err)
{
	bson_iter_t at, list, field;

	if (bson_iter_init_find(&at, reply, "writeConcernError") && BSON_ITER_HOLDS_DOCUMENT(&at))
		return talk_code(link, 64, "the write concern was not met", err);
	if (!bson_iter_init_find(&at, reply, "writeErrors") || !bson_iter_recurse(&at, &list))
		return 0;
	while (bson_iter_next(&list)) {
		const char *message = "a document was refused";
		int64_t code = 0;

		if (bson_iter_recurse(&list, &field) && bson_iter_find(&field, "code"))
			code = bson_iter_as_int64(&field);
		if (code == 11000) {
			if (there && bson_iter_recurse(&list, &field) &&
			    bson_iter_find(&field, "index"))
				there[bson_iter_as_int64(&field)] = true;
			continue;
		}
		if (bson_iter_recurse(&list, &field) && bson_iter_find(&field, "errmsg") &&
		    BSON_ITER_HOLDS_UTF8(&field))
			message = bson_iter_utf8(&field, NULL);
		return talk_code(link, (uint32_t)code, message, err);
	}
	return 0;
}

int store_mongodb_talk_write(struct store_link *link, const char *verb, const char *collection,
    const bson_t *array, struct mo_write how, struct schedd_error *err)
{
	static const struct {
		const char *verb, *list;
	} verbs[] = {{"update", "updates"}, {"insert", "documents"}, {"delete", "deletes"}};
	bson_t *command = bson_new(), concern, reply;
	int rc;

	bson_append_utf8(command, verb, -1, collection, -1);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].verb, verb) == 0)
			bson_append_array(command, verbs[i].list, -1, array);
	bson_append_bool(command, "ordered", -1, false);
	bson_append_document_begin(command, "writeConcern", -1, &concern);
	if (how.sure) {
		bson_append_utf8(&concern, "w", -1, "majority", -1);
		bson_append_bool(&concern, "j", -1, true);
	} else {
		bson_append_int32(&concern, "w", -1, 1);
	}
	bson_append_document_end(command, &concern);
	rc = store_mongodb_talk_command(link, command, &reply, err);
	if (rc)
		return rc;
	if (how.found)
		*how.found = mo_number(&reply, "n", 0);
	rc = talk_write_errors(link, &reply, how.there, err);
	bson_destroy(&reply);
	return rc;
}

int store_mongodb_talk_find(struct store_link *link, const char *collection, bson_t *filter,
    bson_t *options, mo_row_fn call, void *context, struct schedd_error *err)
{
	mongoc_collection_t *from = mongoc_client_get_collection(
	    mo_of(link)->client, link->config->url.path, collection);
	mongoc_cursor_t *cursor =
	    mongoc_collection_find_with_opts(from, filter, options, NULL);
	const bson_t *row;
	bson_error_t error;
	int rc = talk_late(link, err);

	mo_of(link)->code = 0;
	while (rc == 0 && mongoc_cursor_next(cursor, &row)) {
		if (!call(row, context))
			break;
		rc = talk_late(link, err);
	}
	if (rc == 0 && mongoc_cursor_error(cursor, &error))
		rc = talk_failed(link, &error, err);
	mongoc_cursor_destroy(cursor);
	mongoc_collection_destroy(from);
	bson_destroy(filter);
	bson_destroy(options);
	return rc;
}
