/* SPDX-License-Identifier: MIT */
/* The daemon's side of HTTP: loads schedd_web where the config asks for it, and serves its calls. */
#ifndef SCHEDD_SERVER_WEB_LINK_H
#define SCHEDD_SERVER_WEB_LINK_H

#include <schedd/error.h>
#include "base/value.h"
#include "server/web.h"

struct daemon;
struct rpc;
struct web_link;

/*
 * Does nothing and sets *out to NULL where http.listen is not set. config and
 * rpc stay the caller's. SCHEDD_EFILE: what the config gets wrong, or the
 * module is not installed.
 */
int web_link_open(struct daemon *daemon, struct rpc *rpc, const struct web_config *config,
    struct web_link **out, struct schedd_error *err) __attribute__((warn_unused_result));
/* Before the rpc is freed. NULL is fine. */
void web_link_close(struct web_link *link);
/* Reads the files that config names, which is about to take the place of the one it was opened
 * with. NULL is fine. */
int web_link_reload(
    struct web_link *link, const struct web_config *config, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* {"listen", …} for the status, or nil for NULL. */
struct value web_link_status(const struct web_link *link, struct arena *arena);
/* For token.add and its like; SCHEDD_ECONFLICT for NULL: there is no HTTP side. */
int web_link_token_add(struct web_link *link, const char *name, const char *role,
    const char *account, struct arena *arena, struct value *answer, struct schedd_error *err);
int web_link_token_list(
    struct web_link *link, struct arena *arena, struct value *answer, struct schedd_error *err);
int web_link_token_remove(struct web_link *link, const char *name, struct schedd_error *err);

#endif
