/* SPDX-License-Identifier: MIT */
#include "executor/spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "executor/process_stat.h"
#include "executor/spawn_pack.h"
#include "loop/loop.h"

struct spawner {
	struct schedd_loop *loop;
	struct schedd_watch *watch;
	void (*heard)(struct spawner *spawner, void *context);
	void *context;
	struct spawner_page *page;
	struct spawner_start *slots[SPAWNER_DEPTH]; /* NULL: free, or called off */
	uint32_t taken;                             /* set of slots that are not to be used */
	uint32_t unmade; /* set of slots whose start was called off before it had a process */
	unsigned busy;                              /* slots with a start */
	uint64_t turns;                             /* starts it was given so far */
	struct schedd_mono progress;
	pid_t pid;
	int socket;
	int cpu;
	bool ready;
};

/* ---- The program ---- */

static void spawner_page_fill(struct spawner_page *page, const struct spawner_place *place)
{
	snprintf(page->abi, sizeof(page->abi), "%s", SPAWNER_ABI);
	page->inherit = *place->inherit;
	page->cpus = *place->cpus;
	page->cpu = place->cpu;
	page->daemon = getpid();
}

/* A page that the program can map, too; its descriptor in *fd. NULL: errno. */
static struct spawner_page *spawner_page_new(int *fd)
{
	void *page = MAP_FAILED;

	*fd = memfd_create("schedd-spawn", MFD_CLOEXEC);
	if (*fd >= 0 && ftruncate(*fd, sizeof(struct spawner_page)) == 0)
		page = mmap(NULL, sizeof(struct spawner_page), PROT_READ | PROT_WRITE, MAP_SHARED,
		    *fd, 0);
	return page == MAP_FAILED ? NULL : page;
}

/* What posix_spawn is told. Errors of these calls are lack of memory alone. */
static int spawner_execute(const char *path, int socket, int page, pid_t *pid)
{
	char name[] = SPAWNER_PROGRAM;
	char *argv[] = {name, NULL}, *envp[] = {NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t all;
	int rc;

	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	rc = posix_spawn_file_actions_adddup2(&actions, socket, SPAWNER_SOCKET);
	if (!rc)
		rc = posix_spawn_file_actions_adddup2(&actions, page, SPAWNER_PAGE);
	for (int fd = STDIN_FILENO; !rc && fd <= STDERR_FILENO; fd++)
		rc = posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
	/* Nothing that is sent to schedd's group or terminal reaches it. */
	(void)posix_spawnattr_setflags(
	    &attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
	(void)posix_spawnattr_setsigmask(&attributes, &all);
	if (!rc)
		rc = posix_spawn(pid, path, &actions, &attributes, argv, envp);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

/* The socket's own end; -1: errno. */
static int spawner_run(struct spawner *spawner, int program, int page)
{
	char path[40];
	int ends[2], high[2], rc;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -1;
	/* Out of the way of where the program finds them. */
	high[0] = fcntl(ends[1], F_DUPFD_CLOEXEC, SPAWNER_PAGE + 1);
	high[1] = fcntl(page, F_DUPFD_CLOEXEC, SPAWNER_PAGE + 1);
	close(ends[1]);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", program);
	rc = high[0] < 0 || high[1] < 0
		 ? EMFILE
		 : spawner_execute(path, high[0], high[1], &spawner->pid);
	for (int i = 0; i < 2; i++)
		if (high[i] >= 0)
			close(high[i]);
	if (rc) {
		close(ends[0]);
		spawner->pid = 0;
		errno = rc;
		return -1;
	}
	return ends[0];
}

static void spawner_ready_to_read(int fd, unsigned ready, void *context)
{
	struct spawner *spawner = context;

	(void)fd;
	(void)ready;
	spawner->heard(spawner, spawner->context);
}

struct spawner *spawner_new(const struct spawner_place *place,
    void (*heard)(struct spawner *spawner, void *context), void *context,
    struct schedd_error *err)
{
	struct spawner *spawner = calloc(1, sizeof(*spawner));
	int fd = -1;
	pid_t pid;

	if (!spawner) {
		schedd_error_nomem(err);
		return NULL;
	}
	*spawner = (struct spawner){.loop = place->loop,
	    .heard = heard,
	    .context = context,
	    .socket = -1,
	    .cpu = place->cpu};
	spawner->page = spawner_page_new(&fd);
	if (spawner->page) {
		spawner_page_fill(spawner->page, place);
		spawner->socket = spawner_run(spawner, place->program, fd);
	}
	if (spawner->socket < 0)
		schedd_error_set(err, SCHEDD_EFAILED, "cannot run " SPAWNER_PROGRAM ": %s",
		    strerror(errno));
	if (fd >= 0)
		close(fd);
	if (spawner->socket >= 0)
		spawner->watch = loop_watch(
		    place->loop, spawner->socket, SCHEDD_READ, spawner_ready_to_read, spawner, err);
	if (spawner->watch)
		return spawner;
	spawner_free(spawner, &pid);
	/* It has nothing to do and ends as its socket does. */
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return NULL;
}

void spawner_free(struct spawner *spawner, pid_t *pid)
{
	*pid = spawner->pid;
	loop_unwatch(spawner->loop, spawner->watch);
	if (spawner->pid > 0)
		kill(spawner->pid, SIGKILL);
	if (spawner->socket >= 0)
		close(spawner->socket);
	if (spawner->page)
		munmap(spawner->page, sizeof(*spawner->page));
	if (*pid > 0 && waitpid(*pid, NULL, WNOHANG) != 0)
		*pid = 0;
	free(spawner);
}

/* ---- Questions and answers ---- */

void spawner_start_clear(struct spawner_start *start)
{
	for (int i = 0; i < SPAWN_FDS; i++) {
		if (start->fds[i] >= 0)
			close(start->fds[i]);
		start->fds[i] = -1;
	}
	free(start->packed);
	start->packed = NULL;
}

unsigned spawner_busy(const struct spawner *spawner)
{
	return spawner->busy;
}

bool spawner_ready(const struct spawner *spawner)
{
	return spawner->ready;
}

struct schedd_mono spawner_progress(const struct spawner *spawner)
{
	return spawner->progress;
}

int spawner_cpu(const struct spawner *spawner)
{
	return spawner->cpu;
}

int spawner_start_explain(const struct spawner_start *start, const struct spawn_result *result,
    struct schedd_error *err)
{
	struct account account;
	struct spawn spawn;

	if (!start->packed || !spawn_unpack(start->packed, start->size, &spawn, &account))
		return schedd_error_set(
		    err, SCHEDD_EFAILED, "cannot make a process: %s", strerror(result->error));
	return spawn_explain(&spawn, result, err);
}

int spawner_socket(const struct spawner *spawner)
{
	return spawner->socket;
}

/* A file in memory with what is too long for a message; -1: errno. */
static int spawner_large(const struct spawner_start *start)
{
	int fd = memfd_create("schedd-start", MFD_CLOEXEC);
	size_t done = 0;

	while (fd >= 0 && done < start->size) {
		ssize_t n = write(fd, (const char *)start->packed + done, start->size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			close(fd);
			return -1;
		}
		done += (size_t)n;
	}
	return fd;
}

static bool spawner_send(int socket, const struct spawner_start *start, unsigned slot)
{
	_Alignas(16) static const char padding[16] = {0};
	struct spawner_request request = {.slot = slot, .size = (uint32_t)start->size};
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE((SPAWN_FDS + 1) * sizeof(int))];
	} control;
	struct iovec parts[] = {{&request, sizeof(request)},
	    {(void *)padding, ((sizeof(request) + 15) & ~(size_t)15) - sizeof(request)},
	    {start->packed, start->size}};
	struct msghdr head = {.msg_iov = parts, .msg_iovlen = 3};
	int fds[SPAWN_FDS + 1], count = 0, large = -1;
	ssize_t sent;

	request.large = start->size > SPAWNER_INLINE;
	if (request.large) {
		large = spawner_large(start);
		if (large < 0)
			return false;
		fds[count++] = large;
		head.msg_iovlen = 1;
	}
	for (int i = 0; i < SPAWN_FDS; i++) {
		request.with[i] = start->fds[i] >= 0;
		if (request.with[i])
			fds[count++] = start->fds[i];
	}
	if (count) {
		memset(&control, 0, sizeof(control));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
		memcpy(CMSG_DATA(&control.header), fds, (size_t)count * sizeof(int));
		head.msg_control = &control;
		head.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
	}
	do
		sent = sendmsg(socket, &head, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (large >= 0)
		close(large);
	return sent > 0;
}

bool spawner_ask(struct spawner *spawner, struct spawner_start *start, struct schedd_mono now)
{
	unsigned slot = 0;

	while (slot < SPAWNER_DEPTH && spawner->taken & 1U << slot)
		slot++;
	if (slot == SPAWNER_DEPTH)
		return false;
	atomic_store(&spawner->page->slots[slot].state, SPAWN_ASKED);
	spawner->page->slots[slot].result = (struct spawn_result){0};
	if (!spawner_send(spawner->socket, start, slot)) {
		atomic_store(&spawner->page->slots[slot].state, SPAWN_FREE);
		return false;
	}
	if (spawner->busy++ == 0)
		spawner->progress = now;
	spawner->taken |= 1U << slot;
	spawner->slots[slot] = start;
	start->turn = ++spawner->turns;
	start->spawner = spawner;
	start->slot = slot;
	return true;
}

void spawner_drop(struct spawner_start *start)
{
	start->spawner->slots[start->slot] = NULL;
	start->spawner->busy--;
	start->spawner = NULL;
}

/* The slot of the earliest start that is answered, or was called off and is done with; negative: there is none. */
static int spawner_next_answer(const struct spawner *spawner)
{
	int first = -1;

	for (unsigned i = 0; i < SPAWNER_DEPTH; i++) {
		uint32_t state = spawner->taken & 1U << i
				     ? atomic_load(&spawner->page->slots[i].state)
				     : SPAWN_FREE;

		if (state == SPAWN_DONE)
			return (int)i;
		if (state == SPAWN_ANSWERED && spawner->slots[i] &&
		    (first < 0 || spawner->slots[i]->turn < spawner->slots[first]->turn))
			first = (int)i;
	}
	return first;
}

void spawner_settle(struct spawner *spawner, struct schedd_mono now,
    void (*answered)(struct spawner_start *start, const struct spawn_result *result, void *context),
    void *context)
{
	int slot;

	while ((slot = spawner_next_answer(spawner)) >= 0) {
		struct spawner_start *start = spawner->slots[slot];
		const struct spawn_result result = spawner->page->slots[slot].result;

		atomic_store(&spawner->page->slots[slot].state, SPAWN_FREE);
		spawner->taken &= ~(1U << slot);
		spawner->progress = now;
		if (start)
			spawner_drop(start);
		if (start || (spawner->unmade & 1U << slot && result.pid > 0))
			answered(start, &result, context);
		spawner->unmade &= ~(1U << slot);
	}
}

bool spawner_hear(struct spawner *spawner, struct schedd_mono now,
    void (*answered)(struct spawner_start *start, const struct spawn_result *result, void *context),
    void *context)
{
	uint8_t said;
	ssize_t got;

	do
		got = recv(spawner->socket, &said, 1, MSG_DONTWAIT);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK;
	if (got == 0)
		return false;
	spawner->progress = now;
	if (said == SPAWNER_READY)
		spawner->ready = true;
	spawner_settle(spawner, now, answered, context);
	return true;
}

static uint32_t spawner_state(const struct spawner_start *start)
{
	return atomic_load(&start->spawner->page->slots[start->slot].state);
}

struct spawner_start *spawner_last(const struct spawner *spawner)
{
	struct spawner_start *last = NULL;

	for (unsigned i = 0; i < SPAWNER_DEPTH; i++) {
		struct spawner_start *start = spawner->slots[i];

		if (start && (!last || start->turn > last->turn))
			last = start;
	}
	return last;
}

struct spawner_start *spawner_take_back(struct spawner *spawner)
{
	struct spawner_start *start = spawner_last(spawner);
	uint32_t asked = SPAWN_ASKED;

	if (!start ||
	    !atomic_compare_exchange_strong(
		&spawner->page->slots[start->slot].state, &asked, SPAWN_REVOKED))
		return NULL;
	spawner_drop(start);
	return start;
}

struct spawner_start *spawner_holder(const struct spawner *spawner)
{
	for (unsigned i = 0; i < SPAWNER_DEPTH; i++) {
		struct spawner_start *start = spawner->slots[i];

		if (start && spawner_state(start) != SPAWN_ASKED)
			return start;
	}
	return NULL;
}

bool spawner_answered(const struct spawner_start *start)
{
	return spawner_state(start) == SPAWN_ANSWERED;
}

pid_t spawner_pid(const struct spawner *spawner)
{
	return spawner->pid;
}

enum spawner_revoked spawner_revoke(struct spawner_start *start, struct spawn_result *result)
{
	struct spawn_progress *progress = &start->spawner->page->slots[start->slot];
	uint32_t asked = SPAWN_ASKED, taken = SPAWN_TAKEN;
	enum spawner_revoked how = SPAWNER_EXECUTING;

	if (atomic_compare_exchange_strong(&progress->state, &asked, SPAWN_REVOKED))
		how = SPAWNER_NOT_BEGUN;
	else if (atomic_compare_exchange_strong(&progress->state, &taken, SPAWN_REVOKED))
		how = SPAWNER_PREPARED;
	*result = progress->result;
	if (how == SPAWNER_PREPARED && result->pid == 0)
		start->spawner->unmade |= 1U << start->slot;
	/* The slot stays taken until the program has said that it is done with it. */
	if (how != SPAWNER_EXECUTING)
		spawner_drop(start);
	return how;
}

pid_t spawner_child(const struct spawner_start *start)
{
	return start->spawner->page->slots[start->slot].result.pid;
}

static bool spawner_program(pid_t pid, struct stat *out)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%ld/exe", (long)pid);
	return stat(path, out) == 0;
}

bool spawner_executed(const struct spawner_start *start)
{
	struct stat ours, its;
	struct process_stat process;
	pid_t pid = spawner_child(start);

	if (spawner_state(start) != SPAWN_EXECUTING || !process_stat_read(pid, &process))
		return false;
	return process.state == 'Z' ||
	       (spawner_program(start->spawner->pid, &ours) && spawner_program(pid, &its) &&
		   (ours.st_ino != its.st_ino || ours.st_dev != its.st_dev));
}

bool spawner_starved(const struct spawner_start *start)
{
	struct process_stat process;
	pid_t pid = spawner_child(start);

	return pid > 0 && process_stat_read(pid, &process) && process.state == 'R';
}
