/* SPDX-License-Identifier: MIT */
#include "executor/account.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/strmap.h"

#define ACCOUNT_LIFE (60 * SCHEDD_SECOND)
#define ACCOUNT_BUFFER ((size_t)64 * 1024)

/* An account and the text it was asked by; "" is schedd's own. */
struct account_entry {
	struct account account;
	char *user;
	struct schedd_mono expires;
};

struct account_cache {
	struct strmap entries;
};

static const char *account_entry_key(const void *item)
{
	return ((const struct account_entry *)item)->user;
}

struct account_cache *account_cache_new(void)
{
	struct account_cache *cache = calloc(1, sizeof(*cache));

	if (cache)
		strmap_init(&cache->entries, account_entry_key);
	return cache;
}

static void account_clear(struct account *account)
{
	free(account->groups);
	free(account->name);
	free(account->home);
	free(account->shell);
	memset(account, 0, sizeof(*account));
}

static void account_entry_free(struct account_entry *entry)
{
	account_clear(&entry->account);
	free(entry->user);
	free(entry);
}

void account_cache_free(struct account_cache *cache)
{
	struct account_entry *entry;
	uint32_t position = 0;

	if (!cache)
		return;
	while ((entry = strmap_next(&cache->entries, &position)))
		account_entry_free(entry);
	strmap_clear(&cache->entries);
	free(cache);
}

/* Digits alone are an id. */
static bool account_number(const char *text, unsigned *out)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno || value >= UINT32_MAX)
		return false;
	*out = (unsigned)value;
	return true;
}

static int account_fill(struct account *account, const struct passwd *entry, uid_t uid)
{
	char digits[16];

	snprintf(digits, sizeof(digits), "%u", (unsigned)uid);
	account->uid = uid;
	account->gid = entry ? entry->pw_gid : getegid();
	account->name = strdup(entry ? entry->pw_name : digits);
	account->home = strdup(entry && entry->pw_dir[0] ? entry->pw_dir : "/");
	account->shell = strdup(entry && entry->pw_shell[0] ? entry->pw_shell : "/bin/sh");
	return account->name && account->home && account->shell ? 0 : SCHEDD_ENOMEM;
}

/* name NULL: this process' own user, who needs no entry. */
static int account_user(struct account *account, const char *name, struct schedd_error *err)
{
	char *buffer = malloc(ACCOUNT_BUFFER);
	struct passwd entry, *found = NULL;
	unsigned uid = geteuid();
	int rc = 0;

	if (!buffer)
		return schedd_error_nomem(err);
	if (name && !account_number(name, &uid)) {
		errno = getpwnam_r(name, &entry, buffer, ACCOUNT_BUFFER, &found);
		if (!found)
			rc = schedd_error_set(err, SCHEDD_EINVAL, "user '%s': %s", name,
			    errno && errno != ENOENT ? strerror(errno) : "no such user");
		else
			uid = found->pw_uid;
	} else {
		(void)getpwuid_r(uid, &entry, buffer, ACCOUNT_BUFFER, &found);
	}
	if (rc == 0 && account_fill(account, found, uid) < 0)
		rc = schedd_error_nomem(err);
	free(buffer);
	return rc;
}

static int account_group(struct account *account, const char *name, struct schedd_error *err)
{
	char *buffer;
	struct group entry, *found = NULL;
	unsigned gid;

	if (account_number(name, &gid)) {
		account->gid = gid;
		return 0;
	}
	buffer = malloc(ACCOUNT_BUFFER);
	if (!buffer)
		return schedd_error_nomem(err);
	(void)getgrnam_r(name, &entry, buffer, ACCOUNT_BUFFER, &found);
	if (found)
		account->gid = found->gr_gid;
	free(buffer);
	return found ? 0 : schedd_error_set(err, SCHEDD_EINVAL, "group '%s': no such group", name);
}

static int account_groups(struct account *account, struct schedd_error *err)
{
	int count = 64;

	for (;;) {
		gid_t *groups = realloc(account->groups, (size_t)count * sizeof(*groups));
		int wanted = count;

		if (!groups)
			return schedd_error_nomem(err);
		account->groups = groups;
		if (getgrouplist(account->name, account->gid, groups, &wanted) >= 0) {
			account->group_count = wanted;
			return 0;
		}
		count = wanted > count ? wanted : count * 2;
	}
}

static int account_look_up(struct account *account, const char *user, struct schedd_error *err)
{
	char *name = user ? strdup(user) : NULL;
	char *group = name ? strchr(name, ':') : NULL;
	int rc;

	if (user && !name)
		return schedd_error_nomem(err);
	if (group)
		*group++ = '\0';
	rc = account_user(account, name, err);
	if (rc == 0 && group)
		rc = account_group(account, group, err);
	if (rc == 0 && user && geteuid() == 0) {
		account->change = true;
		rc = account_groups(account, err);
	} else if (rc == 0 && user &&
		   (account->uid != geteuid() || (group && account->gid != getegid()))) {
		rc = schedd_error_set(err, SCHEDD_EPERM,
		    "user '%s': schedd runs as uid %u and cannot become another: %s", user,
		    (unsigned)geteuid(), strerror(EPERM));
	}
	free(name);
	return rc;
}

static int account_cache_add(struct account_cache *cache, const char *user, struct schedd_mono now,
    const struct account **out, struct schedd_error *err)
{
	struct account_entry *entry = calloc(1, sizeof(*entry));
	int rc;

	if (!entry)
		return schedd_error_nomem(err);
	entry->user = strdup(user ? user : "");
	entry->expires.us = now.us + ACCOUNT_LIFE;
	rc = entry->user ? account_look_up(&entry->account, user, err) : schedd_error_nomem(err);
	if (rc == 0 && strmap_put(&cache->entries, entry) < 0)
		rc = schedd_error_nomem(err);
	if (rc < 0)
		account_entry_free(entry);
	else
		*out = &entry->account;
	return rc;
}

int account_cache_get(struct account_cache *cache, const char *user, struct schedd_mono now,
    const struct account **out, struct schedd_error *err)
{
	const char *key = user ? user : "";
	struct account_entry *entry = strmap_get(&cache->entries, key);

	if (entry && entry->expires.us > now.us) {
		*out = &entry->account;
		return 0;
	}
	if (entry) {
		strmap_remove(&cache->entries, key);
		account_entry_free(entry);
	}
	return account_cache_add(cache, user, now, out, err);
}
