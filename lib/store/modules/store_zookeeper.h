/* SPDX-License-Identifier: MIT */
/* The parts of type "zookeeper": one link's session and its marks. */
#ifndef SCHEDD_STORE_MODULES_STORE_ZOOKEEPER_H
#define SCHEDD_STORE_MODULES_STORE_ZOOKEEPER_H

#include <zookeeper/zookeeper.h>
#include "store/modules/store_keys.h"

#define ZOO_BASE_MAX 64

/* What outlives a link: the client's threads use it until it is closed. */
struct zoo_session;
struct store_lookup;

#define ZOO_LOOKUPS 16

struct zoo_link {
	struct keys_link keys; /* first */
	struct zoo_session *session;
	struct store_lookup *lookups[ZOO_LOOKUPS]; /* by host; NULL: none is under way */
	char base[ZOO_BASE_MAX + 2]; /* "/schedd" */
	/* The writer's: versions of the nodes that are compared; -1: not ours. */
	int32_t epoch;
	int32_t connection;
};

static inline struct zoo_link *zoo_of(const struct store_link *link)
{
	return link->state;
}

/* ---- store_zookeeper_talk.c: everything that waits ---- */

int store_zookeeper_talk_connect(struct store_link *link, struct schedd_error *err);
/* In the background, as it may take long. */
void store_zookeeper_talk_close(struct store_link *link);
zhandle_t *store_zookeeper_handle(const struct store_link *link);
/* What nodes that are made may be done with: anything by anybody, or by the user alone. */
const struct ACL_vector *store_zookeeper_acl(const struct store_link *link);
/* What is granted, in milliseconds. */
int store_zookeeper_granted(const struct store_link *link);

/* One request of several in flight. */
struct zoo_call {
	struct zoo_batch *batch;
	uint32_t place;
};

/* What a request answered. */
struct zoo_answer {
	int rc;
	char *text; /* NULL: none; the batch's */
	size_t length;
	struct Stat stat;
	char **names; /* of children; the batch's */
	int32_t name_count;
};

/* Some requests at once, answered in any order. NULL: no memory. */
struct zoo_batch *store_zookeeper_batch(struct store_link *link, uint32_t count);
/* Negative: why it could not be asked, as the answer says, too. */
void store_zookeeper_get(struct zoo_batch *batch, uint32_t place, const char *path);
void store_zookeeper_children(struct zoo_batch *batch, uint32_t place, const char *path);
/* Operations as zoo_*_op_init() made them; the batch's copies of their texts must live as long. */
void store_zookeeper_multi(struct zoo_batch *batch, const zoo_op_t *ops, int count);
/* Until all are answered or the link's time is over. False: that. */
bool store_zookeeper_wait(struct store_link *link, struct zoo_batch *batch);
const struct zoo_answer *store_zookeeper_answer(const struct zoo_batch *batch, uint32_t place);
/* Of a multi. */
const zoo_op_result_t *store_zookeeper_results(const struct zoo_batch *batch);
/* Memory that lives as long as the batch is under way. */
void *store_zookeeper_alloc(struct zoo_batch *batch, size_t size);
void store_zookeeper_done(struct zoo_batch *batch);
/* What a code means for the connection. */
int store_zookeeper_failed(
    struct store_link *link, int rc, bool writes, struct schedd_error *err);

/* ---- store_zookeeper_kv.c ---- */

extern const struct keys_server store_zookeeper_server;
/* Of a key's name; the caller's to free. NULL: no memory. */
char *store_zookeeper_path(const struct store_link *link, const char *name);

/* ---- store_zookeeper_own.c ---- */

int store_zookeeper_own(struct store_link *link, struct schedd_error *err);
int store_zookeeper_keep(struct store_link *link, struct schedd_error *err);
#endif
