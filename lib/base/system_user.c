/* SPDX-License-Identifier: MIT */
#include "base/system_user.h"

#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/slow_ask.h"

#define USER_ENTRY_MAX 65536 /* bytes of an entry of passwd */

/* uid -1, which nobody can have: there is none. */
static void *user_ask(const char *key, bool *nomem)
{
	char *buffer = malloc(USER_ENTRY_MAX);
	struct system_user *user = calloc(1, sizeof(*user));
	struct passwd entry, *found = NULL;
	int rc = ENOMEM;

	if (buffer && user && key[0] == '#')
		rc = getpwuid_r((uid_t)strtoul(key + 1, NULL, 10), &entry, buffer, USER_ENTRY_MAX, &found);
	else if (buffer && user)
		rc = getpwnam_r(key + 1, &entry, buffer, USER_ENTRY_MAX, &found);
	/* Some libraries say so of one that is not there. */
	if (rc == ENOENT || rc == ESRCH)
		rc = 0;
	if (!rc && found && strlen(found->pw_name) < sizeof(user->name)) {
		user->uid = found->pw_uid;
		user->gid = found->pw_gid;
		snprintf(user->name, sizeof(user->name), "%s", found->pw_name);
		if (found->pw_dir && strlen(found->pw_dir) < sizeof(user->home))
			snprintf(user->home, sizeof(user->home), "%s", found->pw_dir);
	} else if (!rc) {
		user->uid = (uid_t)-1;
	}
	*nomem = rc == ENOMEM;
	free(buffer);
	if (!rc)
		return user;
	free(user);
	return NULL;
}

static const struct slow_kind user_kind = {user_ask, free};

int system_user_silent(const char *who, struct schedd_error *err)
{
	return schedd_error_set(err, SCHEDD_EFAILED,
	    "the system's databases have not said yet who %s is: try again, or ask an administrator whether "
	    "what they ask (nsswitch.conf) answers",
	    who);
}

static int user_find(const char *key, const char *who, struct system_user *out, struct schedd_error *err)
{
	bool nomem;
	struct slow_answer *answer = slow_ask(&user_kind, key, &nomem);
	const struct system_user *user;
	int rc = 0;

	if (!answer)
		return nomem ? schedd_error_nomem(err) : system_user_silent(who, err);
	user = slow_answer(answer);
	if (user->uid == (uid_t)-1)
		rc = schedd_error_set(err, SCHEDD_ENOTFOUND, "there is no account %s", who);
	else
		*out = *user;
	slow_answer_free(answer);
	return rc;
}

int system_user_named(const char *name, struct system_user *out, struct schedd_error *err)
{
	char key[sizeof(out->name) + 1], who[sizeof(out->name) + 2];

	/* Longer than the databases can have. */
	if (snprintf(key, sizeof(key), "=%s", name) >= (int)sizeof(key))
		return schedd_error_set(err, SCHEDD_ENOTFOUND, "there is no account '%.64s'", name);
	snprintf(who, sizeof(who), "'%s'", name);
	return user_find(key, who, out, err);
}

int system_user_numbered(uid_t uid, struct system_user *out, struct schedd_error *err)
{
	char key[32], who[32];

	snprintf(key, sizeof(key), "#%lu", (unsigned long)uid);
	snprintf(who, sizeof(who), "uid %lu", (unsigned long)uid);
	return user_find(key, who, out, err);
}
