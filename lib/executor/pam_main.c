/* SPDX-License-Identifier: MIT */
/*
 * schedd-pam SERVICE USER: asks PAM whether jobs of an account may run, and what
 * its session gives them. A program of its own, so that no module of PAM is ever loaded
 * into schedd or may hold it up; it is not needed but where tables of cron are run.
 *
 * Records that end in NUL go to stdout: "R" why it is refused, "E" NAME=VALUE,
 * "L" resource, soft and hard limit, "N" niceness, "A" that its audit id is set, "W" a
 * warning; "." is the last one.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <security/pam_appl.h>
#include <sys/resource.h>

#define PAM_PATIENCE 8 /* s after which a module that hangs is ended with all of this */
#define PAM_TERMINAL "cron"

/* Nobody is there to be asked anything. */
static int pam_converse(
    int count, const struct pam_message **messages, struct pam_response **answers, void *context)
{
	(void)count;
	(void)messages;
	(void)answers;
	(void)context;
	return PAM_CONV_ERR;
}

static void pam_record(char kind, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void pam_record(char kind, const char *format, ...)
{
	va_list list;

	putchar(kind);
	va_start(list, format);
	vprintf(format, list);
	va_end(list);
	putchar('\0');
}

static void pam_records_of_limits(const struct rlimit *before, int nice)
{
	for (int i = 0; i < RLIM_NLIMITS; i++) {
		struct rlimit now;

		if (getrlimit((__rlimit_resource_t)i, &now) < 0 ||
		    (now.rlim_cur == before[i].rlim_cur && now.rlim_max == before[i].rlim_max))
			continue;
		pam_record('L', "%d %llu %llu", i, (unsigned long long)now.rlim_cur,
		    (unsigned long long)now.rlim_max);
	}
	errno = 0;
	if (getpriority(PRIO_PROCESS, 0) != nice)
		pam_record('N', "%d", getpriority(PRIO_PROCESS, 0) - nice);
}

static void pam_records_of_environment(pam_handle_t *pam)
{
	char **list = pam_getenvlist(pam);

	for (char **item = list; item && *item; item++) {
		pam_record('E', "%s", *item);
		free(*item);
	}
	free(list);
}

/* The kernel's record of who has begun all this, which every process inherits. */
static unsigned long pam_loginuid(void)
{
	FILE *file = fopen("/proc/self/loginuid", "re");
	unsigned long uid = (unsigned long)(uid_t)-1;

	if (file && fscanf(file, "%lu", &uid) != 1)
		uid = (unsigned long)(uid_t)-1;
	if (file)
		fclose(file);
	return uid;
}

/* As cron: the account is judged, then its credentials and its session come; what those cannot do is
 * said, and refuses nobody. */
static void pam_session(pam_handle_t *pam, const struct passwd *entry)
{
	struct rlimit before[RLIM_NLIMITS];
	int nice = getpriority(PRIO_PROCESS, 0), rc;
	unsigned long loginuid = pam_loginuid();
	bool open = false;

	for (int i = 0; i < RLIM_NLIMITS; i++)
		if (getrlimit((__rlimit_resource_t)i, &before[i]) < 0)
			before[i] = (struct rlimit){0};
	rc = pam_acct_mgmt(pam, PAM_SILENT);
	if (rc != PAM_SUCCESS) {
		pam_record('R', "%s", pam_strerror(pam, rc));
		return;
	}
	if (initgroups(entry->pw_name, entry->pw_gid) < 0)
		pam_record('W', "groups: %s", strerror(errno));
	rc = pam_setcred(pam, PAM_ESTABLISH_CRED | PAM_SILENT);
	if (rc != PAM_SUCCESS)
		pam_record('W', "credentials: %s", pam_strerror(pam, rc));
	rc = pam_open_session(pam, PAM_SILENT);
	if (rc == PAM_SUCCESS)
		open = true;
	else
		pam_record('W', "session: %s", pam_strerror(pam, rc));
	if (loginuid != entry->pw_uid && pam_loginuid() == entry->pw_uid)
		pam_record('A', "%s", "");
	pam_records_of_limits(before, nice);
	pam_records_of_environment(pam);
	if (open)
		(void)pam_close_session(pam, PAM_SILENT);
	(void)pam_setcred(pam, PAM_DELETE_CRED | PAM_SILENT);
}

int main(int argc, char **argv)
{
	const struct pam_conv conversation = {.conv = pam_converse};
	const struct passwd *entry;
	pam_handle_t *pam = NULL;
	int rc;

	if (argc != 3)
		return 2;
	alarm(PAM_PATIENCE);
	entry = getpwnam(argv[2]);
	if (!entry)
		return 3;
	rc = pam_start(argv[1], argv[2], &conversation, &pam);
	if (rc != PAM_SUCCESS) {
		pam_record('R', "%s", pam_strerror(pam, rc));
	} else {
		(void)pam_set_item(pam, PAM_TTY, PAM_TERMINAL);
		pam_session(pam, entry);
		(void)pam_end(pam, PAM_SUCCESS);
	}
	pam_record('.', "%s", "");
	return fflush(stdout) == 0 ? 0 : 4;
}
