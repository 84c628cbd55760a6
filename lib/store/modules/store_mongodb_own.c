/* SPDX-License-Identifier: MIT */
/*
 * Who owns the store. The owner's document is written by a beat: whoever wants
 * it and sees that it has not changed for a lease, by his own clock, takes it
 * under a new epoch. In it lies the latest group of changes, written in the same
 * change of one document that compares the epoch: so a group is there as a whole
 * or not at all, fenced, on a set of replicas and on a server that stands alone.
 * Then it is carried out on the other collections; if its owner dies over that,
 * the next one does it again. Each document carries the stamp of the group it is
 * of, and an older group changes no newer document.
 */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include "store/modules/store_mongodb.h"

#define SCHEMA_VERSION 1

/* ---- The schema ---- */

static bool schema_take(const bson_t *row, void *context)
{
	*(int64_t *)context = mo_number(row, "number", -1);
	return false;
}

static bool schema_any(const bson_t *row, void *context)
{
	(void)row;
	*(bool *)context = true;
	return false;
}

static bson_t *schema_one(void)
{
	return BCON_NEW("limit", BCON_INT64(1));
}

/* Documents without a version are another's, or of a store of which something is gone. */
static int schema_empty(struct store_link *link, struct schedd_error *err)
{
	static const char *const collections[] = {MO_OWNER, MO_JOBS, MO_RUNS, MO_CHANGES};

	for (size_t i = 0; i < sizeof(collections) / sizeof(collections[0]); i++) {
		bool any = false;
		int rc = store_mongodb_talk_find(
		    link, collections[i], bson_new(), schema_one(), schema_any, &any, err);

		if (rc == 0 && any)
			rc = store_link_fail(link, STORE_FAULT_REFUSED, err,
			    "its collections are not all there or another program's (%s); they are left "
			    "as they are, use another database",
			    collections[i]);
		if (rc)
			return rc;
	}
	return 0;
}

static int schema_index(struct store_link *link, const char *collection, const char *field,
    struct schedd_error *err)
{
	return store_mongodb_talk_command(link,
	    BCON_NEW("createIndexes", BCON_UTF8(collection), "indexes", "[", "{", "key", "{", field,
		BCON_INT32(1), "}", "name", BCON_UTF8(field), "}", "]"),
	    NULL, err);
}

static int schema_make(struct store_link *link, struct schedd_error *err)
{
	bson_t *rows;
	int rc = schema_empty(link, err);

	if (rc == 0)
		rc = schema_index(link, MO_JOBS, "key", err);
	if (rc == 0)
		rc = schema_index(link, MO_RUNS, "serial", err);
	if (rc == 0)
		rc = schema_index(link, MO_RUNS, "done_at", err);
	if (rc == 0)
		rc = schema_index(link, MO_RUNS, "job", err);
	if (rc)
		return rc;
	rows = BCON_NEW("0", "{", "_id", BCON_UTF8("schema.version"), "number",
	    BCON_INT64(SCHEMA_VERSION), "}");
	rc = store_mongodb_talk_write(link, "insert", MO_META, rows, (struct mo_write){.sure = true}, err);
	bson_destroy(rows);
	return rc;
}

int store_mongodb_schema(struct store_link *link, struct schedd_error *err)
{
	int64_t version = -1;
	int rc = store_mongodb_talk_find(link, MO_META,
	    BCON_NEW("_id", BCON_UTF8("schema.version")), schema_one(), schema_take, &version, err);

	if (rc == 0 && version > SCHEMA_VERSION)
		rc = store_link_fail(link, STORE_FAULT_REFUSED, err,
		    "it was written by a newer schedd (schema %lld, known is %d); it is left as it is: run that version here",
		    (long long)version, SCHEMA_VERSION);
	if (rc == 0 && version < 1)
		rc = schema_make(link, err);
	if (rc && link->fault == STORE_FAULT_NONE)
		link->fault = STORE_FAULT_REFUSED;
	return rc;
}

/* ---- A group ---- */

/* In one command; each has a time of its own, since what is written down must be carried out. */
#define OWN_PIECE 250

static void own_more_time(struct store_link *link)
{
	const struct schedd_clock *clock = schedd_clock_system();
	int64_t until = clock->mono(clock->context).us + link->config->timeout;

	if (link->deadline < until)
		link->deadline = until;
}

/* The statement for a run that is there already, unless it is newer. */
static void own_run_again(bson_t *array, uint32_t count, const bson_t *run)
{
	bson_t row, query, stamp, update;
	char room[16];
	const char *key;

	bson_uint32_to_string(count, &key, room, sizeof(room));
	bson_append_document_begin(array, key, -1, &row);
	bson_append_document_begin(&row, "q", -1, &query);
	bson_append_int64(&query, "_id", -1, mo_number(run, "_id", 0));
	bson_append_document_begin(&query, "stamp", -1, &stamp);
	bson_append_int64(&stamp, "$lt", -1, mo_number(run, "stamp", 0));
	bson_append_document_end(&query, &stamp);
	bson_append_document_end(&row, &query);
	bson_append_document_begin(&row, "u", -1, &update);
	{
		bson_t set;

		/* Where it stands among the others it stands for good. */
		bson_append_document_begin(&update, "$set", -1, &set);
		bson_copy_to_excluding_noinit(run, &set, "_id", "serial", NULL);
		bson_append_document_end(&update, &set);
	}
	bson_append_document_end(&row, &update);
	bson_append_document_end(array, &row);
}

/* New runs are most of them; those that are not are changed. */
static int own_runs(struct store_link *link, const bson_t *piece, uint32_t count,
    struct schedd_error *err)
{
	bool there[OWN_PIECE] = {false};
	bson_t *again;
	bson_iter_t at;
	uint32_t place = 0, changed = 0;
	int rc = store_mongodb_talk_write(
	    link, "insert", MO_RUNS, piece, (struct mo_write){.there = there}, err);

	if (rc || !bson_iter_init(&at, piece))
		return rc;
	again = bson_new();
	for (; bson_iter_next(&at) && place < count; place++) {
		const uint8_t *bytes;
		uint32_t length;
		bson_t run;

		if (!there[place])
			continue;
		bson_iter_document(&at, &length, &bytes);
		if (bson_init_static(&run, bytes, length))
			own_run_again(again, changed++, &run);
	}
	if (changed)
		rc = store_mongodb_talk_write(
		    link, "update", MO_RUNS, again, (struct mo_write){.sure = false}, err);
	bson_destroy(again);
	return rc;
}

static int own_piece(struct store_link *link, const char *verb, const char *collection,
    bson_t *piece, uint32_t *count, struct schedd_error *err)
{
	int rc = 0;

	own_more_time(link);
	if (*count && strcmp(collection, MO_RUNS) == 0 && strcmp(verb, "insert") == 0)
		rc = own_runs(link, piece, *count, err);
	else if (*count)
		rc = store_mongodb_talk_write(
		    link, verb, collection, piece, (struct mo_write){.sure = false}, err);
	bson_reinit(piece);
	*count = 0;
	return rc;
}

static int own_list(struct store_link *link, const bson_t *group, const char *verb,
    const char *collection, const char *field, struct schedd_error *err)
{
	bson_t *piece;
	bson_iter_t at, list;
	uint32_t count = 0;
	int rc = 0;

	if (!bson_iter_init_find(&at, group, field) || !bson_iter_recurse(&at, &list))
		return 0;
	piece = bson_new();
	while (rc == 0 && bson_iter_next(&list)) {
		char room[16];
		const char *key;

		bson_uint32_to_string(count++, &key, room, sizeof(room));
		bson_append_value(piece, key, -1, bson_iter_value(&list));
		if (count == OWN_PIECE)
			rc = own_piece(link, verb, collection, piece, &count, err);
	}
	if (rc == 0)
		rc = own_piece(link, verb, collection, piece, &count, err);
	bson_destroy(piece);
	return rc;
}

int store_mongodb_carry_out(
    struct store_link *link, const bson_t *group, struct schedd_error *err)
{
	int rc = own_list(link, group, "delete", MO_RUNS, "purges", err);

	if (rc == 0)
		rc = own_list(link, group, "update", MO_JOBS, "jobs", err);
	if (rc == 0)
		rc = own_list(link, group, "insert", MO_RUNS, "runs", err);
	if (rc == 0)
		rc = own_list(link, group, "update", MO_META, "meta", err);
	if (rc == 0)
		rc = own_list(link, group, "insert", MO_CHANGES, "changes", err);
	return rc;
}

/* ---- The owner ---- */

struct own_seen {
	bool there;
	char identity[64], life[64], holder[300];
	int64_t since, epoch, next_key, next_serial;
	uint64_t beat;
};

static bool own_take_seen(const bson_t *row, void *context)
{
	struct own_seen *seen = context;
	const char *identity = mo_text(row, "identity"), *life = mo_text(row, "life"),
		   *holder = mo_text(row, "holder");

	seen->there = true;
	snprintf(seen->identity, sizeof(seen->identity), "%s", identity ? identity : "");
	snprintf(seen->life, sizeof(seen->life), "%s", life ? life : "");
	snprintf(seen->holder, sizeof(seen->holder), "%s", holder ? holder : "somebody");
	seen->since = mo_number(row, "since", 0);
	seen->epoch = mo_number(row, "epoch", 0);
	seen->beat = (uint64_t)mo_number(row, "beat", 0);
	seen->next_key = mo_number(row, "next_key", 1);
	seen->next_serial = mo_number(row, "next_serial", 1);
	return false;
}

static int own_look(struct store_link *link, struct own_seen *seen, struct schedd_error *err)
{
	memset(seen, 0, sizeof(*seen));
	return store_mongodb_talk_find(link, MO_OWNER, BCON_NEW("_id", BCON_UTF8("owner")),
	    BCON_NEW("projection", "{", "group", BCON_INT32(0), "}"), own_take_seen, seen, err);
}

/* Is it our own, or has it stood still for a lease by our clock? */
static int own_may(struct store_link *link, const struct own_seen *seen, struct schedd_error *err)
{
	struct mo_link *mo = mo_of(link);
	const struct schedd_clock *clock = schedd_clock_system();
	int64_t now = clock->mono(clock->context).us;
	time_t since = (time_t)(seen->since / SCHEDD_SECOND);
	char text[32];
	struct tm tm;

	if (!seen->there || strcmp(seen->identity, link->config->identity) == 0)
		return 0;
	if (mo->seen_at == 0 || mo->seen_beat != seen->beat ||
	    strcmp(mo->seen_life, seen->life) != 0) {
		mo->seen_at = now;
		mo->seen_beat = seen->beat;
		snprintf(mo->seen_life, sizeof(mo->seen_life), "%s", seen->life);
	} else if (now - mo->seen_at >= link->config->lease) {
		return 0;
	}
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&since, &tm));
	return store_link_fail(link, STORE_FAULT_HELD, err, "it belongs to %s since %s",
	    seen->holder, text);
}

/* Under a new epoch, unless it is this life's own. Nobody must have changed it meanwhile. */
static int own_take(struct store_link *link, const struct own_seen *seen, struct schedd_error *err)
{
	const struct store_remote_config *config = link->config;
	bool same = seen->there && strcmp(seen->life, config->life) == 0;
	int64_t epoch = seen->epoch + (same ? 0 : 1), found = 0;
	int64_t since = same ? seen->since : link->clock->wall(link->clock->context);
	bson_t *array;
	int rc;

	if (getrandom(&mo_of(link)->session, sizeof(int64_t), 0) < 0)
		mo_of(link)->session = schedd_clock_system()->mono(NULL).us;
	array = BCON_NEW("0", "{", "q", "{", "_id", BCON_UTF8("owner"), "epoch",
	    BCON_INT64(seen->epoch), "beat", BCON_INT64((int64_t)seen->beat), "}", "u", "{", "$set", "{",
	    "identity", BCON_UTF8(config->identity), "life", BCON_UTF8(config->life), "holder",
	    BCON_UTF8(config->holder), "since", BCON_INT64(since), "epoch", BCON_INT64(epoch), "session",
	    BCON_INT64(mo_of(link)->session), "beat", BCON_INT64((int64_t)seen->beat + 1), "}", "}",
	    "}");
	if (!seen->there) {
		bson_destroy(array);
		array = BCON_NEW("0", "{", "_id", BCON_UTF8("owner"), "identity",
		    BCON_UTF8(config->identity), "life", BCON_UTF8(config->life), "holder",
		    BCON_UTF8(config->holder), "since", BCON_INT64(since), "epoch", BCON_INT64(epoch),
		    "session", BCON_INT64(mo_of(link)->session), "beat", BCON_INT64(1), "batch", BCON_INT64(0), "next_key", BCON_INT64(1),
		    "next_serial", BCON_INT64(1), "}");
	}
	rc = store_mongodb_talk_write(
	    link, seen->there ? "update" : "insert", MO_OWNER, array, (struct mo_write){.sure = true, .found = &found}, err);
	bson_destroy(array);
	if (rc == 0 && found != 1)
		rc = store_link_fail(
		    link, STORE_FAULT_HELD, err, "another schedd is just taking it");
	if (rc)
		return rc;
	link->epoch = (uint64_t)epoch;
	mo_of(link)->next_key = seen->next_key ? seen->next_key : 1;
	mo_of(link)->next_serial = seen->next_serial ? seen->next_serial : 1;
	return 0;
}

static bool own_copy_group(const bson_t *row, void *context)
{
	bson_t **group = context;
	bson_subtype_t kind;
	const uint8_t *bytes;
	uint32_t length;
	bson_iter_t at;

	if (bson_iter_init_find(&at, row, "group") && BSON_ITER_HOLDS_BINARY(&at)) {
		bson_iter_binary(&at, &kind, &length, &bytes);
		*group = bson_new_from_data(bytes, length);
	}
	return false;
}

static int own_finish(struct store_link *link, struct schedd_error *err)
{
	bson_t *group = NULL;
	int rc = store_mongodb_talk_find(link, MO_OWNER, BCON_NEW("_id", BCON_UTF8("owner")),
	    bson_new(), own_copy_group, &group, err);

	if (rc == 0 && group)
		rc = store_mongodb_carry_out(link, group, err);
	if (group)
		bson_destroy(group);
	return rc;
}

int store_mongodb_own(struct store_link *link, struct schedd_error *err)
{
	struct own_seen seen;
	int rc = own_look(link, &seen, err);

	if (rc == 0)
		rc = own_may(link, &seen, err);
	if (rc == 0)
		rc = own_take(link, &seen, err);
	if (rc == 0)
		rc = own_finish(link, err);
	if (rc && link->fault == STORE_FAULT_NONE)
		link->fault = STORE_FAULT_GONE;
	snprintf(link->durability, sizeof(link->durability),
	    "MongoDB, survives a crash of the server (write concern majority, journal; %s)",
	    mo_of(link)->set ? "a set of replicas" : "a server that stands alone");
	return rc;
}

int store_mongodb_idle(
    struct store_link *link, struct store_watching *watching, struct schedd_error *err)
{
	int64_t found = 0;
	bson_t *array = BCON_NEW("0", "{", "q", "{", "_id", BCON_UTF8("owner"), "epoch",
	    BCON_INT64((int64_t)link->epoch), "session", BCON_INT64(mo_of(link)->session), "}", "u", "{",
	    "$inc", "{", "beat", BCON_INT64(1), "}", "}", "}");
	int rc = store_mongodb_talk_write(link, "update", MO_OWNER, array, (struct mo_write){.found = &found}, err);

	(void)watching;
	bson_destroy(array);
	/* A connection that cannot do this is of no use. */
	if (rc && link->fault == STORE_FAULT_NONE)
		link->fault = STORE_FAULT_GONE;
	if (rc)
		return rc;
	return found == 1 ? 0
			  : store_link_fail(link, STORE_FAULT_FENCED, err,
				"another schedd has taken it over");
}
