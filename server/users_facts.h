/* SPDX-License-Identifier: MIT */
/*
 * What the system's databases say of an account, asked on any thread: they may
 * be a server's, which does not answer. The loop judges by what was found.
 */
#ifndef SCHEDD_SERVER_USERS_FACTS_H
#define SCHEDD_SERVER_USERS_FACTS_H

#include <stdbool.h>
#include <sys/types.h>
#include <schedd/error.h>

struct config_users;
struct slow_answer;
struct users_facts;

/* The groups that the config's lists name are copied; nothing is asked yet. NULL: no memory. */
struct users_facts *users_facts_new(const struct config_users *users, uid_t uid);
/*
 * What they say of the account of that name, asked as slow_ask() does: to be given back. NULL: they have not
 * said it yet, and *why says so.
 */
struct slow_answer *users_facts_named(
    const struct config_users *users, const char *account, struct schedd_error *why);
/* NULL is fine. */
void users_facts_free(struct users_facts *facts);
/* Asks; may take for ever. On one thread at a time, once. */
void users_facts_ask(struct users_facts *facts);
uid_t users_facts_uid(const struct users_facts *facts);
/* NULL: there is no such account. */
const char *users_facts_name(const struct users_facts *facts);
/* Has it expired? */
bool users_facts_expired(const struct users_facts *facts);
/* Is it in the group, one of those that the lists name? */
bool users_facts_in(const struct users_facts *facts, const char *group);

#endif
