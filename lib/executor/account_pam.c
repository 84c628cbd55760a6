/* SPDX-License-Identifier: MIT */
/* Runs on a thread that may wait: what hangs in PAM is ended with its process. */
#include "executor/account_pam.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>
#include "base/dynlib.h"
#include "base/strbuf.h"

#define PAM_PROGRAM "schedd-pam"
#define PAM_SERVICE "cron"
#define PAM_WAIT 9000           /* ms; it ends itself after 8 s */
#define PAM_ANSWER_MAX ((size_t)256 << 10)
#define PAM_VARIABLES_MAX 256

extern char **environ;

bool account_pam_wanted(void)
{
	return geteuid() == 0 && (access("/etc/pam.d/" PAM_SERVICE, R_OK) == 0 ||
				     access("/usr/lib/pam.d/" PAM_SERVICE, R_OK) == 0);
}

/* ---- What it answers ---- */

static int pam_take_variable(struct account *account, const char *text)
{
	char **grown;

	if (!strchr(text, '=') || account->env_count >= PAM_VARIABLES_MAX)
		return 0;
	grown = realloc(account->env, (account->env_count + 1) * sizeof(grown[0]));
	if (!grown)
		return SCHEDD_ENOMEM;
	account->env = grown;
	account->env[account->env_count] = strdup(text);
	return account->env[account->env_count++] ? 0 : SCHEDD_ENOMEM;
}

static int pam_take_limit(struct account *account, const char *text)
{
	struct job_rlimit limit = {0}, *grown;
	unsigned long long soft, hard;
	char *end;

	limit.resource = (int)strtol(text, &end, 10);
	soft = strtoull(end, &end, 10);
	hard = strtoull(end, &end, 10);
	if (*end)
		return 0;
	limit.soft = soft;
	limit.hard = hard;
	grown = realloc(account->rlimits, (account->rlimit_count + 1) * sizeof(grown[0]));
	if (!grown)
		return SCHEDD_ENOMEM;
	account->rlimits = grown;
	account->rlimits[account->rlimit_count++] = limit;
	return 0;
}

static int pam_take(struct account *account, const struct strbuf *answer, struct schedd_error *err)
{
	const char *end = answer->data + answer->length;
	bool whole = false;
	int rc = 0;

	for (const char *at = answer->data; rc == 0 && at < end && memchr(at, '\0', (size_t)(end - at));
	     at += strlen(at) + 1) {
		whole = *at == '.';
		if (*at == 'R')
			return schedd_error_set(err, SCHEDD_EPERM,
			    "account '%s': PAM refuses it: %s; an administrator decides "
			    "(/etc/pam.d/" PAM_SERVICE ")",
			    account->name, at + 1);
		if (*at == 'E')
			rc = pam_take_variable(account, at + 1);
		else if (*at == 'L')
			rc = pam_take_limit(account, at + 1);
		else if (*at == 'N')
			account->nice = atoi(at + 1);
		else if (*at == 'A')
			account->loginuid = true;
	}
	if (rc)
		return schedd_error_nomem(err);
	return whole ? 0
		     : schedd_error_set(err, SCHEDD_EFAILED,
			   "account '%s': PAM did not answer (/etc/pam.d/" PAM_SERVICE ")",
			   account->name);
}

/* ---- Asking ---- */

static int pam_start_program(int program, const char *user, int out, pid_t *pid)
{
	char title[] = PAM_PROGRAM, service[] = PAM_SERVICE, path[48], *name = strdup(user);
	char *const argv[] = {title, service, name, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t how;
	sigset_t none, all;
	int rc = ENOMEM;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", program);
	if (name && posix_spawn_file_actions_init(&actions) == 0) {
		if (posix_spawnattr_init(&how) == 0) {
			sigemptyset(&none);
			sigfillset(&all);
			(void)posix_spawnattr_setsigmask(&how, &none);
			(void)posix_spawnattr_setsigdefault(&how, &all);
			(void)posix_spawnattr_setflags(
			    &how, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
			rc = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
			if (!rc)
				rc = posix_spawn_file_actions_adddup2(&actions, out, 1);
			if (!rc)
				rc = posix_spawn(pid, path, &actions, &how, argv, environ);
			posix_spawnattr_destroy(&how);
		}
		posix_spawn_file_actions_destroy(&actions);
	}
	free(name);
	return rc;
}

static void pam_read(int fd, struct strbuf *answer)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	char buffer[4096];
	ssize_t got = 1;

	while (got > 0 && answer->length < PAM_ANSWER_MAX && poll(&ready, 1, PAM_WAIT) == 1) {
		got = read(fd, buffer, sizeof(buffer));
		if (got > 0)
			strbuf_add_n(answer, buffer, (size_t)got);
	}
}

int account_pam_ask(struct account *account, struct schedd_error *err)
{
	struct strbuf answer = STRBUF_EMPTY;
	struct schedd_error why;
	int program = dynlib_program(PAM_PROGRAM, &why), ends[2], rc;
	pid_t pid;

	/* Built without PAM: there is nothing to ask. */
	if (program < 0)
		return 0;
	if (pipe2(ends, O_CLOEXEC) < 0) {
		close(program);
		return schedd_error_set(err, SCHEDD_EFAILED, "account '%s': %s", account->name,
		    strerror(errno));
	}
	rc = pam_start_program(program, account->name, ends[1], &pid);
	close(ends[1]);
	if (rc) {
		rc = schedd_error_set(err, SCHEDD_EFAILED, "account '%s': " PAM_PROGRAM ": %s",
		    account->name, strerror(rc));
	} else {
		pam_read(ends[0], &answer);
		/* It leads a session: what a module has started and left goes with it. */
		kill(-pid, SIGKILL);
		kill(pid, SIGKILL);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		rc = strbuf_failed(&answer) ? schedd_error_nomem(err)
					    : pam_take(account, &answer, err);
	}
	close(ends[0]);
	strbuf_clear(&answer);
	close(program);
	return rc;
}
