/* SPDX-License-Identifier: MIT */
#include "server/users_facts.h"

#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "executor/account_group.h"
#include "server/config.h"

#define FACTS_ENTRY_MAX 65536 /* bytes of an entry of passwd */

struct facts_group {
	char *name;
	bool in;
};

struct users_facts {
	uid_t uid;
	char *name; /* NULL: none was found */
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

struct users_facts *users_facts_new(const struct config_users *users, uid_t uid)
{
	const char *const *const lists[] = {users->allow, users->deny, users->operators, users->admins};
	struct users_facts *facts = calloc(1, sizeof(*facts));
	uint32_t count = 1;
	bool copied;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		count += facts_count(lists[i]);
	if (!facts)
		return NULL;
	facts->uid = uid;
	facts->groups = calloc(count, sizeof(facts->groups[0]));
	copied = facts->groups != NULL;
	for (size_t i = 0; copied && i < sizeof(lists) / sizeof(lists[0]); i++)
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
