/* SPDX-License-Identifier: MIT */
/*
 * Whose the keys are. The owner's key is kept by a lease, and goes when that
 * ends; its create_revision is in every comparison. So is the mod_revision of
 * the connection's key, which each connection writes anew: what is still under
 * way from the one before then changes nothing any more.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/log.h"
#include "store/modules/store_etcd.h"

#define SCHEMA_VERSION 1
/* How often it is compacted, in leases. */
#define COMPACT_LEASES 4

static int64_t own_mono(void)
{
	const struct schedd_clock *clock = schedd_clock_system();

	return clock->mono(clock->context).us;
}

/* ---- What is there ---- */

struct own {
	struct keys_read version, owner, epoch, batch;
	int64_t owner_created;
	struct arena arena;
};

static int own_look(struct store_link *link, struct own *own, struct schedd_error *err)
{
	struct keys_read *const reads[] = {&own->version, &own->owner, &own->epoch, &own->batch};
	static const char *const names[] = {"version", "owner", "epoch", "batch"};
	struct strbuf body = STRBUF_EMPTY;
	struct value answer;
	int rc;

	strbuf_add(&body, "{\"success\":[");
	for (size_t i = 0; i < 4; i++) {
		strbuf_add(&body, i ? ",{\"request_range\":{\"key\":" : "{\"request_range\":{\"key\":");
		store_etcd_name(&body, link, names[i]);
		strbuf_add(&body, "}}");
	}
	strbuf_add(&body, "]}");
	rc = store_etcd_talk(link, "/v3/kv/txn", &body, false, &own->arena, &answer, err);
	for (uint32_t i = 0; rc == 0 && i < 4; i++)
		rc = store_etcd_pair(store_etcd_response(&answer, i), reads[i], &own->arena, err);
	if (rc == 0)
		own->owner_created = store_etcd_created(store_etcd_response(&answer, 1));
	strbuf_clear(&body);
	return rc;
}

static int own_count(struct store_link *link, int64_t *count, struct schedd_error *err)
{
	struct strbuf body = STRBUF_EMPTY, end = STRBUF_EMPTY;
	struct value answer;
	struct arena arena;
	int rc;

	strbuf_add(&body, "{\"key\":");
	store_etcd_name(&body, link, "");
	strbuf_printf(&end, "%s", store_etcd_prefix(link));
	if (end.length && end.data[end.length - 1] != '/')
		strbuf_add(&end, "/");
	if (end.length)
		end.data[end.length - 1]++;
	strbuf_add(&body, ",\"range_end\":");
	store_etcd_text(&body, strbuf_peek(&end), end.length);
	strbuf_add(&body, ",\"count_only\":true}");
	arena_init(&arena);
	rc = store_etcd_talk(link, "/v3/kv/range", &body, false, &arena, &answer, err);
	*count = rc == 0 ? store_etcd_number(&answer, "count") : 0;
	arena_clear(&arena);
	strbuf_clear(&body);
	strbuf_clear(&end);
	return rc;
}

static int own_schema(struct store_link *link, const struct own *own, struct schedd_error *err)
{
	int64_t count = 0;
	long version;
	int rc;

	if (!own->version.text) {
		rc = own_count(link, &count, err);
		if (rc || count == 0)
			return rc;
		return store_link_fail(link, STORE_FAULT_REFUSED, err,
		    "its keys under %s are not all there, or another program's; they are left as they "
		    "are, use another prefix",
		    store_etcd_prefix(link));
	}
	version = strtol(own->version.text, NULL, 10);
	if (version < 1)
		return store_link_fail(link, STORE_FAULT_REFUSED, err,
		    "the keys under %s are another program's; they are left as they are, use another "
		    "prefix",
		    store_etcd_prefix(link));
	if (version > SCHEMA_VERSION)
		return store_link_fail(link, STORE_FAULT_REFUSED, err,
		    "it was written by a newer schedd (schema %ld, known is %d); it is left as it is: run that version here",
		    version, SCHEMA_VERSION);
	return 0;
}

/* ---- Changes of the owner ---- */

/* A transaction that is done, or not; its outcome is looked at, so none is in doubt. */
static int own_change(
    struct store_link *link, struct strbuf *body, bool *done, struct schedd_error *err)
{
	struct value answer;
	struct arena arena;
	int rc;

	arena_init(&arena);
	rc = store_etcd_talk(link, "/v3/kv/txn", body, false, &arena, &answer, err);
	*done = rc == 0 && value_get_bool(&answer, "succeeded", false);
	arena_clear(&arena);
	strbuf_clear(body);
	return rc;
}

static int own_grant(struct store_link *link, struct schedd_error *err)
{
	struct etcd_link *etcd = etcd_of(link);
	struct strbuf body = STRBUF_EMPTY;
	struct value answer;
	struct arena arena;
	int rc;

	strbuf_printf(&body, "{\"TTL\":\"%" PRId64 "\"}",
	    (link->config->lease + SCHEDD_SECOND - 1) / SCHEDD_SECOND);
	arena_init(&arena);
	etcd->kept_at = own_mono();
	rc = store_etcd_talk(link, "/v3/lease/grant", &body, false, &arena, &answer, err);
	if (rc == 0)
		etcd->lease = store_etcd_number(&answer, "ID");
	arena_clear(&arena);
	strbuf_clear(&body);
	return rc;
}

static void own_put(struct strbuf *body, const struct store_link *link, const char *name,
    const char *text, int64_t lease)
{
	strbuf_add(body, "{\"request_put\":{\"key\":");
	store_etcd_name(body, link, name);
	strbuf_add(body, ",\"value\":");
	store_etcd_text(body, text, strlen(text));
	if (lease)
		strbuf_printf(body, ",\"lease\":\"%" PRId64 "\"", lease);
	strbuf_add(body, "}}");
}

/* Nobody has it. */
static int own_take(
    struct store_link *link, const struct own *own, bool *done, struct schedd_error *err)
{
	struct etcd_link *etcd = etcd_of(link);
	uint64_t epoch = own->epoch.text ? strtoull(own->epoch.text, NULL, 10) + 1 : 1;
	struct strbuf body = STRBUF_EMPTY, text = STRBUF_EMPTY;
	char number[32];
	int rc = own_grant(link, err);

	if (rc)
		return rc;
	strbuf_add(&body, "{\"compare\":[{\"result\":\"EQUAL\",\"target\":\"CREATE\",\"key\":");
	store_etcd_name(&body, link, "owner");
	strbuf_add(&body, ",\"create_revision\":\"0\"}],\"success\":[");
	store_keys_owner_write(&text, link);
	own_put(&body, link, "owner", strbuf_peek(&text), etcd->lease);
	strbuf_add(&body, ",");
	snprintf(number, sizeof(number), "%" PRIu64, epoch);
	own_put(&body, link, "epoch", number, 0);
	strbuf_add(&body, ",");
	own_put(&body, link, "session", link->config->life, 0);
	if (!own->version.text) {
		strbuf_add(&body, ",");
		snprintf(number, sizeof(number), "%d", SCHEMA_VERSION);
		own_put(&body, link, "version", number, 0);
	}
	strbuf_add(&body, "]}");
	strbuf_clear(&text);
	rc = own_change(link, &body, done, err);
	if (*done) {
		etcd->owner = etcd->session = etcd->revision;
		link->epoch = epoch;
	}
	return rc;
}

/* Our own of before: the state directory's lock has proved that it is dead. */
static int own_oust(struct store_link *link, const struct own *own, struct schedd_error *err)
{
	struct strbuf body = STRBUF_EMPTY;
	bool done;

	strbuf_add(&body, "{\"compare\":[{\"result\":\"EQUAL\",\"target\":\"MOD\",\"key\":");
	store_etcd_name(&body, link, "owner");
	strbuf_printf(&body,
	    ",\"mod_revision\":\"%" PRId64 "\"}],\"success\":[{\"request_delete_range\":{\"key\":",
	    own->owner.version);
	store_etcd_name(&body, link, "owner");
	strbuf_add(&body, "}}]}");
	return own_change(link, &body, &done, err);
}

static int keep_alive(struct store_link *link, struct schedd_error *err)
{
	struct etcd_link *etcd = etcd_of(link);
	struct strbuf body = STRBUF_EMPTY;
	struct value answer;
	const struct value *result;
	struct arena arena;
	int64_t now = own_mono();
	int rc;

	strbuf_printf(&body, "{\"ID\":\"%" PRId64 "\"}", etcd->lease);
	arena_init(&arena);
	rc = store_etcd_talk(link, "/v3/lease/keepalive", &body, false, &arena, &answer, err);
	result = rc == 0 ? value_get(&answer, "result") : NULL;
	if (rc == 0 && (!result || store_etcd_number(result, "TTL") <= 0))
		rc = store_link_fail(link, STORE_FAULT_FENCED, err,
		    "its lease has ended, as it was not reached for so long");
	if (rc == 0)
		etcd->kept_at = now;
	arena_clear(&arena);
	strbuf_clear(&body);
	return rc;
}

/* The owner is this very life: another connection of it. */
static int own_again(struct store_link *link, bool *done, struct schedd_error *err)
{
	struct etcd_link *etcd = etcd_of(link);
	struct strbuf body = STRBUF_EMPTY;
	int rc;

	rc = keep_alive(link, err);
	if (rc) {
		/* The lease has ended: it is taken anew, under another epoch. */
		if (link->fault == STORE_FAULT_FENCED) {
			link->fault = STORE_FAULT_NONE;
			etcd->owner = 0;
			return 0;
		}
		return rc;
	}
	strbuf_add(&body, "{\"compare\":[{\"result\":\"EQUAL\",\"target\":\"CREATE\",\"key\":");
	store_etcd_name(&body, link, "owner");
	strbuf_printf(&body, ",\"create_revision\":\"%" PRId64 "\"}],\"success\":[", etcd->owner);
	own_put(&body, link, "session", link->config->life, 0);
	strbuf_add(&body, "]}");
	rc = own_change(link, &body, done, err);
	if (*done)
		etcd->session = etcd->revision;
	return rc;
}

static int own_try(struct store_link *link, bool *done, struct schedd_error *err)
{
	struct etcd_link *etcd = etcd_of(link);
	struct own own = {.owner_created = 0};
	struct value owner;
	const char *identity, *life;
	int rc;

	arena_init(&own.arena);
	rc = own_look(link, &own, err);
	if (rc == 0)
		rc = own_schema(link, &own, err);
	if (rc == 0 && !own.owner.text) {
		etcd->owner = 0;
		rc = own_take(link, &own, done, err);
	} else if (rc == 0) {
		bool good = json_parse(own.owner.text, own.owner.length, &own.arena, &owner, NULL) == 0 &&
			    owner.type == VALUE_MAP;

		identity = good ? value_get_string(&owner, "identity") : NULL;
		life = good ? value_get_string(&owner, "life") : NULL;
		if (!identity || !life)
			rc = store_link_fail(link, STORE_FAULT_REFUSED, err,
			    "the key of its owner is another program's");
		else if (strcmp(identity, link->config->identity) != 0)
			rc = store_keys_owner_held(link, &owner, err);
		else if (strcmp(life, link->config->life) == 0 && etcd->owner == own.owner_created)
			rc = own_again(link, done, err);
		else
			rc = own_oust(link, &own, err);
	}
	arena_clear(&own.arena);
	return rc;
}

int store_etcd_own(struct store_link *link, struct schedd_error *err)
{
	bool done = false;
	int rc = 0;

	while (rc == 0 && !done)
		rc = own_try(link, &done, err);
	return rc;
}

/* ---- Keeping it ---- */

/* Is the key still ours? Somebody may have deleted it. */
static int keep_owner(struct store_link *link, struct schedd_error *err)
{
	struct own own = {.owner_created = 0};
	int rc;

	arena_init(&own.arena);
	rc = own_look(link, &own, err);
	arena_clear(&own.arena);
	if (rc == 0 && own.owner_created != etcd_of(link)->owner)
		rc = store_link_fail(
		    link, STORE_FAULT_FENCED, err, "another schedd has taken it over");
	return rc;
}

static int keep_space(struct store_link *link, struct schedd_error *err)
{
	struct strbuf body = STRBUF_EMPTY;
	const struct value *alarms;
	struct value answer;
	struct arena arena;
	int rc;

	strbuf_add(&body, "{\"action\":\"GET\"}");
	arena_init(&arena);
	rc = store_etcd_talk(link, "/v3/maintenance/alarm", &body, false, &arena, &answer, err);
	alarms = rc == 0 ? value_get(&answer, "alarms") : NULL;
	for (uint32_t i = 0; rc == 0 && alarms && alarms->type == VALUE_ARRAY &&
			     i < alarms->array.count;
	     i++)
		if (value_is_text(value_get(&alarms->array.items[i], "alarm"), "NOSPACE"))
			rc = store_link_fail(link, STORE_FAULT_READ_ONLY, err,
			    "the server's quota is used up (alarm NOSPACE): compact and defragment "
			    "it, then etcdctl alarm disarm");
	arena_clear(&arena);
	strbuf_clear(&body);
	/* One who may not look at alarms meets them when he writes. */
	if (rc && link->fault == STORE_FAULT_REFUSED) {
		link->fault = STORE_FAULT_NONE;
		rc = 0;
	}
	return rc;
}

/* What was then is not looked at any more: neither by us nor, as is said, by others. */
static void keep_compact(struct store_link *link)
{
	struct etcd_link *etcd = etcd_of(link);
	struct strbuf body = STRBUF_EMPTY;
	struct schedd_error err;
	struct value answer;
	struct arena arena;
	int64_t now = own_mono();

	if (!link->config->compact || now < etcd->compact_at)
		return;
	if (etcd->compact_revision > 0 && etcd->compact_revision < etcd->revision) {
		strbuf_printf(&body, "{\"revision\":\"%" PRId64 "\"}", etcd->compact_revision);
		arena_init(&arena);
		if (store_etcd_talk(
			link, "/v3/kv/compaction", &body, false, &arena, &answer, &err)) {
			/* Another may have compacted more. */
			log_debug(link->log, "%s", err.message);
			link->fault = STORE_FAULT_NONE;
		}
		arena_clear(&arena);
		strbuf_clear(&body);
	}
	etcd->compact_revision = etcd->revision;
	etcd->compact_at = now + COMPACT_LEASES * link->config->lease;
}

/* Where there is always something to write nothing is ever idle: then it is done now and then. */
int store_etcd_keep(struct store_link *link, bool idle, struct schedd_error *err)
{
	struct etcd_link *etcd = etcd_of(link);
	schedd_span lease = link->config->lease;
	int64_t now = own_mono();
	int rc = now - etcd->kept_at < lease / 3 ? 0 : keep_alive(link, err);

	if (rc || now - etcd->looked_at < (idle ? lease / 3 : lease))
		return rc;
	etcd->looked_at = now;
	rc = keep_owner(link, err);
	if (rc == 0)
		rc = keep_space(link, err);
	if (rc == 0)
		keep_compact(link);
	return rc;
}

/* ---- What it promises ---- */

/* A line "NAME NUMBER" of the server's metrics; fallback: it is not there. */
static double promise_metric(const char *text, const char *name, double fallback)
{
	size_t length = strlen(name);

	for (const char *at = text; (at = strstr(at, name)); at += length)
		if ((at == text || at[-1] == '\n') && at[length] == ' ')
			return strtod(at + length + 1, NULL);
	return fallback;
}

int store_etcd_promise(struct store_link *link, struct schedd_error *err)
{
	const struct etcd_link *etcd = etcd_of(link);
	struct strbuf body = STRBUF_EMPTY;
	double quota = 0, compacted = 0;
	struct schedd_error own;
	struct value answer;
	struct arena arena;
	int64_t size = 0;
	int rc = keep_space(link, err);

	if (rc)
		return rc;
	arena_init(&arena);
	strbuf_add(&body, "{}");
	if (store_etcd_talk(link, "/v3/maintenance/status", &body, false, &arena, &answer, &own) == 0)
		size = store_etcd_number(&answer, "dbSize");
	arena_clear(&arena);
	strbuf_clear(&body);
	if (store_etcd_talk_get(link, "/metrics", &own) == 0) {
		const char *text = strbuf_peek(&etcd->reply);

		quota = promise_metric(text, "etcd_server_quota_backend_bytes", 0);
		compacted = promise_metric(text, "etcd_debugging_mvcc_compact_revision", 0);
	}
	/* Metrics may be shut off. */
	link->fault = STORE_FAULT_NONE;
	snprintf(link->durability, sizeof(link->durability),
	    "etcd %s, survives a crash of the server (fsync before each answer); %lld MB used", etcd->version,
	    (long long)(size / 1000000));
	if (quota > 0)
		snprintf(link->durability + strlen(link->durability),
		    sizeof(link->durability) - strlen(link->durability), " of %lld",
		    (long long)(quota / 1000000));
	if (link->config->compact)
		strcat(link->durability, ", compacted by schedd");
	else if (compacted < 0)
		strcat(link->durability,
		    ", and nobody compacts it: it fills up, unless 'compact: true' lets schedd");
	return 0;
}
