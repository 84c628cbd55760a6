/* SPDX-License-Identifier: MIT */
#include "server/users_facts.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <shadow.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/slow_ask.h"
#include "base/strbuf.h"
#include "base/system_user.h"
#include "executor/account_group.h"
#include "server/config.h"

#define FACTS_ENTRY_MAX 65536 /* bytes of an entry of passwd or shadow */
#define FACTS_DAY 86400
#define FACTS_LISTS 4

struct facts_group {
	char *name;
	bool in;
};

struct users_facts {
	uid_t uid;
	char *name; /* NULL: none was found */
	bool expired; /* asked for by name alone */
	struct facts_group *groups;
	uint32_t count;
};

static uint32_t facts_count(const char *const *list)
{
	uint32_t count = 0;

	for (; list && *list; list++)
		count += (*list)[0] == '@';
	return count;
}

static bool facts_copy(struct users_facts *facts, const char *const *list)
{
	for (; list && *list; list++) {
		struct facts_group *group = &facts->groups[facts->count];

		if ((*list)[0] != '@')
			continue;
		group->name = strdup(*list + 1);
		if (!group->name)
			return false;
		facts->count++;
	}
	return true;
}

static void facts_lists(const struct config_users *users, const char *const *lists[FACTS_LISTS])
{
	lists[0] = users->allow;
	lists[1] = users->deny;
	lists[2] = users->operators;
	lists[3] = users->admins;
}

struct users_facts *users_facts_new(const struct config_users *users, uid_t uid)
{
	const char *const *lists[FACTS_LISTS];
	struct users_facts *facts = calloc(1, sizeof(*facts));
	uint32_t count = 1;
	bool copied;

	facts_lists(users, lists);
	for (size_t i = 0; i < FACTS_LISTS; i++)
		count += facts_count(lists[i]);
	if (!facts)
		return NULL;
	facts->uid = uid;
	facts->groups = calloc(count, sizeof(facts->groups[0]));
	copied = facts->groups != NULL;
	for (size_t i = 0; copied && i < FACTS_LISTS; i++)
		copied = facts_copy(facts, lists[i]);
	if (copied)
		return facts;
	users_facts_free(facts);
	return NULL;
}

void users_facts_free(struct users_facts *facts)
{
	if (!facts)
		return;
	for (uint32_t i = 0; i < facts->count; i++)
		free(facts->groups[i].name);
	free(facts->groups);
	free(facts->name);
	free(facts);
}

/* All groups of the account; NULL: none, or no memory. */
static gid_t *facts_gids(const struct passwd *entry, int *count)
{
	gid_t *gids;

	*count = 0;
	(void)getgrouplist(entry->pw_name, entry->pw_gid, NULL, count);
	gids = *count > 0 ? malloc((size_t)*count * sizeof(*gids)) : NULL;
	if (!gids || getgrouplist(entry->pw_name, entry->pw_gid, gids, count) < 0)
		*count = 0;
	return gids;
}

static void facts_ask_groups(struct users_facts *facts, const struct passwd *entry)
{
	int count = 0;
	gid_t *gids = facts->count ? facts_gids(entry, &count) : NULL, gid;

	for (uint32_t i = 0; gids && i < facts->count; i++) {
		if (!account_group_find(facts->groups[i].name, &gid))
			continue;
		for (int k = 0; k < count && !facts->groups[i].in; k++)
			facts->groups[i].in = gids[k] == gid;
	}
	free(gids);
}

void users_facts_ask(struct users_facts *facts)
{
	char *buffer = malloc(FACTS_ENTRY_MAX);
	struct passwd entry, *found = NULL;

	if (buffer && getpwuid_r(facts->uid, &entry, buffer, FACTS_ENTRY_MAX, &found) == 0 && found) {
		facts_ask_groups(facts, found);
		facts->name = strdup(found->pw_name);
	}
	free(buffer);
}

/* ---- By name ---- */

/* The account, and the groups, one on each line. NULL: no memory. */
static char *facts_key(const struct config_users *users, const char *account)
{
	const char *const *lists[FACTS_LISTS];
	struct strbuf key = STRBUF_EMPTY;

	facts_lists(users, lists);
	strbuf_add(&key, account);
	for (size_t i = 0; i < FACTS_LISTS; i++)
		for (const char *const *name = lists[i]; name && *name; name++)
			if ((*name)[0] == '@')
				strbuf_printf(&key, "\n%s", *name + 1);
	return strbuf_take(&key);
}

/* Of the lines behind the first. */
static bool facts_take_groups(struct users_facts *facts, char *lines)
{
	uint32_t count = 1;
	char *group;

	for (const char *at = lines; at && *at; at++)
		count += *at == '\n';
	facts->groups = calloc(count, sizeof(facts->groups[0]));
	while (facts->groups && (group = strsep(&lines, "\n"))) {
		facts->groups[facts->count].name = strdup(group);
		if (!facts->groups[facts->count].name)
			return false;
		facts->count++;
	}
	return facts->groups != NULL;
}

static bool facts_ask_expired(const char *name)
{
	char *buffer = malloc(FACTS_ENTRY_MAX);
	struct spwd entry, *found = NULL;
	bool expired = buffer &&
		       getspnam_r(name, &entry, buffer, FACTS_ENTRY_MAX, &found) == 0 && found &&
		       found->sp_expire > 0 && time(NULL) / FACTS_DAY >= found->sp_expire;

	free(buffer);
	return expired;
}

/* 0, or an errno: they could not say. */
static int facts_ask_named(struct users_facts *facts, const char *name)
{
	char *buffer = malloc(FACTS_ENTRY_MAX);
	struct passwd entry, *found = NULL;
	int rc = buffer ? getpwnam_r(name, &entry, buffer, FACTS_ENTRY_MAX, &found) : ENOMEM;

	/* Some libraries say so of one that is not there. */
	if (rc == ENOENT || rc == ESRCH)
		rc = 0;
	if (!rc && found) {
		facts->uid = found->pw_uid;
		facts->expired = facts_ask_expired(name);
		facts_ask_groups(facts, found);
		facts->name = strdup(name);
		rc = facts->name ? 0 : ENOMEM;
	}
	free(buffer);
	return rc;
}

static void *facts_of_key(const char *key, bool *nomem)
{
	struct users_facts *facts = calloc(1, sizeof(*facts));
	char *lines = strdup(key), *rest = lines;
	const char *name = strsep(&rest, "\n");
	int rc = ENOMEM;

	if (facts && lines && facts_take_groups(facts, rest))
		rc = facts_ask_named(facts, name);
	*nomem = rc == ENOMEM;
	free(lines);
	if (!rc)
		return facts;
	users_facts_free(facts);
	return NULL;
}

static void facts_drop(void *told)
{
	users_facts_free(told);
}

struct slow_answer *users_facts_named(
    const struct config_users *users, const char *account, struct schedd_error *why)
{
	static const struct slow_kind kind = {facts_of_key, facts_drop};
	char *key = facts_key(users, account), who[JOB_ACCOUNT_MAX + 3];
	bool nomem = true;
	struct slow_answer *answer = key ? slow_ask(&kind, key, &nomem) : NULL;

	snprintf(who, sizeof(who), "'%.*s'", JOB_ACCOUNT_MAX, account);
	if (!answer && nomem)
		schedd_error_nomem(why);
	else if (!answer)
		system_user_silent(who, why);
	free(key);
	return answer;
}

/* ---- What was found ---- */

bool users_facts_expired(const struct users_facts *facts)
{
	return facts->expired;
}

uid_t users_facts_uid(const struct users_facts *facts)
{
	return facts->uid;
}

const char *users_facts_name(const struct users_facts *facts)
{
	return facts->name;
}

bool users_facts_in(const struct users_facts *facts, const char *group)
{
	for (uint32_t i = 0; i < facts->count; i++)
		if (strcmp(facts->groups[i].name, group) == 0)
			return facts->groups[i].in;
	return false;
}
