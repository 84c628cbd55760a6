/* SPDX-License-Identifier: MIT */
/* What is too old goes, oldest first, and how much there is. */
#include <stdlib.h>
#include <string.h>
#include "store/modules/store_mongodb.h"

struct retain {
	struct store_link *link;
	const struct store_rules *rules;
	uint32_t budget;
	uint32_t *deleted;
	bson_t *list; /* of documents to delete */
	uint32_t count;
	const char *field; /* that names them */
};

/* ---- Deleting what was found ---- */

static bool retain_note(const bson_t *row, void *context)
{
	struct retain *retain = context;
	char room[16];
	const char *key;

	bson_uint32_to_string(retain->count++, &key, room, sizeof(room));
	bson_append_int64(retain->list, key, -1, mo_number(row, "_id", 0));
	return true;
}

/* In one command, so that none takes long. */
#define RETAIN_PIECE 500

static int retain_piece(struct retain *retain, bson_t *filter, bson_t *options, uint32_t most,
    struct schedd_error *err)
{
	bson_t *array;
	int64_t found = 0;
	int rc;

	retain->list = bson_new();
	retain->count = 0;
	bson_append_int64(options, "limit", -1, most);
	BCON_APPEND(options, "projection", "{", "_id", BCON_INT32(1), "}");
	rc = store_mongodb_talk_find(
	    retain->link, MO_RUNS, filter, options, retain_note, retain, err);
	if (rc == 0 && retain->count) {
		array = BCON_NEW("0", "{", "q", "{", "_id", "{", "$in", BCON_ARRAY(retain->list), "}",
		    "}", "limit", BCON_INT32(0), "}");
		rc = store_mongodb_talk_write(
		    retain->link, "delete", MO_RUNS, array, (struct mo_write){.found = &found}, err);
		bson_destroy(array);
		*retain->deleted += (uint32_t)found;
	}
	bson_destroy(retain->list);
	retain->count = found ? retain->count : 0;
	return rc;
}

/* Consumes filter and options. The oldest come first; each command has a time of its own. */
static int retain_delete(struct retain *retain, bson_t *filter, bson_t *options,
    struct schedd_error *err)
{
	const struct schedd_clock *clock = schedd_clock_system();
	uint32_t most;
	int rc = 0;

	do {
		most = retain->budget - *retain->deleted;
		if (most > RETAIN_PIECE)
			most = RETAIN_PIECE;
		if (most == 0)
			break;
		retain->link->deadline =
		    clock->mono(clock->context).us + retain->link->config->timeout;
		rc = retain_piece(retain, bson_copy(filter), bson_copy(options), most, err);
	} while (rc == 0 && retain->count == most);
	bson_destroy(filter);
	bson_destroy(options);
	return rc;
}

/* ---- Whose ---- */

struct retain_keys {
	bson_t *list;
	uint32_t count;
};

static bool retain_take_key(const bson_t *row, void *context)
{
	struct retain_keys *keys = context;
	char room[16];
	const char *name;

	bson_uint32_to_string(keys->count++, &name, room, sizeof(room));
	bson_append_int64(keys->list, name, -1, mo_number(row, "key", 0));
	return true;
}

/* The numbers of jobs with rules of their own. */
static int retain_except(struct retain *retain, bson_t *list, struct schedd_error *err)
{
	const struct store_rules *rules = retain->rules;
	bson_t *filter, in, ids;
	struct retain_keys keys = {list, 0};

	if (rules->except_count == 0)
		return 0;
	filter = bson_new();
	bson_append_document_begin(filter, "_id", -1, &in);
	bson_append_array_begin(&in, "$in", -1, &ids);
	for (size_t i = 0; i < rules->except_count; i++) {
		char room[16];
		const char *name;

		bson_uint32_to_string((uint32_t)i, &name, room, sizeof(room));
		bson_append_utf8(&ids, name, -1, rules->retention.except[i], -1);
	}
	bson_append_array_end(&in, &ids);
	bson_append_document_end(filter, &in);
	return store_mongodb_talk_find(retain->link, MO_JOBS, filter,
	    BCON_NEW("projection", "{", "key", BCON_INT32(1), "}"), retain_take_key, &keys, err);
}

static void retain_whose(bson_t *filter, int64_t key, const bson_t *except)
{
	if (key >= 0)
		bson_append_int64(filter, "job", -1, key);
	else if (except && !bson_empty(except))
		BCON_APPEND(filter, "job", "{", "$nin", BCON_ARRAY(except), "}");
}

/* ---- The rules ---- */

static bool retain_take_serial(const bson_t *row, void *context)
{
	*(int64_t *)context = mo_number(row, "serial", mo_number(row, "_id", -1));
	return false;
}

static int retain_total(struct retain *retain, int64_t key, struct schedd_error *err)
{
	int64_t serial = -1;
	bson_t *filter;
	int rc = store_mongodb_talk_find(retain->link, MO_RUNS, bson_new(),
	    BCON_NEW("sort", "{", "serial", BCON_INT32(-1), "}", "skip",
		BCON_INT64(retain->rules->retention.max_runs), "limit", BCON_INT64(1), "projection", "{",
		"serial", BCON_INT32(1), "}"),
	    retain_take_serial, &serial, err);

	if (rc || serial < 0)
		return rc;
	filter = BCON_NEW("serial", "{", "$lte", BCON_INT64(serial), "}", "done_at", "{", "$ne",
	    BCON_NULL, "}");
	retain_whose(filter, key, NULL);
	return retain_delete(
	    retain, filter, BCON_NEW("sort", "{", "serial", BCON_INT32(1), "}"), err);
}

static int retain_age(struct retain *retain, int64_t key, const bson_t *except, schedd_time now,
    struct schedd_error *err)
{
	bson_t *filter = BCON_NEW("done_at", "{", "$lt",
	    BCON_INT64(now - retain->rules->retention.keep_for), "$ne", BCON_NULL, "}");

	retain_whose(filter, key, except);
	return retain_delete(
	    retain, filter, BCON_NEW("sort", "{", "serial", BCON_INT32(1), "}"), err);
}

/* Of one job all but the newest. */
static int retain_of(struct retain *retain, int64_t key, struct schedd_error *err)
{
	int64_t id = -1;
	int rc = store_mongodb_talk_find(retain->link, MO_RUNS, BCON_NEW("job", BCON_INT64(key)),
	    BCON_NEW("sort", "{", "_id", BCON_INT32(-1), "}", "skip",
		BCON_INT64(retain->rules->retention.keep_runs), "limit", BCON_INT64(1), "projection",
		"{", "_id", BCON_INT32(1), "}"),
	    retain_take_serial, &id, err);

	if (rc || id < 0)
		return rc;
	return retain_delete(retain,
	    BCON_NEW("job", BCON_INT64(key), "_id", "{", "$lte", BCON_INT64(id), "}", "done_at", "{",
		"$ne", BCON_NULL, "}"),
	    BCON_NEW("sort", "{", "_id", BCON_INT32(1), "}"), err);
}

/* The jobs that have more than may be kept, as the server counts them. */
static int retain_runs(struct retain *retain, const bson_t *except, struct schedd_error *err)
{
	bson_t *match = bson_new(), reply;
	bson_iter_t at, list, field;
	int rc;

	retain_whose(match, -1, except);
	rc = store_mongodb_talk_command(retain->link,
	    BCON_NEW("aggregate", BCON_UTF8(MO_RUNS), "pipeline", "[", "{", "$match",
		BCON_DOCUMENT(match), "}", "{", "$group", "{", "_id", BCON_UTF8("$job"), "n", "{", "$sum",
		BCON_INT32(1), "}", "}", "}", "{", "$match", "{", "n", "{", "$gt",
		BCON_INT64(retain->rules->retention.keep_runs), "}", "}", "}", "]", "cursor", "{",
		"batchSize", BCON_INT32(1000), "}"),
	    &reply, err);
	bson_destroy(match);
	if (rc)
		return rc;
	/* A first batch is enough: what is left is for the next time. */
	if (bson_iter_init(&at, &reply) &&
	    bson_iter_find_descendant(&at, "cursor.firstBatch", &list) &&
	    bson_iter_recurse(&list, &at))
		while (rc == 0 && bson_iter_next(&at) && *retain->deleted < retain->budget)
			if (bson_iter_recurse(&at, &field) && bson_iter_find(&field, "_id"))
				rc = retain_of(retain, bson_iter_as_int64(&field), err);
	bson_destroy(&reply);
	return rc;
}

static int retain_changes(struct retain *retain, schedd_time now, struct schedd_error *err)
{
	const struct store_retention *retention = &retain->rules->retention;
	int64_t last = -1;
	bson_t *array;
	int rc = 0;

	if (retention->keep_for != SCHEDD_SPAN_NONE) {
		array = BCON_NEW("0", "{", "q", "{", "at", "{", "$lt",
		    BCON_INT64(now - retention->keep_for), "}", "}", "limit", BCON_INT32(0), "}");
		rc = store_mongodb_talk_write(
		    retain->link, "delete", MO_CHANGES, array, (struct mo_write){.sure = false}, err);
		bson_destroy(array);
	}
	if (rc == 0 && retention->max_changes > 0)
		rc = store_mongodb_talk_find(retain->link, MO_CHANGES, bson_new(),
		    BCON_NEW("sort", "{", "_id", BCON_INT32(-1), "}", "skip",
			BCON_INT64(retention->max_changes), "limit", BCON_INT64(1)),
		    retain_take_serial, &last, err);
	if (rc || last < 0)
		return rc;
	array = BCON_NEW("0", "{", "q", "{", "_id", "{", "$lte", BCON_INT64(last), "}", "}", "limit",
	    BCON_INT32(0), "}");
	rc = store_mongodb_talk_write(retain->link, "delete", MO_CHANGES, array, (struct mo_write){.sure = false}, err);
	bson_destroy(array);
	return rc;
}

int store_mongodb_retain(struct store_link *link, const struct store_rules *rules,
    uint32_t budget, schedd_time now, uint32_t *deleted, struct schedd_error *err)
{
	struct retain retain = {.link = link, .rules = rules, .budget = budget, .deleted = deleted};
	const struct store_retention *retention = &rules->retention;
	bson_t *except = bson_new();
	int64_t key = -1;
	int rc = 0;

	*deleted = 0;
	if (rules->job)
		rc = store_mongodb_key(link, rules->job, &key, err);
	else
		rc = retain_except(&retain, except, err);
	if (rc || (rules->job && key < 0)) {
		bson_destroy(except);
		return rc;
	}
	if (retention->max_runs >= 0)
		rc = retain_total(&retain, key, err);
	if (rc == 0 && retention->keep_for != SCHEDD_SPAN_NONE)
		rc = retain_age(&retain, key, except, now, err);
	if (rc == 0 && retention->keep_runs >= 0)
		rc = key >= 0 ? retain_of(&retain, key, err) : retain_runs(&retain, except, err);
	if (rc == 0 && !rules->job)
		rc = retain_changes(&retain, now, err);
	bson_destroy(except);
	return rc;
}

/* ---- How much ---- */

int store_mongodb_sizes(
    struct store_link *link, int64_t *runs, int64_t *bytes, struct schedd_error *err)
{
	bson_t reply;
	int rc = store_mongodb_talk_command(
	    link, BCON_NEW("count", BCON_UTF8(MO_RUNS)), &reply, err);

	if (rc)
		return rc;
	*runs = mo_number(&reply, "n", -1);
	bson_destroy(&reply);
	rc = store_mongodb_talk_command(link, BCON_NEW("dbStats", BCON_INT32(1)), &reply, err);
	if (rc)
		return rc;
	*bytes = mo_number(&reply, "storageSize", -1);
	bson_destroy(&reply);
	return 0;
}
