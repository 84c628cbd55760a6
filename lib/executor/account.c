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
#include "executor/account_group.h"
#include "executor/account_pam.h"
#include "loop/offloop.h"

#define ACCOUNT_LIFE (60 * SCHEDD_SECOND)
#define ACCOUNT_LOOKUPS 8                      /* at one time */
#define ACCOUNT_PATIENCE (100 * (schedd_span)1000) /* of those who may wait a little */
#define ACCOUNT_SILENCE (10 * SCHEDD_SECOND)   /* in which nobody else waits then */
#define ACCOUNT_HANGS (10 * SCHEDD_SECOND)     /* after which nobody joins a look-up */
#define ACCOUNT_BUFFER ((size_t)64 * 1024)

/* An account and the text it was asked by; "" is schedd's own. */
struct account_entry {
	struct account account;
	char *user;
	struct schedd_mono expires;
};

/* A look-up on a thread of its own, which owns entry until it has run. */
struct account_lookup {
	struct offloop_work work; /* first */
	struct account_lookup *next;
	struct account_cache *cache; /* NULL: that is gone */
	struct account_entry *entry;
	struct account_waiter *waiters;
	struct schedd_mono asked;
	struct schedd_error err;
	int rc;
};

struct account_cache {
	struct strmap entries;
	struct schedd_loop *loop;        /* NULL: look-ups are made at once */
	struct offloop *offloop;         /* NULL: none was made yet */
	struct account_lookup *lookups;  /* under way */
	struct schedd_mono silent;       /* until then nobody waits: who did was not answered in time */
};

/* Whom it is about, for sentences. */
static const char *account_word(const char *user)
{
	if (strncmp(user, ACCOUNT_PAM, strlen(ACCOUNT_PAM)) == 0)
		return user + strlen(ACCOUNT_PAM);
	return strncmp(user, ACCOUNT_NAMED, strlen(ACCOUNT_NAMED)) == 0 ? user + strlen(ACCOUNT_NAMED) : user;
}

static const char *account_entry_key(const void *item)
{
	return ((const struct account_entry *)item)->user;
}

struct account_cache *account_cache_new(struct schedd_loop *loop)
{
	struct account_cache *cache = calloc(1, sizeof(*cache));

	if (cache) {
		strmap_init(&cache->entries, account_entry_key);
		cache->loop = loop;
	}
	return cache;
}

static void account_clear(struct account *account)
{
	free(account->groups);
	free(account->name);
	free(account->home);
	free(account->shell);
	for (uint32_t i = 0; i < account->env_count; i++)
		free(account->env[i]);
	free(account->env);
	free(account->rlimits);
	memset(account, 0, sizeof(*account));
}

static void account_entry_free(struct account_entry *entry)
{
	account_clear(&entry->account);
	free(entry->user);
	free(entry);
}

static struct account_entry *account_entry_new(const char *user)
{
	struct account_entry *entry = calloc(1, sizeof(*entry));

	if (entry)
		entry->user = strdup(user ? user : "");
	if (entry && !entry->user) {
		free(entry);
		return NULL;
	}
	return entry;
}

void account_cache_free(struct account_cache *cache)
{
	struct account_entry *entry;
	uint32_t position = 0;

	if (!cache)
		return;
	/* Those under way are freed by their threads. */
	offloop_free(cache->offloop);
	while ((entry = strmap_next(&cache->entries, &position)))
		account_entry_free(entry);
	strmap_clear(&cache->entries);
	free(cache);
}

/* Digits alone are an id, unless somebody is called so: names come first, as for chown(1). */
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

/* name NULL: this process' own user, who needs no entry. named: it is no number, whatever it looks like. */
static int account_user(
    struct account *account, const char *name, bool named, struct schedd_error *err)
{
	char *buffer = malloc(ACCOUNT_BUFFER);
	struct passwd entry, *found = NULL;
	unsigned uid = geteuid();
	int rc = 0;

	if (!buffer)
		return schedd_error_nomem(err);
	if (name)
		errno = getpwnam_r(name, &entry, buffer, ACCOUNT_BUFFER, &found);
	if (found)
		uid = found->pw_uid;
	else if (name && (named || !account_number(name, &uid)))
		rc = schedd_error_set(err, SCHEDD_EINVAL, "user '%s': %s", name,
			    errno && errno != ENOENT ? strerror(errno) : "no such user");
	else
		(void)getpwuid_r(uid, &entry, buffer, ACCOUNT_BUFFER, &found);
	account->known = found != NULL;
	if (rc == 0 && account_fill(account, found, uid) < 0)
		rc = schedd_error_nomem(err);
	free(buffer);
	return rc;
}

static int account_group(struct account *account, const char *name, struct schedd_error *err)
{
	unsigned gid;

	if (account_group_find(name, &account->gid))
		return 0;
	if (!account_number(name, &gid))
		return schedd_error_set(err, SCHEDD_EINVAL, "group '%s': no such group", name);
	account->gid = gid;
	return 0;
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
	bool pam = user && strncmp(user, ACCOUNT_PAM, strlen(ACCOUNT_PAM)) == 0;
	char *name = user ? strdup(account_word(user)) : NULL;
	bool named = user && account_word(user) != user;
	char *group = name ? strchr(name, ':') : NULL;
	int rc;

	if (user && !name)
		return schedd_error_nomem(err);
	if (group)
		*group++ = '\0';
	rc = account_user(account, name, named, err);
	if (rc == 0 && group)
		rc = account_group(account, group, err);
	else if (rc == 0 && user && !account->known && account->uid != geteuid())
		rc = schedd_error_set(err, SCHEDD_EINVAL,
		    "user '%s': that number has no account and so no group: name one, %s:GROUP", user,
		    user);
	if (rc == 0 && user && geteuid() == 0) {
		account->change = true;
		rc = account_groups(account, err);
	} else if (rc == 0 && user &&
		   (account->uid != geteuid() || (group && account->gid != getegid()))) {
		rc = schedd_error_set(err, SCHEDD_EPERM,
		    "user '%s': schedd runs as uid %u and cannot become another: %s", user,
		    (unsigned)geteuid(), strerror(EPERM));
	}
	if (rc == 0 && pam)
		rc = account_pam_ask(account, err);
	free(name);
	return rc;
}

/* ---- Where nothing may wait ---- */

static void account_lookup_run(struct offloop_work *work)
{
	struct account_lookup *lookup = (struct account_lookup *)work;

	lookup->rc =
	    account_look_up(&lookup->entry->account, lookup->entry->user, &lookup->err);
}

static void account_put(struct account_cache *cache, struct account_entry *entry)
{
	struct account_entry *old = strmap_get(&cache->entries, entry->user);

	if (old) {
		strmap_remove(&cache->entries, entry->user);
		account_entry_free(old);
	}
	if (strmap_put(&cache->entries, entry) < 0)
		account_entry_free(entry);
}

static void account_lookup_done(struct offloop_work *work)
{
	struct account_lookup *lookup = (struct account_lookup *)work, **at;
	struct account_cache *cache = lookup->cache;
	struct account_waiter *waiter;

	for (at = &cache->lookups; *at != lookup;)
		at = &(*at)->next;
	*at = lookup->next;
	cache->silent.us = 0;
	while ((waiter = lookup->waiters)) {
		lookup->waiters = waiter->next;
		waiter->waiting = false;
		waiter->done(lookup->rc ? NULL : &lookup->entry->account, &lookup->err, waiter->context);
	}
	if (lookup->rc)
		return;
	account_put(cache, lookup->entry);
	lookup->entry = NULL;
}

static void account_lookup_drop(struct offloop_work *work)
{
	struct account_lookup *lookup = (struct account_lookup *)work;

	if (lookup->entry)
		account_entry_free(lookup->entry);
	free(lookup);
}

static const struct offloop_ops account_lookup_ops = {
    account_lookup_run, account_lookup_done, account_lookup_drop};

static struct account_lookup *account_lookup_find(
    const struct account_cache *cache, const char *user)
{
	struct account_lookup *lookup = cache->lookups;

	while (lookup && strcmp(lookup->entry->user, user) != 0)
		lookup = lookup->next;
	return lookup;
}

static struct account_lookup *account_lookup_begin(struct account_cache *cache, const char *user,
    struct schedd_mono now, struct schedd_error *err)
{
	struct account_lookup *lookup = calloc(1, sizeof(*lookup));

	if (!cache->offloop && lookup)
		cache->offloop = offloop_new(cache->loop, ACCOUNT_LOOKUPS, err);
	if (lookup)
		lookup->entry = account_entry_new(user);
	if (!lookup || !lookup->entry || !cache->offloop) {
		if (lookup && lookup->entry)
			account_entry_free(lookup->entry);
		free(lookup);
		schedd_error_nomem(err);
		return NULL;
	}
	lookup->work.ops = &account_lookup_ops;
	lookup->cache = cache;
	lookup->asked = now;
	lookup->entry->expires.us = now.us + ACCOUNT_LIFE;
	if (!offloop_start(cache->offloop, &lookup->work)) {
		account_lookup_drop(&lookup->work);
		schedd_error_set(
		    err, SCHEDD_EFAILED, "user '%s': too many look-ups hang already", account_word(user));
		return NULL;
	}
	lookup->next = cache->lookups;
	cache->lookups = lookup;
	return lookup;
}

static int account_cache_add(struct account_cache *cache, const char *user, struct schedd_mono now,
    const struct account **out, struct schedd_error *err)
{
	struct account_entry *entry = account_entry_new(user);
	int rc;

	if (!entry)
		return schedd_error_nomem(err);
	entry->expires.us = user ? now.us + ACCOUNT_LIFE : INT64_MAX;
	rc = account_look_up(&entry->account, user, err);
	if (rc == 0 && strmap_put(&cache->entries, entry) < 0)
		rc = schedd_error_nomem(err);
	if (rc < 0)
		account_entry_free(entry);
	else
		*out = &entry->account;
	return rc;
}

int account_cache_ask(struct account_cache *cache, const char *user, struct schedd_mono now,
    struct account_waiter *waiter, const struct account **out, struct schedd_error *err)
{
	struct account_entry *entry = strmap_get(&cache->entries, user ? user : "");
	struct account_lookup *lookup;

	waiter->waiting = false;
	if (entry && entry->expires.us > now.us) {
		*out = &entry->account;
		return 0;
	}
	if (!user || !cache->loop) {
		if (entry) {
			strmap_remove(&cache->entries, entry->user);
			account_entry_free(entry);
		}
		return account_cache_add(cache, user, now, out, err);
	}
	lookup = account_lookup_find(cache, user);
	if (lookup && now.us - lookup->asked.us > ACCOUNT_HANGS)
		return schedd_error_set(err, SCHEDD_EFAILED,
		    "user '%s': the system's databases do not answer", account_word(user));
	if (!lookup)
		lookup = account_lookup_begin(cache, user, now, err);
	if (!lookup)
		return SCHEDD_EFAILED;
	waiter->waiting = true;
	waiter->next = lookup->waiters;
	lookup->waiters = waiter;
	return 1;
}

void account_cache_forget(struct account_cache *cache, struct account_waiter *waiter)
{
	struct account_lookup *lookup = waiter->waiting ? cache->lookups : NULL;

	for (; lookup; lookup = lookup->next)
		for (struct account_waiter **at = &lookup->waiters; *at; at = &(*at)->next)
			if (*at == waiter) {
				*at = waiter->next;
				waiter->waiting = false;
				return;
			}
}

/* What a short wait came to. */
struct account_answer {
	struct schedd_error err;
	bool told, found;
};

static void account_told(
    const struct account *account, const struct schedd_error *err, void *context)
{
	struct account_answer *answer = context;

	answer->told = true;
	answer->found = account != NULL;
	if (!account)
		answer->err = *err;
}

int account_cache_get(struct account_cache *cache, const char *user, struct schedd_mono now,
    const struct account **out, struct schedd_error *err)
{
	struct account_answer answer = {.told = false};
	struct account_waiter waiter = {.done = account_told, .context = &answer};
	int rc = account_cache_ask(cache, user, now, &waiter, out, err);

	if (rc <= 0)
		return rc;
	if (!offloop_wait(&account_lookup_find(cache, user)->work,
		now.us < cache->silent.us ? 0 : ACCOUNT_PATIENCE) &&
	    now.us >= cache->silent.us)
		cache->silent.us = now.us + ACCOUNT_SILENCE;
	account_cache_forget(cache, &waiter);
	if (!answer.told)
		return schedd_error_set(err, SCHEDD_ETIMEOUT,
		    "user '%s': the system's databases have not answered yet", account_word(user));
	if (!answer.found) {
		if (err)
			*err = answer.err;
		return answer.err.code;
	}
	return account_cache_ask(cache, user, now, &waiter, out, err);
}
