/* SPDX-License-Identifier: MIT */
/*
 * An account as the system's databases have it. They are asked off the calling thread, see slow_ask.h: a
 * silent one is waited for a moment, no longer.
 */
#ifndef SCHEDD_BASE_SYSTEM_USER_H
#define SCHEDD_BASE_SYSTEM_USER_H

#include <sys/types.h>
#include <schedd/error.h>

struct system_user {
	uid_t uid;
	gid_t gid;
	char name[256];
	char home[1024]; /* "": longer than that */
};

/*
 * 0; SCHEDD_ENOTFOUND: there is none; SCHEDD_EFAILED: they have not said yet, or could not; SCHEDD_ENOMEM.
 * err may be NULL. Without 0 out is untouched.
 */
int system_user_named(const char *name, struct system_user *out, struct schedd_error *err)
    __attribute__((warn_unused_result));
int system_user_numbered(uid_t uid, struct system_user *out, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* What to say where nobody has said it: who is "uid 7" or "'alice'". SCHEDD_EFAILED. */
int system_user_silent(const char *who, struct schedd_error *err);

#endif
