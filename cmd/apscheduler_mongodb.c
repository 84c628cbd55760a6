/* SPDX-License-Identifier: MIT */
/*
 * Through libmongoc, loaded when it is asked for; it reads the URL itself. Of a
 * document, three fields of which are known, the bytes are walked here.
 */
#include <endian.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "base/dynlib.h"
#include "cmd/apscheduler_source.h"

#define MONGODB_TIMEOUT 10000 /* ms */
#define MONGODB_AUTHENTICATE 11 /* MONGOC_ERROR_CLIENT_AUTHENTICATE */
#define MONGODB_UNAUTHORIZED 13 /* as the server says it */

/* Kinds of fields. */
#define BSON_TEXT 0x02
#define BSON_BINARY 0x05

/* bson_error_t, of which the library promises the shape. */
struct mongodb_error {
	uint32_t domain, code;
	char message[504];
};

/* From mongoc.h and bson.h; these functions keep their shapes for good. */
struct mongodb_calls {
	void (*init)(void);
	void (*log_set_handler)(void *call, void *context);
	void *(*uri_new)(const char *text, struct mongodb_error *error);
	void (*uri_destroy)(void *uri);
	const char *(*uri_database)(const void *uri);
	bool (*uri_set_int32)(void *uri, const char *option, int32_t value);
	void *(*client_new)(const void *uri);
	void (*client_destroy)(void *client);
	void *(*get_collection)(void *client, const char *database, const char *collection);
	void (*collection_destroy)(void *collection);
	void *(*find)(void *collection, const void *filter, const void *options, const void *prefs);
	bool (*cursor_next)(void *cursor, const void **document);
	bool (*cursor_error)(void *cursor, struct mongodb_error *error);
	void (*cursor_destroy)(void *cursor);
	void *(*bson_new)(void);
	void (*bson_destroy)(void *document);
	const uint8_t *(*bson_data)(const void *document);
};

static int mongodb_load(struct mongodb_calls *calls, struct schedd_error *err)
{
	static const char *const names[] = {"libmongoc-1.0.so.0", "libmongoc-1.0.so", NULL};
	const struct dynlib_symbol symbols[] = {
	    {"mongoc_init", (void **)&calls->init},
	    {"mongoc_log_set_handler", (void **)&calls->log_set_handler},
	    {"mongoc_uri_new_with_error", (void **)&calls->uri_new},
	    {"mongoc_uri_destroy", (void **)&calls->uri_destroy},
	    {"mongoc_uri_get_database", (void **)&calls->uri_database},
	    {"mongoc_uri_set_option_as_int32", (void **)&calls->uri_set_int32},
	    {"mongoc_client_new_from_uri", (void **)&calls->client_new},
	    {"mongoc_client_destroy", (void **)&calls->client_destroy},
	    {"mongoc_client_get_collection", (void **)&calls->get_collection},
	    {"mongoc_collection_destroy", (void **)&calls->collection_destroy},
	    {"mongoc_collection_find_with_opts", (void **)&calls->find},
	    {"mongoc_cursor_next", (void **)&calls->cursor_next},
	    {"mongoc_cursor_error", (void **)&calls->cursor_error},
	    {"mongoc_cursor_destroy", (void **)&calls->cursor_destroy},
	    {"bson_new", (void **)&calls->bson_new},
	    {"bson_destroy", (void **)&calls->bson_destroy},
	    {"bson_get_data", (void **)&calls->bson_data},
	    {NULL, NULL},
	};

	return dynlib_library("MongoDB (libmongoc-1.0-0)", names, symbols, err);
}

/* ---- A document ---- */

static uint32_t mongodb_number(const uint8_t *at)
{
	uint32_t number;

	memcpy(&number, at, sizeof(number));
	return le32toh(number);
}

/* Bytes of a field's value; 0: of a kind that is in no job's document. */
static size_t mongodb_width(uint8_t kind, const uint8_t *at, size_t left)
{
	static const struct {
		uint8_t kind, fixed;
		bool counted; /* and so many more as the number at its beginning says */
	} kinds[] = {
	    {0x01, 8, false},          /* a number with a point */
	    {BSON_TEXT, 4, true},
	    {BSON_BINARY, 5, true},
	    {0x07, 12, false},         /* an id that the server gave */
	    {0x08, 1, false},          /* true or false */
	    {0x09, 8, false},          /* a time */
	    {0x10, 4, false},
	    {0x12, 8, false},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].kind == kind && left >= kinds[i].fixed)
			return kinds[i].fixed + (size_t)(kinds[i].counted ? mongodb_number(at) : 0);
	return 0;
}

/* The id and the pickle of a document; what it has not stays as it is. */
static void mongodb_fields(
    const uint8_t *document, const char **id, const uint8_t **pickle, size_t *length)
{
	const uint8_t *at = document + 4, *end = document + mongodb_number(document);

	while (at < end && *at) {
		uint8_t kind = *at++;
		const char *name = (const char *)at;
		size_t width, bytes = strnlen(name, (size_t)(end - at)) + 1;

		if (bytes > (size_t)(end - at))
			return;
		at += bytes;
		width = kind == 0x0a ? 0 : mongodb_width(kind, at, (size_t)(end - at));
		if (width > (size_t)(end - at) || (width == 0 && kind != 0x0a))
			return;
		if (kind == BSON_TEXT && strcmp(name, "_id") == 0 && width > 4 && !at[width - 1])
			*id = (const char *)at + 4;
		if (kind == BSON_BINARY && strcmp(name, "job_state") == 0) {
			*pickle = at + 5;
			*length = width - 5;
		}
		at += width;
	}
}

/* ---- Reading ---- */

static int mongodb_fail(const struct mongodb_error *error, struct schedd_error *err)
{
	bool refused = error->code == MONGODB_AUTHENTICATE || error->code == MONGODB_UNAUTHORIZED ||
		       strstr(error->message, "uthentication failed");

	return schedd_error_set(
	    err, refused ? SCHEDD_EPERM : SCHEDD_EFAILED, "MongoDB: %.300s", error->message);
}

static int mongodb_rows(const struct mongodb_calls *calls, void *cursor, const char *where,
    apscheduler_source_fn call, void *context, struct schedd_error *err)
{
	struct mongodb_error error;
	const void *document;
	size_t count = 0;

	for (; calls->cursor_next(cursor, &document); count++) {
		const char *id = "a document whose _id is no text";
		const uint8_t *pickle = NULL;
		size_t length = 0;

		mongodb_fields(calls->bson_data(document), &id, &pickle, &length);
		if (call(id, pickle ? pickle : (const uint8_t *)"", length, context))
			return schedd_error_nomem(err);
	}
	if (calls->cursor_error(cursor, &error))
		return mongodb_fail(&error, err);
	if (count == 0)
		return schedd_error_set(err, SCHEDD_ENOTFOUND,
		    "MongoDB: there is nothing in the collection '%s': which database and collection "
		    "has the store? (mongodb://HOST/DATABASE, --table COLLECTION)",
		    where);
	return 0;
}

static int mongodb_collection(const struct mongodb_calls *calls, void *client, const char *database,
    const char *name, apscheduler_source_fn call, void *context, struct schedd_error *err)
{
	void *collection = calls->get_collection(client, database, name);
	void *all = calls->bson_new(), *cursor = calls->find(collection, all, NULL, NULL);
	char where[256];
	int rc;

	snprintf(where, sizeof(where), "%.100s.%.100s", database, name);
	rc = mongodb_rows(calls, cursor, where, call, context, err);
	calls->cursor_destroy(cursor);
	calls->bson_destroy(all);
	calls->collection_destroy(collection);
	return rc;
}

int apscheduler_mongodb_read(const struct apscheduler_source *source,
    const struct apscheduler_url *url, apscheduler_source_fn call, void *context,
    struct schedd_error *err)
{
	static const char *const limits[] = {
	    "serverSelectionTimeoutMS", "connectTimeoutMS", "socketTimeoutMS"};
	struct mongodb_calls calls;
	struct mongodb_error error;
	const char *database;
	void *uri, *client;
	int rc = mongodb_load(&calls, err);

	(void)url;
	if (rc)
		return rc;
	calls.init();
	/* It would write to stderr. */
	calls.log_set_handler(NULL, NULL);
	uri = calls.uri_new(source->place, &error);
	if (!uri)
		return schedd_error_set(err, SCHEDD_EINVAL, "MongoDB: %.300s", error.message);
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		calls.uri_set_int32(uri, limits[i], MONGODB_TIMEOUT);
	database = calls.uri_database(uri);
	client = calls.client_new(uri);
	if (client)
		rc = mongodb_collection(&calls, client, database && *database ? database : "apscheduler",
		    source->table ? source->table : "jobs", call, context, err);
	else
		rc = schedd_error_set(
		    err, SCHEDD_EINVAL, "MongoDB: its client library cannot use that URL");
	if (client)
		calls.client_destroy(client);
	calls.uri_destroy(uri);
	return rc;
}
