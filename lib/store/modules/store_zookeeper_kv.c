/* SPDX-License-Identifier: MIT */
/*
 * Keys as nodes: folder/NAME is the node NAME below folder, with what a node's
 * name may not hold written as %XX. Versions are the nodes' own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/strbuf.h"
#include "store/modules/store_zookeeper.h"

/* The server's limit of a request and an answer. */
#define ZOO_BYTES 1048575
/* Requests in flight at a time. */
#define ZOO_WINDOW 256
/* It lists one by one. */
#define ZOO_JOBS 10000

static bool kv_plain(const char *name, size_t at)
{
	unsigned char c = (unsigned char)name[at];

	return c > ' ' && c < 0x7f && c != '/' && c != '%' && !(c == '.' && at == 0);
}

char *store_zookeeper_path(const struct store_link *link, const char *name)
{
	struct strbuf path = STRBUF_EMPTY;
	const char *slash = strchr(name, '/');
	const char *node = slash ? slash + 1 : name;

	strbuf_printf(&path, "%s/%.*s", zoo_of(link)->base, (int)(node - name), name);
	for (size_t i = 0; node[i]; i++)
		if (kv_plain(node, i))
			strbuf_add_char(&path, node[i]);
		else
			strbuf_printf(&path, "%%%02X", (unsigned char)node[i]);
	return strbuf_take(&path);
}

static int kv_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The name in its folder as it was; the caller's to free. */
static char *kv_name(const char *folder, const char *node)
{
	struct strbuf name = STRBUF_EMPTY;

	strbuf_add(&name, folder);
	for (; *node; node++)
		if (*node == '%' && kv_digit(node[1]) >= 0 && kv_digit(node[2]) >= 0) {
			strbuf_add_char(&name, (char)(kv_digit(node[1]) * 16 + kv_digit(node[2])));
			node += 2;
		} else {
			strbuf_add_char(&name, *node);
		}
	return strbuf_take(&name);
}

/* ---- Reading ---- */

static int kv_get_some(struct store_link *link, struct keys_read *first, uint32_t count,
    struct arena *arena, struct schedd_error *err)
{
	struct zoo_batch *batch = store_zookeeper_batch(link, count);
	struct keys_read *read = first;
	int rc = 0;

	if (!batch)
		return schedd_error_nomem(err);
	for (uint32_t i = 0; i < count && rc == 0; i++, read = read->next) {
		char *path = store_zookeeper_path(link, read->name);

		if (path)
			store_zookeeper_get(batch, i, path);
		else
			rc = schedd_error_nomem(err);
		free(path);
	}
	if (!store_zookeeper_wait(link, batch) && rc == 0)
		rc = store_zookeeper_failed(link, ZOPERATIONTIMEOUT, false, err);
	read = first;
	for (uint32_t i = 0; i < count && rc == 0; i++, read = read->next) {
		const struct zoo_answer *answer = store_zookeeper_answer(batch, i);

		read->text = NULL;
		read->length = 0;
		read->version = KEYS_ABSENT;
		if (answer->rc == ZOK) {
			read->text = arena_strndup(arena, answer->text, answer->length);
			read->length = answer->length;
			read->version = answer->stat.version;
			rc = read->text ? 0 : schedd_error_nomem(err);
		} else if (answer->rc != ZNONODE) {
			rc = store_zookeeper_failed(link, answer->rc, false, err);
		}
	}
	store_zookeeper_done(batch);
	return rc;
}

static int zookeeper_get(struct store_link *link, struct keys_read *first, struct arena *arena,
    struct schedd_error *err)
{
	int rc = 0;

	while (first && rc == 0) {
		struct keys_read *next = first;
		uint32_t count = 0;

		for (; next && count < ZOO_WINDOW; next = next->next)
			count++;
		rc = kv_get_some(link, first, count, arena, err);
		first = next;
	}
	return rc;
}

static int kv_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of all in the folder as they were, in order, in the arena. */
static int kv_children(struct store_link *link, const char *folder, struct keys_read **out,
    struct arena *arena, struct schedd_error *err)
{
	struct zoo_batch *batch = store_zookeeper_batch(link, 1);
	const struct zoo_answer *answer;
	struct strbuf path = STRBUF_EMPTY;
	int rc = 0;

	if (!batch)
		return schedd_error_nomem(err);
	strbuf_printf(&path, "%s/%.*s", zoo_of(link)->base, (int)strlen(folder) - 1, folder);
	store_zookeeper_children(batch, 0, strbuf_peek(&path));
	strbuf_clear(&path);
	answer = store_zookeeper_answer(batch, 0);
	if (!store_zookeeper_wait(link, batch))
		rc = store_zookeeper_failed(link, ZOPERATIONTIMEOUT, false, err);
	else if (answer->rc != ZOK && answer->rc != ZNONODE)
		rc = store_zookeeper_failed(link, answer->rc, false, err);
	*out = NULL;
	if (rc == 0 && answer->name_count) {
		struct keys_read *reads =
		    arena_alloc(arena, (size_t)answer->name_count * sizeof(*reads));

		qsort(answer->names, (size_t)answer->name_count, sizeof(answer->names[0]), kv_compare);
		for (int32_t i = 0; reads && i < answer->name_count; i++) {
			char *name = kv_name(folder, answer->names[i]);

			reads[i].name = name ? arena_strdup(arena, name) : NULL;
			reads[i].next = i + 1 < answer->name_count ? &reads[i + 1] : NULL;
			if (!reads[i].name)
				arena->failed = true;
			free(name);
		}
		*out = reads;
		if (arena_failed(arena))
			rc = schedd_error_nomem(err);
	}
	store_zookeeper_done(batch);
	return rc;
}

static int zookeeper_list(struct store_link *link, const char *folder, keys_seen_fn seen, void *context,
    struct schedd_error *err)
{
	struct keys_read *reads = NULL;
	struct arena names;
	bool more = true;
	int rc;

	arena_init(&names);
	rc = kv_children(link, folder, &reads, &names, err);
	while (reads && more && rc == 0) {
		struct keys_read *next = reads;
		struct arena texts;
		uint32_t count = 0;

		for (; next && count < ZOO_WINDOW; next = next->next)
			count++;
		/* As long as they come the server is there. */
		link->deadline +=
		    link->config->timeout - (int64_t)store_link_left(link) * 1000;
		arena_init(&texts);
		rc = kv_get_some(link, reads, count, &texts, err);
		for (; rc == 0 && more && reads != next; reads = reads->next)
			if (reads->text)
				more = seen(reads->name, reads->text, reads->length, reads->version,
				    context);
		reads = next;
		arena_clear(&texts);
	}
	arena_clear(&names);
	return rc;
}

/* ---- Writing ---- */

struct kv_change {
	zoo_op_t *ops;
	char **paths;
	struct keys_write **writes; /* of each operation; NULL: one that compares */
	struct Stat *stats;
	int count;
};

static void kv_add(struct store_link *link, struct kv_change *change, struct keys_write *write,
    const char *name)
{
	zoo_op_t *op = &change->ops[change->count];
	char *path = store_zookeeper_path(link, name);

	change->paths[change->count] = path;
	change->writes[change->count] = write;
	if (!path)
		return;
	if (!write->text)
		zoo_delete_op_init(op, path, write->check ? (int)*write->slot : -1);
	else if (*write->slot == KEYS_ABSENT)
		zoo_create_op_init(op, path, write->text, (int)write->length,
		    store_zookeeper_acl(link), 0, NULL, 0);
	else
		zoo_set_op_init(op, path, write->text, (int)write->length,
		    write->check ? (int)*write->slot : -1, &change->stats[change->count]);
	change->count++;
}

static void kv_fence(
    struct store_link *link, struct kv_change *change, const char *name, int32_t version)
{
	char *path = store_zookeeper_path(link, name);

	change->paths[change->count] = path;
	change->writes[change->count] = NULL;
	if (path)
		zoo_check_op_init(&change->ops[change->count++], path, version);
}

/* Of the first that failed: the others say that they were undone, or not done. */
static int kv_refused(struct store_link *link, const struct zoo_batch *batch,
    const struct kv_change *change, int rc, bool *held, struct schedd_error *err)
{
	const zoo_op_result_t *results = store_zookeeper_results(batch);
	int at = 0;

	*held = false;
	if (rc != ZBADVERSION && rc != ZNONODE && rc != ZNODEEXISTS)
		return store_zookeeper_failed(link, rc, true, err);
	while (at < change->count && results[at].err == ZOK)
		at++;
	if (at < change->count && change->writes[at])
		return 0;
	return store_link_fail(
	    link, STORE_FAULT_FENCED, err, "another schedd has taken it over");
}

static int kv_send(struct store_link *link, struct zoo_batch *batch, struct kv_change *change,
    bool *held, struct schedd_error *err)
{
	const struct zoo_answer *answer = store_zookeeper_answer(batch, 0);

	store_zookeeper_multi(batch, change->ops, change->count);
	if (!store_zookeeper_wait(link, batch))
		return store_zookeeper_failed(link, ZOPERATIONTIMEOUT, true, err);
	if (answer->rc != ZOK)
		return kv_refused(link, batch, change, answer->rc, held, err);
	*held = true;
	for (int i = 0; i < change->count; i++) {
		struct keys_write *write = change->writes[i];

		if (write)
			*write->slot = !write->text                  ? KEYS_ABSENT
				       : *write->slot == KEYS_ABSENT ? 0
								     : change->stats[i].version;
	}
	return 0;
}

static int zookeeper_change(struct store_link *link, struct keys_write *first, bool *held,
    struct schedd_error *err)
{
	struct zoo_batch *batch = store_zookeeper_batch(link, 1);
	struct kv_change change = {.count = 0};
	size_t count = 2;
	int rc = 0;

	if (!batch)
		return schedd_error_nomem(err);
	for (const struct keys_write *write = first; write; write = write->next)
		count++;
	change.ops = store_zookeeper_alloc(batch, count * sizeof(change.ops[0]));
	change.paths = store_zookeeper_alloc(batch, count * sizeof(change.paths[0]));
	change.writes = store_zookeeper_alloc(batch, count * sizeof(change.writes[0]));
	change.stats = store_zookeeper_alloc(batch, count * sizeof(change.stats[0]));
	if (change.ops && change.paths && change.writes && change.stats) {
		kv_fence(link, &change, "epoch", zoo_of(link)->epoch);
		kv_fence(link, &change, "session", zoo_of(link)->connection);
		/* One that is not there need not be deleted. */
		for (struct keys_write *write = first; write; write = write->next)
			if (write->text || *write->slot != KEYS_ABSENT)
				kv_add(link, &change, write, write->name);
			else
				count--;
	}
	rc = (size_t)change.count == count ? kv_send(link, batch, &change, held, err)
					   : schedd_error_nomem(err);
	for (int i = 0; i < change.count; i++)
		free(change.paths[i]);
	store_zookeeper_done(batch);
	return rc;
}

const struct keys_server store_zookeeper_server = {
    .limit = "and ZooKeeper takes at most",
    .writes = 2000,
    .bytes = ZOO_BYTES - 131072,
    .jobs = ZOO_JOBS,
    .get = zookeeper_get,
    .list = zookeeper_list,
    .change = zookeeper_change,
};
