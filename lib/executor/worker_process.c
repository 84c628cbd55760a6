/* SPDX-License-Identifier: MIT */
/*
 * A wake-up reads a bounded number of bytes. Whatever a process sends is
 * scanned before it is unpacked, and one that breaks the rules is not read any
 * further.
 */
#include "executor/worker_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "base/frame.h"
#include "base/log.h"
#include "executor/process_stat.h"
#include "executor/spawn.h"
#include "executor/worker_launch.h"
#include "executor/worker_pipe.h"
#include "loop/loop.h"

#define PROCESS_READ ((size_t)65536)
#define PROCESS_DRAIN_READS 64 /* after its end: what its socket may hold */

static const struct frame_limits process_limits = {
    .bytes = (size_t)4 << 20, .depth = 16, .elements = 65536};

struct worker_process {
	const struct executor_config *executor;
	const struct worker_process_ops *ops;
	void *context;
	struct worker_launch *asked; /* its start is under way; NULL: no more */
	bool killed;                 /* meanwhile: it is when it is there */
	struct child *child;
	uint64_t start;
	int socket;                    /* -1: closed */
	struct schedd_watch *watch;    /* of the socket; NULL: not read any more */
	struct worker_pipe *pipes[2];  /* of descriptors 1 and 2; NULL: at their end */
	struct strbuf in, out;
	struct frame_scan scan;
	struct arena arena; /* of the message at hand */
	bool dismissed;     /* an end of the socket is what we asked for */
};

/* ---- The socket ---- */

static void process_stop_reading(struct worker_process *process)
{
	loop_unwatch(process->executor->loop, process->watch);
	process->watch = NULL;
}

static void process_break(struct worker_process *process, const char *reason)
{
	process_stop_reading(process);
	process->ops->broken(reason, process->context);
}

static void process_want(struct worker_process *process)
{
	unsigned ready = SCHEDD_READ | (process->out.length > 0 ? SCHEDD_WRITE : 0U);

	if (process->watch && loop_rewatch(process->executor->loop, process->watch, ready))
		log_error(process->executor->log, "worker %ld: no memory to send to it",
		    (long)worker_process_pid(process));
}

/* Sends what waits; what the socket does not take waits on. */
static void process_flush(struct worker_process *process)
{
	size_t done = 0;

	while (process->socket >= 0 && done < process->out.length) {
		ssize_t n = send(process->socket, process->out.data + done,
		    process->out.length - done, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN) {
			done = process->out.length; /* it is gone, which its reader will find */
			break;
		}
		if (n < 0)
			break;
		done += (size_t)n;
	}
	if (done > 0 && done < process->out.length)
		memmove(process->out.data, process->out.data + done, process->out.length - done);
	process->out.length -= done;
}

/* Hands on what is whole in the buffer. */
static void process_take(struct worker_process *process)
{
	struct schedd_error err;
	size_t done = 0;
	int rc = 1;

	while (rc > 0 && process->in.length > done) {
		struct message message;

		rc = frame_scan(&process->scan, process->in.data + done,
		    process->in.length - done, &process_limits, &err);
		if (rc <= 0)
			break;
		rc = message_unpack(process->in.data + done, process->scan.offset,
		    &process->arena, &message, &err);
		done += process->scan.offset;
		process->scan.offset = 0;
		if (rc == 0) {
			rc = 1;
			process->ops->message(&message, process->context);
		}
		arena_reset(&process->arena);
	}
	if (done > 0 && done < process->in.length)
		memmove(process->in.data, process->in.data + done, process->in.length - done);
	process->in.length -= done;
	if (process->in.length == 0 && process->in.capacity > 4 * PROCESS_READ)
		strbuf_clear(&process->in);
	if (rc < 0)
		process_break(process, err.message);
}

/* Bytes read, 0 at the end, -1 if there is nothing now. */
static ssize_t process_read(struct worker_process *process)
{
	ssize_t got;

	if (!strbuf_reserve(&process->in, PROCESS_READ))
		return -1;
	do
		got = recv(process->socket, process->in.data + process->in.length, PROCESS_READ,
		    MSG_DONTWAIT);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EAGAIN ? -1 : 0;
	process->in.length += (size_t)got;
	return got;
}

static void process_ready(int fd, unsigned ready, void *context)
{
	struct worker_process *process = context;
	ssize_t got = -1;

	(void)fd;
	if (ready & SCHEDD_WRITE) {
		process_flush(process);
		process_want(process);
	}
	if (ready & SCHEDD_READ)
		got = process_read(process);
	if (got > 0)
		process_take(process);
	if (got == 0 && process->dismissed)
		process_stop_reading(process);
	else if (got == 0)
		process_break(process, NULL);
}

int worker_process_send(struct worker_process *process, uint32_t msgid, const char *method,
    const struct value *params)
{
	size_t before = process->out.length;

	if (msgid)
		message_pack_request(&process->out, msgid, method, params);
	else
		message_pack_notification(&process->out, method, params);
	if (strbuf_failed(&process->out)) {
		process->out.length = before;
		process->out.failed = false;
		return SCHEDD_ENOMEM;
	}
	if (before == 0)
		process_flush(process);
	if (process->out.length > 0)
		process_want(process);
	return 0;
}

/* ---- Descriptors 1 and 2 ---- */

static void process_on_pipe(int number, const char *bytes, size_t length, void *context)
{
	struct worker_process *process = context;

	if (length > 0) {
		process->ops->raw(
		    number == 0 ? OUTPUT_STDOUT : OUTPUT_STDERR, bytes, length, process->context);
		return;
	}
	worker_pipe_free(process->pipes[number]);
	process->pipes[number] = NULL;
}

void worker_process_drain(struct worker_process *process)
{
	struct pollfd ends[2];

	/* Mostly nothing was written there: one question tells it of both. */
	for (int i = 0; i < 2; i++)
		ends[i] = (struct pollfd){
		    .fd = process->pipes[i] ? worker_pipe_fd(process->pipes[i]) : -1, .events = POLLIN};
	if (poll(ends, 2, 0) <= 0)
		return;
	for (int i = 0; i < 2; i++)
		if (process->pipes[i])
			worker_pipe_drain(process->pipes[i]);
}

/* ---- Life ---- */

static void process_ended(void *context)
{
	struct worker_process *process = context;
	struct child *child = process->child;
	struct child_exit status;

	/* What it said before its end counts. */
	for (int i = 0; i < PROCESS_DRAIN_READS && process->watch; i++) {
		if (process_read(process) <= 0)
			break;
		process_take(process);
	}
	process_stop_reading(process);
	worker_process_drain(process);
	process->child = NULL;
	child_reap(child, &status);
	process->ops->gone(&status, process->context);
}

static struct worker_process *process_alloc(const struct executor_config *executor,
    const struct worker_process_ops *ops, void *context, struct schedd_error *err)
{
	struct worker_process *process = calloc(1, sizeof(*process));

	if (!process) {
		schedd_error_nomem(err);
		return NULL;
	}
	process->executor = executor;
	process->ops = ops;
	process->context = context;
	process->socket = -1;
	arena_init(&process->arena);
	return process;
}

static int process_watch(
    struct worker_process *process, pid_t pid, int pidfd, struct schedd_error *err)
{
	process->child = child_new(process->executor->loop, process->executor->clock, pid, pidfd,
	    process_ended, process, err);
	if (!process->child)
		return err->code;
	process->watch = loop_watch(process->executor->loop, process->socket, SCHEDD_READ,
	    process_ready, process, err);
	return process->watch ? 0 : err->code;
}

/* The ends that the process gets, in fds. */
static int process_connect(struct worker_process *process, int fds[3], struct schedd_error *err)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return schedd_error_set(
		    err, SCHEDD_EFAILED, "cannot make a socket: %s", strerror(errno));
	process->socket = ends[0];
	fds[0] = ends[1];
	for (int i = 0; i < 2; i++) {
		process->pipes[i] = worker_pipe_new(
		    process->executor->loop, i, process_on_pipe, process, &fds[i + 1], err);
		if (!process->pipes[i])
			return err->code;
	}
	return 0;
}

/* Its program executes: from here on it is read. */
static int process_begin(struct worker_process *process, pid_t pid, struct schedd_error *err)
{
	struct process_stat stat;
	int rc;

	if (process_stat_read(pid, &stat))
		process->start = stat.start;
	rc = process_watch(process, pid, (int)syscall(SYS_pidfd_open, pid, 0), err);
	if (rc && !process->child) {
		kill(-pid, SIGKILL);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	return rc;
}

static void process_launched(pid_t pid, const struct schedd_error *err, void *context)
{
	struct worker_process *process = context;
	struct schedd_error why;

	process->asked = NULL;
	if (!err && process_begin(process, pid, &why))
		err = &why;
	if (err)
		process->ops->failed(err, process->context);
	else if (process->killed)
		worker_process_signal(process, SIGKILL);
}

struct worker_process *worker_process_new(const struct executor_config *executor,
    struct worker_world *world, const char *user, const struct worker_process_ops *ops,
    void *context, struct schedd_error *err)
{
	struct worker_process *process = process_alloc(executor, ops, context, err);
	int fds[3] = {-1, -1, -1};

	if (!process)
		return NULL;
	if (process_connect(process, fds, err) == 0)
		process->asked =
		    worker_launch_new(world, user, fds, process_launched, process, err);
	for (int i = 0; i < 3; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	if (process->asked)
		return process;
	worker_process_free(process);
	return NULL;
}

void worker_process_free(struct worker_process *process)
{
	struct child_exit status;

	if (!process)
		return;
	process_stop_reading(process);
	worker_launch_leave(process->asked);
	if (process->child) {
		worker_process_signal(process, SIGKILL);
		child_reap(process->child, &status);
	}
	for (int i = 0; i < 2; i++)
		worker_pipe_free(process->pipes[i]);
	if (process->socket >= 0)
		close(process->socket);
	strbuf_clear(&process->in);
	strbuf_clear(&process->out);
	arena_clear(&process->arena);
	free(process);
}

pid_t worker_process_pid(const struct worker_process *process)
{
	return process->child ? child_pid(process->child) : 0;
}

uint64_t worker_process_start(const struct worker_process *process)
{
	return process->start;
}

int64_t worker_process_rss(const struct worker_process *process)
{
	char path[48], text[96];
	long long pages = 0;
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/statm", (long)worker_process_pid(process));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[got > 0 ? got : 0] = '\0';
	return sscanf(text, "%*s %lld", &pages) == 1 ? pages * sysconf(_SC_PAGESIZE) : 0;
}

void worker_process_dismiss(struct worker_process *process)
{
	process->dismissed = true;
	process_flush(process);
	shutdown(process->socket, SHUT_WR);
}

bool worker_process_ended(const struct worker_process *process)
{
	siginfo_t info = {0};

	if (!process->child)
		return true;
	return waitid(P_PID, (id_t)child_pid(process->child), &info,
		   WEXITED | WNOHANG | WNOWAIT) != 0 ||
	       info.si_pid != 0;
}

void worker_process_signal(struct worker_process *process, int signal)
{
	if (process->child)
		kill(-child_pid(process->child), signal);
	else if (process->asked && signal == SIGKILL)
		process->killed = true;
}

/* ---- In another program's hands ---- */

static const char *const process_pipe_keys[] = {"stdout_fd", "stderr_fd"};

/* Bytes of any kind go over as digits: the state is JSON. */
static void process_save_bytes(
    const struct strbuf *bytes, const char *key, struct arena *arena, struct value *out)
{
	char *text = arena_alloc(arena, bytes->length * 2 + 1);

	for (size_t i = 0; text && i < bytes->length; i++)
		snprintf(text + 2 * i, 3, "%02x", (unsigned char)bytes->data[i]);
	value_put(arena, out, key, value_string_ref(text));
}

static void process_load_bytes(struct strbuf *bytes, const char *text)
{
	unsigned byte;

	for (; text && text[0] && text[1]; text += 2)
		if (sscanf(text, "%2x", &byte) == 1)
			strbuf_add_char(bytes, (char)byte);
}

void worker_process_save(
    const struct worker_process *process, struct arena *arena, struct value *out)
{
	value_put(arena, out, "pid", value_int(worker_process_pid(process)));
	value_put(arena, out, "start", value_int((int64_t)process->start));
	value_put(arena, out, "socket_fd",
	    value_int(fcntl(process->socket, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)));
	for (int i = 0; i < 2; i++)
		value_put(arena, out, process_pipe_keys[i],
		    value_int(process->pipes[i] ? worker_pipe_dup(process->pipes[i]) : -1));
	process_save_bytes(&process->in, "in", arena, out);
	process_save_bytes(&process->out, "out", arena, out);
}

void worker_process_save_close(const struct value *from)
{
	const char *const keys[] = {"socket_fd", process_pipe_keys[0], process_pipe_keys[1]};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		int fd = (int)value_get_int(from, keys[i], -1);

		if (fd >= 0)
			close(fd);
	}
}

void worker_process_let_go(struct worker_process *process)
{
	if (process->child)
		child_release(process->child);
	process->child = NULL;
	worker_process_free(process);
}

static int process_resume(
    struct worker_process *process, const struct value *from, struct schedd_error *err)
{
	pid_t pid = (pid_t)value_get_int(from, "pid", 0);
	struct process_stat stat;
	int rc;

	process->start = (uint64_t)value_get_int(from, "start", 0);
	process->socket = (int)value_get_int(from, "socket_fd", -1);
	for (int i = 0; i < 2; i++) {
		int fd = (int)value_get_int(from, process_pipe_keys[i], -1);

		if (fd >= 0)
			process->pipes[i] = worker_pipe_resume(
			    process->executor->loop, i, process_on_pipe, process, fd, err);
		if (fd >= 0 && !process->pipes[i])
			return err->code;
	}
	process_load_bytes(&process->in, value_get_string(from, "in"));
	process_load_bytes(&process->out, value_get_string(from, "out"));
	if (pid <= 0 || !process_stat_read(pid, &stat) || stat.start != process->start)
		return schedd_error_set(
		    err, SCHEDD_ENOTFOUND, "worker %ld is not there any more", (long)pid);
	rc = process_watch(process, pid, (int)syscall(SYS_pidfd_open, pid, 0), err);
	process_want(process);
	return rc;
}

struct worker_process *worker_process_resume(const struct executor_config *executor,
    const struct worker_process_ops *ops, void *context, const struct value *from,
    struct schedd_error *err)
{
	struct worker_process *process = process_alloc(executor, ops, context, err);

	if (process && process_resume(process, from, err) == 0)
		return process;
	worker_process_free(process);
	return NULL;
}
