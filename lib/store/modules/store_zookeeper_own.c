/* SPDX-License-Identifier: MIT */
/*
 * Whose the nodes are: an ephemeral node says who, and goes with his session;
 * the version of the node "epoch" is compared by every change, and moves when
 * somebody else becomes the owner. So does that of "session", with each
 * connection.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "store/modules/store_zookeeper.h"

#define SCHEMA_VERSION 1

/* ---- What is there ---- */

enum own_node { OWN_VERSION, OWN_EPOCH, OWN_SESSION, OWN_OWNER, OWN_BATCH, OWN_NODES };

/* There since 3.5, in every server; it has no other way to tell its version to everybody. */
#define OWN_CONFIG "/zookeeper/config"

static const char *const own_names[OWN_NODES] = {"version", "epoch", "session", "owner", "batch"};
static const char *const own_folders[] = {"job", "state", "gone", "run", "meta", "journal"};

#define OWN_FOLDERS ((int)(sizeof(own_folders) / sizeof(own_folders[0])))

struct own {
	struct zoo_batch *batch; /* of the answers */
	const struct zoo_answer *nodes[OWN_NODES];
};

static int own_ask(struct store_link *link, struct own *own, struct schedd_error *err)
{
	const struct zoo_answer *config;

	own->batch = store_zookeeper_batch(link, OWN_NODES + 1);
	if (!own->batch)
		return schedd_error_nomem(err);
	for (uint32_t i = 0; i < OWN_NODES; i++) {
		char *path = store_zookeeper_path(link, own_names[i]);

		if (!path)
			return schedd_error_nomem(err);
		store_zookeeper_get(own->batch, i, path);
		free(path);
		own->nodes[i] = store_zookeeper_answer(own->batch, i);
	}
	store_zookeeper_get(own->batch, OWN_NODES, OWN_CONFIG);
	config = store_zookeeper_answer(own->batch, OWN_NODES);
	if (!store_zookeeper_wait(link, own->batch))
		return store_zookeeper_failed(link, ZOPERATIONTIMEOUT, false, err);
	/* The library takes much for an answer. */
	if (config->rc == ZCONNECTIONLOSS)
		return store_link_fail(link, STORE_FAULT_GONE, err,
		    "the connection ended with the first question; is it ZooKeeper that listens there?");
	if (config->rc == ZNONODE)
		return store_link_fail(link, STORE_FAULT_REFUSED, err,
		    "the server is too old, it must be ZooKeeper 3.5 or later");
	for (uint32_t i = 0; i < OWN_NODES; i++)
		if (own->nodes[i]->rc != ZOK && own->nodes[i]->rc != ZNONODE)
			return store_zookeeper_failed(link, own->nodes[i]->rc, false, err);
	return 0;
}

/* One transaction; *rc is what it came to. */
static int own_multi(struct store_link *link, const zoo_op_t *ops, int count, int *code,
    struct schedd_error *err)
{
	struct zoo_batch *batch = store_zookeeper_batch(link, 1);
	int rc = 0;

	if (!batch)
		return schedd_error_nomem(err);
	store_zookeeper_multi(batch, ops, count);
	if (!store_zookeeper_wait(link, batch))
		rc = store_zookeeper_failed(link, ZOPERATIONTIMEOUT, false, err);
	*code = rc ? ZOPERATIONTIMEOUT : store_zookeeper_answer(batch, 0)->rc;
	store_zookeeper_done(batch);
	/* Others who do the same are no failure: it is looked at again. */
	if (rc || *code == ZOK || *code == ZNODEEXISTS || *code == ZNONODE || *code == ZBADVERSION)
		return rc;
	return store_zookeeper_failed(link, *code, *code == ZNOAUTH, err);
}

/* ---- Making it ---- */

/* The nodes above the base, one by one: they may be anybody's. */
static int make_above(struct store_link *link, struct schedd_error *err)
{
	char path[sizeof(zoo_of(link)->base)];
	int code, rc = 0;

	snprintf(path, sizeof(path), "%s", zoo_of(link)->base);
	for (char *slash = path; slash && rc == 0;) {
		zoo_op_t op;

		slash = strchr(slash + 1, '/');
		if (!slash)
			break;
		*slash = '\0';
		zoo_create_op_init(
		    &op, path, "", 0, store_zookeeper_acl(link), 0, NULL, 0);
		rc = own_multi(link, &op, 1, &code, err);
		*slash = '/';
	}
	return rc;
}

static int make_all(struct store_link *link, struct schedd_error *err)
{
	static const char *const texts[OWN_NODES] = {[OWN_VERSION] = "1"};
	zoo_op_t ops[1 + OWN_NODES + OWN_FOLDERS];
	char *paths[OWN_NODES + OWN_FOLDERS] = {NULL};
	int count = 0, at = 0, code, rc = make_above(link, err);

	if (rc)
		return rc;
	zoo_create_op_init(&ops[count++], zoo_of(link)->base, "", 0, store_zookeeper_acl(link), 0,
	    NULL, 0);
	for (int i = 0; i < OWN_NODES + OWN_FOLDERS; i++) {
		const char *name = i < OWN_NODES ? own_names[i] : own_folders[i - OWN_NODES];
		const char *text = i < OWN_NODES && texts[i] ? texts[i] : "";

		if (i == OWN_OWNER)
			continue;
		paths[at] = store_zookeeper_path(link, name);
		if (!paths[at]) {
			rc = schedd_error_nomem(err);
			break;
		}
		zoo_create_op_init(&ops[count++], paths[at++], text, (int)strlen(text),
		    store_zookeeper_acl(link), 0, NULL, 0);
	}
	if (rc == 0)
		rc = own_multi(link, ops, count, &code, err);
	while (at > 0)
		free(paths[--at]);
	return rc;
}

static int own_schema(
    struct store_link *link, const struct own *own, bool *made, struct schedd_error *err)
{
	const char *base = zoo_of(link)->base;
	struct zoo_batch *batch;
	int rc, code;
	long version;

	*made = false;
	if (own->nodes[OWN_VERSION]->rc == ZOK && own->nodes[OWN_EPOCH]->rc == ZOK &&
	    own->nodes[OWN_SESSION]->rc == ZOK) {
		version = strtol(own->nodes[OWN_VERSION]->text, NULL, 10);
		if (version > SCHEMA_VERSION)
			return store_link_fail(link, STORE_FAULT_REFUSED, err,
			    "it was written by a newer schedd (schema %ld, known is %d); it is left as "
			    "it is: run that version here",
			    version, SCHEMA_VERSION);
		if (version == SCHEMA_VERSION)
			return 0;
	}
	batch = store_zookeeper_batch(link, 1);
	if (!batch)
		return schedd_error_nomem(err);
	store_zookeeper_get(batch, 0, base);
	code = store_zookeeper_wait(link, batch) ? store_zookeeper_answer(batch, 0)->rc : ZOPERATIONTIMEOUT;
	store_zookeeper_done(batch);
	/* Who is not answered knows nothing of them. */
	rc = code == ZOK || code == ZNONODE ? 0 : store_zookeeper_failed(link, code, false, err);
	if (code == ZOK)
		rc = store_link_fail(link, STORE_FAULT_REFUSED, err,
		    "its nodes below %s are not all there, or another program's; they are left as they "
		    "are, use another path in the url",
		    base);
	if (rc)
		return rc;
	*made = true;
	return make_all(link, err);
}

/* ---- The owner ---- */

/* Takes it, in place of a node of ours; under the same epoch if nobody had it between. */
static int own_take(
    struct store_link *link, const struct own *own, bool *done, struct schedd_error *err)
{
	struct zoo_link *zoo = zoo_of(link);
	bool again = zoo->epoch >= 0 && own->nodes[OWN_EPOCH]->stat.version == zoo->epoch;
	char *epoch = store_zookeeper_path(link, "epoch");
	char *session = store_zookeeper_path(link, "session");
	char *owner = store_zookeeper_path(link, "owner");
	struct strbuf text = STRBUF_EMPTY;
	zoo_op_t ops[4];
	int count = 0, code = ZOK, rc;

	store_keys_owner_write(&text, link);
	if (!epoch || !session || !owner || strbuf_failed(&text)) {
		rc = schedd_error_nomem(err);
	} else {
		if (again)
			zoo_check_op_init(&ops[count++], epoch, zoo->epoch);
		else
			zoo_set_op_init(&ops[count++], epoch, link->config->identity,
			    (int)strlen(link->config->identity),
			    own->nodes[OWN_EPOCH]->stat.version, NULL);
		zoo_set_op_init(&ops[count++], session, link->config->life,
		    (int)strlen(link->config->life), own->nodes[OWN_SESSION]->stat.version, NULL);
		if (own->nodes[OWN_OWNER]->rc == ZOK)
			zoo_delete_op_init(
			    &ops[count++], owner, own->nodes[OWN_OWNER]->stat.version);
		zoo_create_op_init(&ops[count++], owner, strbuf_peek(&text), (int)text.length,
		    store_zookeeper_acl(link), ZOO_EPHEMERAL, NULL, 0);
		rc = own_multi(link, ops, count, &code, err);
		*done = rc == 0 && code == ZOK;
	}
	if (*done) {
		zoo->epoch = own->nodes[OWN_EPOCH]->stat.version + !again;
		zoo->connection = own->nodes[OWN_SESSION]->stat.version + 1;
		link->epoch = (uint64_t)zoo->epoch;
	}
	strbuf_clear(&text);
	free(epoch);
	free(session);
	free(owner);
	return rc;
}

static int own_try(struct store_link *link, bool *done, struct schedd_error *err)
{
	struct own own = {.batch = NULL};
	struct arena arena;
	struct value owner;
	const char *identity;
	bool made;
	int rc;

	arena_init(&arena);
	rc = own_ask(link, &own, err);
	if (rc == 0)
		rc = own_schema(link, &own, &made, err);
	if (rc == 0 && !made && own.nodes[OWN_OWNER]->rc != ZOK) {
		rc = own_take(link, &own, done, err);
	} else if (rc == 0 && !made) {
		const struct zoo_answer *node = own.nodes[OWN_OWNER];

		identity = json_parse(node->text, node->length, &arena, &owner, NULL) == 0 &&
				   owner.type == VALUE_MAP
			       ? value_get_string(&owner, "identity")
			       : NULL;
		if (!identity)
			rc = store_link_fail(link, STORE_FAULT_REFUSED, err,
			    "the node of its owner is another program's");
		else if (strcmp(identity, link->config->identity) != 0)
			rc = store_keys_owner_held(link, &owner, err);
		else
			rc = own_take(link, &own, done, err);
	}
	if (own.batch)
		store_zookeeper_done(own.batch);
	arena_clear(&arena);
	return rc;
}

int store_zookeeper_own(struct store_link *link, struct schedd_error *err)
{
	bool done = false;
	int rc = 0;

	while (rc == 0 && !done)
		rc = own_try(link, &done, err);
	if (rc == 0)
		snprintf(link->durability, sizeof(link->durability),
		    "ZooKeeper, survives a crash of the server (unless forceSync is off there); session "
		    "of %d s granted",
		    store_zookeeper_granted(link) / 1000);
	return rc;
}

/* Is it there, and ours? */
int store_zookeeper_keep(struct store_link *link, struct schedd_error *err)
{
	struct own own = {.batch = NULL};
	int rc = own_ask(link, &own, err);

	if (rc == 0 && (own.nodes[OWN_EPOCH]->rc != ZOK ||
			   own.nodes[OWN_EPOCH]->stat.version != zoo_of(link)->epoch))
		rc = store_link_fail(
		    link, STORE_FAULT_FENCED, err, "another schedd has taken it over");
	if (rc == 0 && own.nodes[OWN_OWNER]->rc != ZOK)
		rc = store_link_fail(link, STORE_FAULT_GONE, err, "its owner's node is gone");
	if (own.batch)
		store_zookeeper_done(own.batch);
	return rc;
}
