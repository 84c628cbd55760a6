/* SPDX-License-Identifier: MIT */
/* The parts of type "etcd": one link's connection, its marks, JSON on its way. */
#ifndef SCHEDD_STORE_MODULES_STORE_ETCD_H
#define SCHEDD_STORE_MODULES_STORE_ETCD_H

#include <curl/curl.h>
#include "base/strbuf.h"
#include "base/value.h"
#include "store/modules/store_keys.h"

struct etcd_link {
	struct keys_link keys; /* first */
	CURL *curl;            /* NULL: none */
	struct curl_slist *headers;
	struct strbuf reply;
	char error[CURL_ERROR_SIZE];
	uint32_t endpoint; /* of the url's hosts */
	char version[32];  /* of the server */

	/* The writer's. */
	int64_t owner;   /* create_revision of the owner's key; 0: not ours */
	int64_t session; /* mod_revision of the connection's key */
	int64_t lease;
	int64_t kept_at; /* mono microseconds: when the lease was kept alive last */
	int64_t looked_at; /* and when anything else was looked after */
	int64_t revision; /* of the server, as answered last */
	int64_t compact_at, compact_revision; /* what is to be compacted then; 0: nothing yet */
};

static inline struct etcd_link *etcd_of(const struct store_link *link)
{
	return link->state;
}

/* ---- store_etcd_talk.c: everything that waits ---- */

/* The next endpoint that answers; login. */
int store_etcd_talk_connect(struct store_link *link, struct schedd_error *err);
void store_etcd_talk_close(struct store_link *link);
/*
 * Posts JSON, answers JSON. writes: it changes something, so that no answer means not knowing.
 */
int store_etcd_talk(struct store_link *link, const char *path, const struct strbuf *body,
    bool writes, struct arena *arena, struct value *out, struct schedd_error *err);
/* What a GET of a path answers, as text in link's reply. */
int store_etcd_talk_get(struct store_link *link, const char *path, struct schedd_error *err);
/* A member that JSON has as text since it is of 64 bits; 0: left out. */
int64_t store_etcd_number(const struct value *map, const char *key);

/* ---- store_etcd_kv.c ---- */

extern const struct keys_server store_etcd_server;
const char *store_etcd_prefix(const struct store_link *link);
/* "name" with the prefix in base64, in quotes. */
void store_etcd_name(struct strbuf *out, const struct store_link *link, const char *name);
void store_etcd_text(struct strbuf *out, const char *text, size_t length);
/* The first pair of a range's answer as it is for keys_read; in arena. */
int store_etcd_pair(const struct value *range, struct keys_read *read, struct arena *arena,
    struct schedd_error *err);
/* create_revision of it; 0: there is none. */
int64_t store_etcd_created(const struct value *range);
const struct value *store_etcd_response(const struct value *answer, uint32_t at);

/* ---- store_etcd_own.c ---- */

/* Schema and ownership; sets epoch. */
int store_etcd_own(struct store_link *link, struct schedd_error *err);
/* Keeps the lease if its time has come; anything else that is to be looked after. */
int store_etcd_keep(struct store_link *link, bool idle, struct schedd_error *err);
/* link->durability; refuses what takes no writes. */
int store_etcd_promise(struct store_link *link, struct schedd_error *err);

#endif
