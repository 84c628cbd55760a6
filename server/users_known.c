/* SPDX-License-Identifier: MIT */
/* Lines "NAME UID", to which new ones are added; the last line of a name counts. */
#include "server/users_known.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/file.h"
#include "base/log.h"
#include "base/slow_ask.h"
#include "base/strmap.h"
#include "model/job.h"

#define USERS_KNOWN_MAX (4 << 20) /* bytes of the file */

struct users_known_line {
	uid_t uid;
	char name[JOB_ACCOUNT_MAX + 1];
};

struct users_known {
	const struct schedd_log *log;
	struct strmap lines;
	char *path;
};

static const char *users_known_key(const void *item)
{
	return ((const struct users_known_line *)item)->name;
}

static void users_known_forget(struct users_known *known)
{
	struct users_known_line *line;

	for (uint32_t position = 0; (line = strmap_next(&known->lines, &position));)
		free(line);
	strmap_clear(&known->lines);
	strmap_init(&known->lines, users_known_key);
}

static bool users_known_put(struct users_known *known, const char *name, uid_t uid)
{
	struct users_known_line *line = strmap_get(&known->lines, name);

	if (line) {
		line->uid = uid;
		return true;
	}
	line = calloc(1, sizeof(*line));
	if (!line)
		return false;
	snprintf(line->name, sizeof(line->name), "%s", name);
	line->uid = uid;
	if (strmap_put(&known->lines, line) == 0)
		return true;
	free(line);
	return false;
}

/* A line without its end was cut by a crash, and is written again. */
static void users_known_take(struct users_known *known, char *text)
{
	for (char *line = text, *stop; (stop = strchr(line, '\n')); line = stop + 1) {
		char *blank = strchr(line, ' '), *end = NULL;
		unsigned long uid;

		*stop = '\0';
		if (!blank)
			continue;
		*blank = '\0';
		uid = strtoul(blank + 1, &end, 10);
		if (job_account_valid(line) && end != blank + 1 && *end == '\0')
			(void)users_known_put(known, line, (uid_t)uid);
	}
}

void users_known_read(struct users_known *known)
{
	struct schedd_error err;
	size_t length;
	char *text;

	if (!known)
		return;
	if (access(known->path, F_OK) < 0 && errno == ENOENT) {
		users_known_forget(known);
		return;
	}
	if (file_read_trusted(known->path, USERS_KNOWN_MAX, &text, &length, &err)) {
		log_warn(known->log, "%s", err.message);
		return;
	}
	users_known_forget(known);
	users_known_take(known, text);
	free(text);
}

int users_known_new(const char *state_dir, const struct schedd_log *log, struct users_known **out,
    struct schedd_error *err)
{
	struct users_known *known = calloc(1, sizeof(*known));

	*out = NULL;
	if (!known || asprintf(&known->path, "%s/accounts", state_dir) < 0) {
		free(known);
		return schedd_error_nomem(err);
	}
	known->log = log;
	strmap_init(&known->lines, users_known_key);
	users_known_read(known);
	*out = known;
	return 0;
}

void users_known_free(struct users_known *known)
{
	if (!known)
		return;
	users_known_forget(known);
	free(known->path);
	free(known);
}

/* A line on its way to the file. */
struct users_known_note {
	char *path;
	int fault; /* errno; 0: it is there */
	int length;
	char line[JOB_ACCOUNT_MAX + 32];
};

static void users_known_write(void *context)
{
	struct users_known_note *note = context;
	int fd = open(note->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	const char *from = fd >= 0 && lseek(fd, 0, SEEK_END) == 0 ? note->line + 1 : note->line;
	size_t size = (size_t)note->length - (size_t)(from - note->line);

	if (fd < 0 || write(fd, from, size) != (ssize_t)size || fdatasync(fd) < 0)
		note->fault = errno ? errno : EIO;
	if (fd >= 0)
		close(fd);
}

static void users_known_drop(void *context)
{
	struct users_known_note *note = context;

	free(note->path);
	free(note);
}

/* What cannot be written is known until the end of this process. A disk that hangs is not waited for. */
static void users_known_note(struct users_known *known, const char *account, uid_t uid)
{
	struct users_known_note *note = calloc(1, sizeof(*note));

	(void)users_known_put(known, account, uid);
	if (note)
		note->path = strdup(known->path);
	if (!note || !note->path) {
		log_warn(known->log, "%s: no memory to write '%s' there", known->path, account);
		free(note);
		return;
	}
	note->length = snprintf(note->line, sizeof(note->line), "\n%s %lu\n", account, (unsigned long)uid);
	if (!slow_do(users_known_write, users_known_drop, note)) {
		log_warn(known->log, "%s: the disk does not answer: '%s' may not stand there yet", known->path, account);
		return;
	}
	if (note->fault)
		log_warn(known->log, "%s: cannot be written: %s", known->path, strerror(note->fault));
	users_known_drop(note);
}

bool users_known_same(
    struct users_known *known, const char *account, uid_t uid, char *why, size_t size)
{
	const struct users_known_line *line = known ? strmap_get(&known->lines, account) : NULL;

	if (line && line->uid != uid) {
		snprintf(why, size,
		    "'%s' has uid %lu, but its jobs here are of uid %lu, which had that name before: "
		    "an administrator removes them, and the line in 'accounts' in the state directory",
		    account, (unsigned long)uid, (unsigned long)line->uid);
		return false;
	}
	if (known && !line)
		users_known_note(known, account, uid);
	return true;
}
