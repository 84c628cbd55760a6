/* SPDX-License-Identifier: MIT */
/*
 * The listening socket goes over as systemd would pass it (descriptor 3,
 * LISTEN_FDS), so clients that connect meanwhile just wait a moment. The rest
 * goes over as JSON in a file in memory, whose number stands in the mark:
 * SCHEDD_REEXEC=PID:FD.
 */
#include "server/reexec.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include "base/json_exact.h"

#define REEXEC_MARK "SCHEDD_REEXEC"
#define REEXEC_LISTEN_FD 3

bool reexec_is_second(void)
{
	const char *mark = getenv(REEXEC_MARK);

	return mark && strtol(mark, NULL, 10) == getpid();
}

void reexec_settled(void)
{
	unsetenv(REEXEC_MARK);
}

int reexec_prepare(struct reexec *reexec, int listening, struct schedd_error *err)
{
	static const char gone[] = " (deleted)";
	char path[PATH_MAX + sizeof(gone)];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	size_t cut = sizeof(gone) - 1;

	*reexec = (struct reexec){.listening = -1, .state = -1};
	if (n < 0)
		return schedd_error_set(err, SCHEDD_EFAILED,
		    "cannot find the program to run anew: %s", strerror(errno));
	path[n] = '\0';
	/* An upgrade has replaced the file: the new one has the old one's name. */
	if ((size_t)n > cut && strcmp(path + (size_t)n - cut, gone) == 0)
		path[(size_t)n - cut] = '\0';
	if (access(path, X_OK) < 0)
		return schedd_error_set(
		    err, SCHEDD_EFAILED, "cannot run %s anew: %s", path, strerror(errno));
	reexec->listening = fcntl(listening, F_DUPFD_CLOEXEC, REEXEC_LISTEN_FD + 1);
	reexec->path = strdup(path);
	return reexec->path ? 0 : schedd_error_nomem(err);
}

void reexec_drop(struct reexec *reexec)
{
	if (reexec->listening >= 0)
		close(reexec->listening);
	free(reexec->path);
	*reexec = (struct reexec){.listening = -1, .state = -1};
}

/* ---- What goes over ---- */

static bool reexec_is_fd(const struct value_member *member)
{
	size_t length = strlen(member->key);

	return length > 3 && strcmp(member->key + length - 3, "_fd") == 0 &&
	       member->value.type == VALUE_INT && member->value.integer >= 0;
}

typedef int (*reexec_fd_fn)(int64_t *fd, struct reexec *reexec);

/* Calls for each descriptor in the tree. 0 or the first error code. */
static int reexec_each_fd(struct value *value, reexec_fd_fn call, struct reexec *reexec)
{
	int rc = 0;

	if (value->type == VALUE_ARRAY)
		for (uint32_t i = 0; !rc && i < value->array.count; i++)
			rc = reexec_each_fd(&value->array.items[i], call, reexec);
	if (value->type != VALUE_MAP)
		return rc;
	for (uint32_t i = 0; !rc && i < value->map.count; i++) {
		struct value_member *member = &value->map.members[i];

		rc = reexec_is_fd(member) ? call(&member->value.integer, reexec)
					  : reexec_each_fd(&member->value, call, reexec);
	}
	return rc;
}

/* Not the listening socket's number; kept from jobs until the last moment. */
static int reexec_keep(int64_t *fd, struct reexec *reexec)
{
	int *kept = realloc(reexec->kept, (reexec->kept_count + 1) * sizeof(kept[0]));

	if (!kept)
		return SCHEDD_ENOMEM;
	reexec->kept = kept;
	if (*fd == REEXEC_LISTEN_FD) {
		*fd = fcntl(REEXEC_LISTEN_FD, F_DUPFD_CLOEXEC, REEXEC_LISTEN_FD + 1);
		close(REEXEC_LISTEN_FD);
	}
	kept[reexec->kept_count++] = (int)*fd;
	return 0;
}

static int reexec_guard(int64_t *fd, struct reexec *reexec)
{
	(void)reexec;
	fcntl((int)*fd, F_SETFD, FD_CLOEXEC);
	return 0;
}

static int reexec_write(int fd, const char *text, size_t length)
{
	for (size_t done = 0; done < length;) {
		ssize_t n = write(fd, text + done, length - done);

		if (n < 0 && errno != EINTR)
			return -errno;
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

int reexec_save(struct reexec *reexec, struct value *state, struct schedd_error *err)
{
	struct strbuf text = STRBUF_EMPTY;
	int rc, fd;

	if (reexec_each_fd(state, reexec_keep, reexec))
		return schedd_error_nomem(err);
	json_exact_write(&text, state);
	fd = memfd_create("schedd-state", MFD_CLOEXEC);
	/* The socket's number is free while nobody listens there. */
	reexec->state =
	    fd == REEXEC_LISTEN_FD ? fcntl(fd, F_DUPFD_CLOEXEC, REEXEC_LISTEN_FD + 1) : fd;
	if (fd == REEXEC_LISTEN_FD)
		close(fd);
	if (reexec->state < 0)
		rc = -errno;
	else
		rc = strbuf_failed(&text)
			 ? -ENOMEM
			 : reexec_write(reexec->state, strbuf_peek(&text), text.length);
	strbuf_clear(&text);
	return rc ? schedd_error_set(err, SCHEDD_EFAILED,
			"cannot keep what runs for the next program: %s", strerror(-rc))
		  : 0;
}

int reexec_load(struct arena *arena, struct value *out, struct schedd_error *err)
{
	const char *mark = reexec_is_second() ? strchr(getenv(REEXEC_MARK), ':') : NULL;
	int fd = mark ? (int)strtol(mark + 1, NULL, 10) : -1;
	struct stat st;
	void *text;
	int rc;

	*out = value_nil();
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size <= 0)
		return 0;
	text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (text == MAP_FAILED)
		return schedd_error_nomem(err);
	rc = json_exact_parse(text, (size_t)st.st_size, arena, out, err);
	munmap(text, (size_t)st.st_size);
	return rc ? rc : reexec_each_fd(out, reexec_guard, NULL);
}

/* ---- The last step ---- */

int reexec_run(struct reexec *reexec, char **argv, struct schedd_error *err)
{
	char pid[24], mark[48];

	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	snprintf(mark, sizeof(mark), "%s:%d", pid, reexec->state);
	setenv(REEXEC_MARK, mark, 1);
	if (reexec->state >= 0)
		fcntl(reexec->state, F_SETFD, 0);
	for (size_t i = 0; i < reexec->kept_count; i++)
		fcntl(reexec->kept[i], F_SETFD, 0);
	if (reexec->listening >= 0 && dup2(reexec->listening, REEXEC_LISTEN_FD) >= 0) {
		setenv("LISTEN_PID", pid, 1);
		setenv("LISTEN_FDS", "1", 1);
	}
	execv(reexec->path, argv);
	return schedd_error_set(
	    err, SCHEDD_EFAILED, "cannot run %s anew: %s", reexec->path, strerror(errno));
}
