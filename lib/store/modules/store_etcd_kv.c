/* SPDX-License-Identifier: MIT */
/*
 * Keys of etcd over its gateway: names and texts in base64, numbers of 64 bits
 * as texts, members that are zero left out. A version is the mod_revision, 0
 * for a key that is not there.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/base64.h"
#include "store/modules/store_etcd.h"

/* Limits of a server that nobody has set otherwise. */
#define ETCD_OPS 128
#define ETCD_BYTES (1536u * 1024)
/* Keys in one answer: less make it quadratic, more keep the server busy for long. */
#define ETCD_PAGE 5000

const char *store_etcd_prefix(const struct store_link *link)
{
	return link->config->prefix ? link->config->prefix : "/schedd/";
}

void store_etcd_text(struct strbuf *out, const char *text, size_t length)
{
	strbuf_add_char(out, '"');
	base64_write(out, text, length);
	strbuf_add_char(out, '"');
}

/* Behind the prefix, with a slash between them where it ends with none. */
void store_etcd_name(struct strbuf *out, const struct store_link *link, const char *name)
{
	const char *prefix = store_etcd_prefix(link);
	size_t length = strlen(prefix);
	struct strbuf whole = STRBUF_EMPTY;

	strbuf_printf(
	    &whole, "%s%s%s", prefix, length && prefix[length - 1] == '/' ? "" : "/", name);
	store_etcd_text(out, strbuf_peek(&whole), whole.length);
	if (strbuf_failed(&whole))
		out->failed = true;
	strbuf_clear(&whole);
}

static size_t kv_prefix_length(const struct store_link *link)
{
	const char *prefix = store_etcd_prefix(link);
	size_t length = strlen(prefix);

	return length + (length == 0 || prefix[length - 1] != '/');
}

/* ---- Reading ---- */

static char *kv_decode(const struct value *value, struct arena *arena, size_t *length)
{
	char *bytes;

	*length = 0;
	if (!value || value->type != VALUE_STRING)
		return arena_strdup(arena, "");
	bytes = arena_alloc(arena, value->string.length + 1);
	if (!bytes || !base64_read(value->string.text, value->string.length, bytes, length))
		return NULL;
	bytes[*length] = '\0';
	return bytes;
}

static const struct value *kv_first(const struct value *range)
{
	const struct value *pairs = range ? value_get(range, "kvs") : NULL;

	return pairs && pairs->type == VALUE_ARRAY && pairs->array.count ? &pairs->array.items[0]
									 : NULL;
}

int64_t store_etcd_created(const struct value *range)
{
	const struct value *pair = kv_first(range);

	return pair ? store_etcd_number(pair, "create_revision") : 0;
}

int store_etcd_pair(const struct value *range, struct keys_read *read, struct arena *arena,
    struct schedd_error *err)
{
	const struct value *pair = kv_first(range);

	read->text = NULL;
	read->length = 0;
	read->version = KEYS_ABSENT;
	if (!pair)
		return 0;
	read->version = store_etcd_number(pair, "mod_revision");
	read->text = kv_decode(value_get(pair, "value"), arena, &read->length);
	return read->text ? 0 : schedd_error_nomem(err);
}

const struct value *store_etcd_response(const struct value *answer, uint32_t at)
{
	const struct value *list = value_get(answer, "responses");

	if (!list || list->type != VALUE_ARRAY || at >= list->array.count)
		return NULL;
	return value_get(&list->array.items[at], "response_range");
}

/* So many of the names as go into one request. */
static int kv_get_some(struct store_link *link, struct keys_read *first, uint32_t count,
    struct arena *arena, struct schedd_error *err)
{
	struct strbuf body = STRBUF_EMPTY;
	struct value answer;
	struct keys_read *read = first;
	struct arena parsed;
	int rc;

	strbuf_add(&body, "{\"success\":[");
	for (uint32_t i = 0; i < count; i++, read = read->next) {
		strbuf_add(&body, i ? ",{\"request_range\":{\"key\":" : "{\"request_range\":{\"key\":");
		store_etcd_name(&body, link, read->name);
		strbuf_add(&body, "}}");
	}
	strbuf_add(&body, "]}");
	arena_init(&parsed);
	rc = store_etcd_talk(link, "/v3/kv/txn", &body, false, &parsed, &answer, err);
	read = first;
	for (uint32_t i = 0; rc == 0 && i < count; i++, read = read->next)
		rc = store_etcd_pair(store_etcd_response(&answer, i), read, arena, err);
	arena_clear(&parsed);
	strbuf_clear(&body);
	return rc;
}

static int etcd_get(struct store_link *link, struct keys_read *first, struct arena *arena,
    struct schedd_error *err)
{
	int rc = 0;

	while (first && rc == 0) {
		struct keys_read *next = first;
		uint32_t count = 0;

		for (; next && count < ETCD_OPS; next = next->next)
			count++;
		rc = kv_get_some(link, first, count, arena, err);
		first = next;
	}
	return rc;
}

/* A page of a folder, shown. *last is the last name, as the server has it; *more: there is more. */
static int kv_page(struct store_link *link, const struct value *answer, keys_seen_fn seen,
    void *context, struct strbuf *last, bool *more, struct schedd_error *err)
{
	const struct value *pairs = value_get(answer, "kvs");
	size_t skip = kv_prefix_length(link);
	struct arena arena;
	int rc = 0;

	*more = value_get_bool(answer, "more", false);
	arena_init(&arena);
	for (uint32_t i = 0; pairs && pairs->type == VALUE_ARRAY && i < pairs->array.count; i++) {
		const struct value *pair = &pairs->array.items[i];
		size_t key, length;
		char *name = kv_decode(value_get(pair, "key"), &arena, &key);
		char *text = kv_decode(value_get(pair, "value"), &arena, &length);

		if (!name || !text || key < skip) {
			rc = schedd_error_nomem(err);
			break;
		}
		strbuf_reset(last);
		strbuf_add_n(last, name, key);
		if (!seen(name + skip, text, length, store_etcd_number(pair, "mod_revision"),
			context)) {
			*more = false;
			break;
		}
		arena_reset(&arena);
	}
	arena_clear(&arena);
	return rc;
}

static void kv_ask_page(struct strbuf *body, const struct store_link *link, const char *folder,
    const struct strbuf *last, int64_t revision)
{
	struct strbuf end = STRBUF_EMPTY;

	strbuf_reset(body);
	strbuf_add(body, "{\"key\":");
	if (last->length)
		store_etcd_text(body, last->data, last->length + 1); /* behind it: with its NUL */
	else
		store_etcd_name(body, link, folder);
	strbuf_add(&end, folder);
	if (end.length)
		end.data[end.length - 1]++;
	strbuf_add(body, ",\"range_end\":");
	store_etcd_name(body, link, strbuf_peek(&end));
	strbuf_printf(body, ",\"limit\":\"%d\"", ETCD_PAGE);
	if (revision)
		strbuf_printf(body, ",\"revision\":\"%" PRId64 "\"", revision);
	strbuf_add(body, "}");
	strbuf_clear(&end);
}

static int etcd_list(struct store_link *link, const char *folder, keys_seen_fn seen, void *context,
    struct schedd_error *err)
{
	struct strbuf body = STRBUF_EMPTY, last = STRBUF_EMPTY;
	int64_t revision = 0;
	bool more = true;
	int rc = 0;

	while (more && rc == 0) {
		struct value answer;
		struct arena arena;

		/* As long as pages come the server is there. */
		if (revision)
			link->deadline += link->config->timeout -
					  (int64_t)store_link_left(link) * 1000;
		kv_ask_page(&body, link, folder, &last, revision);
		arena_init(&arena);
		rc = store_etcd_talk(link, "/v3/kv/range", &body, false, &arena, &answer, err);
		if (rc == 0) {
			if (!revision)
				revision = etcd_of(link)->revision;
			rc = kv_page(link, &answer, seen, context, &last, &more, err);
		}
		arena_clear(&arena);
	}
	strbuf_clear(&body);
	strbuf_clear(&last);
	return rc;
}

/* ---- Writing ---- */

static void kv_compare(struct strbuf *body, const struct store_link *link, const char *name,
    const char *target, const char *member, int64_t revision)
{
	strbuf_add(body, "{\"result\":\"EQUAL\",\"key\":");
	store_etcd_name(body, link, name);
	strbuf_printf(body, ",\"target\":\"%s\",\"%s\":\"%" PRId64 "\"}", target, member,
	    revision < 0 ? 0 : revision);
}

static void kv_ask_change(
    struct strbuf *body, const struct store_link *link, const struct keys_write *first)
{
	const struct etcd_link *etcd = etcd_of(link);
	const char *between = "";

	strbuf_add(body, "{\"compare\":[");
	kv_compare(body, link, "owner", "CREATE", "create_revision", etcd->owner);
	strbuf_add(body, ",");
	kv_compare(body, link, "session", "MOD", "mod_revision", etcd->session);
	for (const struct keys_write *write = first; write; write = write->next)
		if (write->check) {
			strbuf_add(body, ",");
			kv_compare(body, link, write->name, "MOD", "mod_revision", *write->slot);
		}
	strbuf_add(body, "],\"success\":[");
	for (const struct keys_write *write = first; write; write = write->next) {
		strbuf_printf(body, "%s{\"%s\":{\"key\":", between,
		    write->text ? "request_put" : "request_delete_range");
		store_etcd_name(body, link, write->name);
		if (write->text) {
			strbuf_add(body, ",\"value\":");
			store_etcd_text(body, write->text, write->length);
		}
		strbuf_add(body, "}}");
		between = ",";
	}
	strbuf_add(body, "],\"failure\":[{\"request_range\":{\"key\":");
	store_etcd_name(body, link, "owner");
	strbuf_add(body, "}},{\"request_range\":{\"key\":");
	store_etcd_name(body, link, "session");
	strbuf_add(body, "}}]}");
}

/* The comparisons do not hold: those of owner and connection, or another. */
static int kv_not_held(struct store_link *link, const struct value *answer,
    struct schedd_error *err)
{
	const struct etcd_link *etcd = etcd_of(link);
	const struct value *owner = store_etcd_response(answer, 0);
	struct keys_read session = {.name = "session"};
	struct arena arena;
	int rc;

	arena_init(&arena);
	rc = store_etcd_pair(store_etcd_response(answer, 1), &session, &arena, err);
	arena_clear(&arena);
	if (rc)
		return rc;
	if (store_etcd_created(owner) == 0)
		return store_link_fail(link, STORE_FAULT_FENCED, err,
		    "its lease has ended, as it was not reached for so long");
	if (store_etcd_created(owner) != etcd->owner || session.version != etcd->session)
		return store_link_fail(
		    link, STORE_FAULT_FENCED, err, "another schedd has taken it over");
	return 0;
}

static int etcd_change(struct store_link *link, struct keys_write *first, bool *held,
    struct schedd_error *err)
{
	struct etcd_link *etcd = etcd_of(link);
	struct strbuf body = STRBUF_EMPTY;
	struct value answer;
	struct arena arena;
	int rc;

	kv_ask_change(&body, link, first);
	arena_init(&arena);
	rc = store_etcd_talk(link, "/v3/kv/txn", &body, true, &arena, &answer, err);
	strbuf_clear(&body);
	*held = rc == 0 && value_get_bool(&answer, "succeeded", false);
	if (rc == 0 && !*held)
		rc = kv_not_held(link, &answer, err);
	for (struct keys_write *write = first; rc == 0 && *held && write; write = write->next)
		*write->slot = write->text ? etcd->revision : KEYS_ABSENT;
	arena_clear(&arena);
	return rc;
}

const struct keys_server store_etcd_server = {
    .limit = "and etcd takes at most",
    .writes = ETCD_OPS - 2, /* comparisons of owner and connection count, too */
    .bytes = ETCD_BYTES - 16384,
    .get = etcd_get,
    .list = etcd_list,
    .change = etcd_change,
};
