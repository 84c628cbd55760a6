/* SPDX-License-Identifier: MIT */
/*
 * The daemon may read what an account may not. So the secret of an account's
 * job must be in a file that is the account's own, whatever its path says.
 */
#include "server/http/http_hook_check.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "loop/offloop.h"
#include "model/job.h"
#include "server/http/http_sha256.h"

#define HOOK_SECRET_MAX 65536 /* bytes of a file */
#define HOOK_ENTRY_MAX 16384  /* bytes of an entry of passwd */

struct http_hook_check {
	struct offloop_work work;       /* first */
	char account[JOB_ACCOUNT_MAX + 1]; /* "": the daemon's own */
	char *file;
	char *body;
	size_t length;
	char signature[HTTP_SHA256_HEX]; /* lower case */
	enum http_hook_verdict verdict;
	char reason[256];
	void (*done)(enum http_hook_verdict verdict, const char *reason, void *context);
	void *context; /* passed back, not owned */
};

/* ---- On a thread ---- */

static bool hook_account_owns(const struct http_hook_check *check, const struct stat *st)
{
	char *buffer = malloc(HOOK_ENTRY_MAX);
	struct passwd entry, *found = NULL;
	bool owns = buffer &&
		    getpwnam_r(check->account, &entry, buffer, HOOK_ENTRY_MAX, &found) == 0 &&
		    found && found->pw_uid == st->st_uid;

	free(buffer);
	return owns;
}

/* What speaks against the file; NULL: nothing. */
static const char *hook_file_fault(const struct http_hook_check *check, const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return "it is no regular file";
	if (check->account[0] && !hook_account_owns(check, st))
		return "it is not the account's own";
	if (!check->account[0] && st->st_uid != geteuid() && st->st_uid != 0)
		return "it belongs to another user";
	if (st->st_mode & 022)
		return "it can be written by others: chmod 600";
	if (st->st_size > HOOK_SECRET_MAX)
		return "it is larger than 64 KiB";
	return NULL;
}

/* Into a buffer of HOOK_SECRET_MAX; -1: reason says why not. An end of line is not of the secret. */
static ssize_t hook_secret_read(struct http_hook_check *check, char *secret)
{
	int fd = open(check->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	const char *fault = NULL;
	ssize_t length = -1;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		fault = strerror(errno);
	else
		fault = hook_file_fault(check, &st);
	if (!fault && (length = read(fd, secret, HOOK_SECRET_MAX)) < 0)
		fault = strerror(errno);
	if (fd >= 0)
		close(fd);
	if (length > 0 && secret[length - 1] == '\n')
		length--;
	if (length > 0 && secret[length - 1] == '\r')
		length--;
	if (!fault && length == 0)
		fault = "it is empty";
	if (!fault)
		return length;
	snprintf(check->reason, sizeof(check->reason), "%.150s: %s", check->file, fault);
	return -1;
}

static void hook_check_run(struct offloop_work *work)
{
	struct http_hook_check *check = (struct http_hook_check *)work;
	char *secret = malloc(HOOK_SECRET_MAX), made[HTTP_SHA256_HEX];
	ssize_t length = secret ? hook_secret_read(check, secret) : -1;

	check->verdict = HTTP_HOOK_UNREADABLE;
	if (length > 0) {
		http_hmac_sha256(secret, (size_t)length, check->body, check->length, made);
		check->verdict = http_sha256_equal(made, check->signature) ? HTTP_HOOK_SIGNED
									   : HTTP_HOOK_FORGED;
	}
	if (secret)
		explicit_bzero(secret, HOOK_SECRET_MAX);
	free(secret);
}

/* ---- On the loop ---- */

static void hook_check_done(struct offloop_work *work)
{
	const struct http_hook_check *check = (const struct http_hook_check *)work;

	check->done(check->verdict, check->reason, check->context);
}

static void hook_check_drop(struct offloop_work *work)
{
	struct http_hook_check *check = (struct http_hook_check *)work;

	free(check->file);
	free(check->body);
	free(check);
}

static const struct offloop_ops hook_check_ops = {
    .run = hook_check_run,
    .done = hook_check_done,
    .drop = hook_check_drop,
};

struct http_hook_check *http_hook_check(const struct web_host *host, const char *job,
    const char *file, const void *body, size_t length, const char *signature,
    void (*done)(enum http_hook_verdict verdict, const char *reason, void *context), void *context)
{
	struct http_hook_check *check = calloc(1, sizeof(*check));

	if (!check)
		return NULL;
	check->work.ops = &hook_check_ops;
	snprintf(check->account, sizeof(check->account), "%.*s", (int)job_id_account(job), job);
	check->file = strdup(file);
	check->body = malloc(length + 1);
	check->length = length;
	check->done = done;
	check->context = context;
	if (check->body && length)
		memcpy(check->body, body, length);
	for (size_t i = 0; i < HTTP_SHA256_HEX - 1 && signature[i]; i++)
		check->signature[i] = (char)tolower((unsigned char)signature[i]);
	if (check->file && check->body && host->work(host->context, &check->work))
		return check;
	hook_check_drop(&check->work);
	return NULL;
}

void http_hook_check_leave(const struct web_host *host, struct http_hook_check *check)
{
	host->leave(&check->work);
}
