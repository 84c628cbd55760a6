/* SPDX-License-Identifier: MIT */
/* Who may ask for what: the kernel's word for who asks, against what the config says. */
#ifndef SCHEDD_SERVER_USERS_H
#define SCHEDD_SERVER_USERS_H

#include <stdbool.h>
#include <sys/types.h>
#include <schedd/error.h>
#include "model/job.h"
#include "server/config.h"

struct users_facts;

enum users_role {
	USERS_USER,     /* sees and changes jobs of its own */
	USERS_OPERATOR, /* sees all jobs, and may run, pause, resume, kill and retry them */
	USERS_ADMIN,    /* may do everything: root, and who is the daemon's own user */
};

/* Who asks. */
struct users_caller {
	uid_t uid;
	enum users_role role;
	/* Its name; "": the daemon's own account, whose jobs bear none in their ids. */
	char account[JOB_ACCOUNT_MAX + 1];
	/* The account whose ids stand alone, and whose jobs alone are seen; "": all are, under
	 * their full ids. */
	char view[JOB_ACCOUNT_MAX + 1];
	bool homeless; /* it has no account at all: no job can be its own */
};

/* The view of the daemon's own jobs, which bear no account in their ids. */
#define USERS_OWN "root"

/* Is anybody served beside root? Only a daemon of root can. */
bool users_are_served(const struct config_users *users);
/* Does it need the system's databases to say who that is? */
bool users_judge_asks(const struct config_users *users, uid_t uid);
/* SCHEDD_EPERM: it may not use this daemon. Looks into the system's databases where that is needed. */
int users_judge(const struct config_users *users, uid_t uid, struct users_caller *out,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* The same by what they have said, for whom that is needed. */
int users_judge_facts(const struct config_users *users, const struct users_facts *facts,
    struct users_caller *out, struct schedd_error *err) __attribute__((warn_unused_result));
/*
 * A caller that another part of the daemon vouches for: "user", "operator" or
 * "admin", and the account whose jobs it adds (NULL: the daemon's own, for admins
 * alone). SCHEDD_EPERM: the account may have no jobs here. SCHEDD_ETIMEOUT: nobody has said yet who it is.
 */
int users_vouch(const struct config_users *users, const char *role, const char *account,
    struct users_caller *out, struct schedd_error *err) __attribute__((warn_unused_result));
/*
 * The caller sees the jobs of that account alone from now on, or with "*" all it
 * may see. SCHEDD_EPERM: its role does not let it.
 */
int users_narrow(struct users_caller *caller, const char *account, struct schedd_error *err)
    __attribute__((warn_unused_result));
enum users_may {
	USERS_MAY_NOT,
	USERS_MAY,
	USERS_MAY_BE, /* the system's databases have not said yet who it is */
};

/*
 * May jobs of that account run? Otherwise why (of size bytes) says what keeps
 * them. tables: cron's tables are run, whose accounts need not be allowed to talk
 * to the daemon; denied, expired and gone ones are held all the same.
 */
enum users_may users_may_run(const struct config_users *users, const char *account, bool tables,
    char *why, size_t size);
/* The limits that hold for an account. */
struct config_limits users_limits(const struct config_users *users, const char *account);
/* "user", "operator", "admin" */
const char *users_role_name(enum users_role role);

#endif
