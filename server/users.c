/* SPDX-License-Identifier: MIT */
/* Lists of the config are short, and looked through once a connection. */
#include "server/users.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/slow_ask.h"
#include "base/system_user.h"
#include "server/cron_spool.h"
#include "server/users_facts.h"
#include "server/users_known.h"

/* ---- Lists ---- */

/* An account, and what is known of it. */
struct users_who {
	const char *name;
	uid_t uid;
	const struct users_facts *facts;
};

static struct users_who users_who_of(const struct users_facts *facts)
{
	return (struct users_who){users_facts_name(facts), users_facts_uid(facts), facts};
}

static bool users_listed(const char *const *list, const struct users_who *entry)
{
	for (; list && *list; list++) {
		if (strcmp(*list, "*") == 0 || strcmp(*list, entry->name) == 0)
			return true;
		if ((*list)[0] == '@' && users_facts_in(entry->facts, *list + 1))
			return true;
	}
	return false;
}

/* As crontab(1) of Debian decides. */
static bool users_cron_allows(const struct users_who *entry)
{
	struct schedd_error err;

	return cron_spool_allowed("", entry->name, entry->uid, &err) == 0;
}

static bool users_allowed(const struct config_users *users, const struct users_who *entry)
{
	return users->cron_files ? users_cron_allows(entry)
				 : users_listed(users->allow, entry);
}

bool users_are_served(const struct config_users *users)
{
	return geteuid() == 0 && ((users->allow && users->allow[0]) ||
				     (users->operators && users->operators[0]) ||
				     (users->admins && users->admins[0]) || users->cron_files);
}

/* ---- Who asks ---- */

static int users_refuse(uid_t uid, const char *name, struct schedd_error *err)
{
	if (name)
		return schedd_error_set(err, SCHEDD_EPERM,
		    "this schedd does not serve '%.64s': an administrator decides (users.allow and "
		    "users.deny of its config)",
		    name);
	return schedd_error_set(err, SCHEDD_EPERM,
	    "this schedd belongs to uid %ld: uid %ld may not use it", (long)geteuid(), (long)uid);
}

/* Not one whose name somebody else had when these jobs were made. */
static int users_judge_same(
    const struct config_users *users, const struct users_who *entry, struct schedd_error *err)
{
	char why[SCHEDD_ERROR_MESSAGE_MAX];

	if (users_known_same(users->known, entry->name, entry->uid, why, sizeof(why)))
		return 0;
	return schedd_error_set(err, SCHEDD_EPERM, "%s", why);
}

static int users_judge_entry(const struct config_users *users, const struct users_who *entry,
    struct users_caller *out, struct schedd_error *err)
{
	if (!job_account_valid(entry->name))
		return schedd_error_set(err, SCHEDD_EPERM,
		    "the account's name '%.64s' cannot be part of a job's id: letters, digits, "
		    "'_', '.', '-', '@' and '+', at most %d",
		    entry->name, JOB_ACCOUNT_MAX);
	if (users_listed(users->deny, entry))
		return users_refuse(out->uid, entry->name, err);
	if (users_listed(users->admins, entry)) {
		out->role = USERS_ADMIN;
		return 0;
	}
	strcpy(out->account, entry->name);
	if (users_listed(users->operators, entry)) {
		out->role = USERS_OPERATOR;
		return users_judge_same(users, entry, err);
	}
	if (!users_allowed(users, entry))
		return users_refuse(out->uid, entry->name, err);
	strcpy(out->view, out->account);
	return users_judge_same(users, entry, err);
}

bool users_judge_asks(const struct config_users *users, uid_t uid)
{
	return uid != 0 && uid != geteuid() && users_are_served(users);
}

int users_judge_facts(const struct config_users *users, const struct users_facts *facts,
    struct users_caller *out, struct schedd_error *err)
{
	const struct users_who who = users_who_of(facts);

	memset(out, 0, sizeof(*out));
	out->uid = who.uid;
	out->role = USERS_USER;
	if (who.name)
		return users_judge_entry(users, &who, out, err);
	return schedd_error_set(err, SCHEDD_EPERM,
	    "uid %ld has no account on this machine: schedd cannot serve it", (long)who.uid);
}

int users_judge(const struct config_users *users, uid_t uid, struct users_caller *out,
    struct schedd_error *err)
{
	struct users_facts *facts;
	int rc;

	memset(out, 0, sizeof(*out));
	out->uid = uid;
	out->role = USERS_ADMIN;
	if (uid == 0 || uid == geteuid())
		return 0;
	out->role = USERS_USER;
	if (!users_are_served(users))
		return users_refuse(uid, NULL, err);
	facts = users_facts_new(users, uid);
	if (!facts)
		return schedd_error_nomem(err);
	users_facts_ask(facts);
	rc = users_judge_facts(users, facts, out, err);
	users_facts_free(facts);
	return rc;
}

/* Is it the account that the daemon runs as? While nobody says so it is what it is called. */
static bool users_is_own(const char *account)
{
	struct system_user user;

	return (geteuid() == 0 && strcmp(account, USERS_OWN) == 0) ||
	       (system_user_named(account, &user, NULL) == 0 && user.uid == geteuid());
}

int users_narrow(struct users_caller *caller, const char *account, struct schedd_error *err)
{
	bool all = strcmp(account, "*") == 0;

	if (caller->role == USERS_USER && !all && strcmp(account, caller->account) != 0)
		return schedd_error_set(err, SCHEDD_EPERM,
		    "only operators and admins see jobs of other accounts; you are '%s'",
		    caller->account);
	if (caller->role == USERS_USER)
		return 0;
	if (!all && users_is_own(account)) {
		strcpy(caller->view, USERS_OWN);
		return 0;
	}
	if (!all && geteuid() != 0)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "this schedd has jobs of its own account alone, none of '%.64s'", account);
	if (!all && !job_account_valid(account))
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "'%.64s' is no name of an account", account);
	snprintf(caller->view, sizeof(caller->view), "%s", all ? "" : account);
	return 0;
}

/* ---- Whose jobs run ---- */

static bool users_who_may_run(const struct config_users *users, const struct users_who *who,
    bool tables, char *why, size_t size)
{
	if (users_facts_expired(who->facts))
		snprintf(why, size, "the account '%s' has expired: an administrator decides (chage -E)", who->name);
	else if (users_listed(users->deny, who) ||
		 !(tables || users_listed(users->admins, who) || users_listed(users->operators, who) ||
		     users_allowed(users, who)))
		snprintf(why, size,
		    "the account '%s' may not use schedd: an administrator decides (users.allow and "
		    "users.deny of its config)",
		    who->name);
	else
		return users_known_same(users->known, who->name, who->uid, why, size);
	return false;
}

enum users_may users_may_run(const struct config_users *users, const char *account, bool tables,
    char *why, size_t size)
{
	struct schedd_error silent;
	struct slow_answer *answer = users_facts_named(users, account, &silent);
	struct users_who who;
	bool may = false;

	if (!answer) {
		snprintf(why, size, "%s", silent.message);
		return USERS_MAY_BE;
	}
	who = users_who_of(slow_answer(answer));
	if (who.name)
		may = users_who_may_run(users, &who, tables, why, size);
	else
		snprintf(why, size,
		    "there is no account '%s' on this machine: an administrator decides whether it "
		    "comes back or its jobs are removed",
		    account);
	slow_answer_free(answer);
	return may ? USERS_MAY : USERS_MAY_NOT;
}

/* ---- Who is vouched for ---- */

static int users_vouch_facts(const struct config_users *users, const char *account,
    const struct users_facts *facts, struct users_caller *out, struct schedd_error *err)
{
	const struct users_who who = users_who_of(facts);
	char why[256] = "";

	if (!who.name || !job_account_valid(account))
		return schedd_error_set(err, SCHEDD_EPERM, "there is no account '%.64s' to act as", account);
	out->account[0] = '\0';
	if (who.uid == geteuid())
		return 0; /* the daemon's own, under its own name */
	if (geteuid() != 0 || !users_who_may_run(users, &who, false, why, sizeof(why)))
		return schedd_error_set(err, SCHEDD_EPERM, "%s",
		    why[0] ? why : "only root's schedd has jobs of other accounts");
	strcpy(out->account, account);
	out->uid = who.uid;
	return 0;
}

static int users_vouch_account(const struct config_users *users, const char *account,
    struct users_caller *out, struct schedd_error *err)
{
	struct slow_answer *answer = users_facts_named(users, account, err);
	int rc = answer ? users_vouch_facts(users, account, slow_answer(answer), out, err) : err->code;

	if (rc == SCHEDD_EFAILED)
		rc = err->code = SCHEDD_ETIMEOUT;
	slow_answer_free(answer);
	return rc;
}

int users_vouch(const struct config_users *users, const char *role, const char *account,
    struct users_caller *out, struct schedd_error *err)
{
	int rc = 0;

	memset(out, 0, sizeof(*out));
	out->uid = geteuid();
	if (account)
		rc = users_vouch_account(users, account, out, err);
	if (rc)
		return rc;
	for (int i = USERS_ADMIN; i > USERS_USER; i--)
		if (strcmp(role, users_role_name((enum users_role)i)) == 0)
			out->role = (enum users_role)i;
	out->homeless = out->role == USERS_OPERATOR && !account;
	if (out->role == USERS_ADMIN)
		strcpy(out->view, out->account);
	else if (out->role == USERS_USER && !out->account[0] && geteuid() == 0)
		return schedd_error_set(err, SCHEDD_EPERM,
		    "the role user needs an account other than root's");
	else if (out->role == USERS_USER)
		strcpy(out->view, out->account);
	return 0;
}

struct config_limits users_limits(const struct config_users *users, const char *account)
{
	struct config_limits limits = users->limits;
	const struct config_limits *own = NULL;

	for (uint32_t i = 0; i < users->account_count; i++)
		if (strcmp(users->accounts[i].name, account) == 0)
			own = &users->accounts[i].limits;
	if (!own)
		return limits;
	limits.jobs = own->jobs != INT64_MIN ? own->jobs : limits.jobs;
	limits.running = own->running != INT64_MIN ? own->running : limits.running;
	limits.queued = own->queued != INT64_MIN ? own->queued : limits.queued;
	limits.every = own->every != INT64_MIN ? own->every : limits.every;
	limits.output = own->output != INT64_MIN ? own->output : limits.output;
	limits.history = own->history != INT64_MIN ? own->history : limits.history;
	limits.clients = own->clients != INT64_MIN ? own->clients : limits.clients;
	limits.requests = own->requests != INT64_MIN ? own->requests : limits.requests;
	return limits;
}

const char *users_role_name(enum users_role role)
{
	static const char *const names[] = {"user", "operator", "admin"};

	return names[role];
}
