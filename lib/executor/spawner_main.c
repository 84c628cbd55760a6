/* SPDX-License-Identifier: MIT */
/*
 * schedd-spawn: starts processes for schedd, one after the other, on one CPU.
 *
 * schedd is the parent of what it starts (CLONE_PARENT) and reaps it. Whatever
 * may hang on the way, a file system, a stopped child, holds this process,
 * which schedd then ends and replaces; so it has nothing that is worth keeping.
 * It stays small: its size is the least that a job can be measured with.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include "executor/spawn_pack.h"
#include "executor/spawn_secret.h"
#include "executor/spawner_page.h"

struct server {
	struct spawner_page *page;
	struct spawn_child child;
	_Alignas(16) char message[sizeof(struct spawner_request) + 16 + SPAWNER_INLINE];
	int fds[SPAWN_FDS + 1]; /* received with it */
	int fd_count;
	unsigned untold; /* starts that are made and not told of */
	bool swollen;    /* its size must be brought down again */
};

/* It ends when nothing was asked of it for so long. */
static const struct timeval server_patience = {.tv_sec = SPAWNER_IDLE};

/* Its own signals, limits and niceness are those of the jobs: a child has little left to do. */
static void server_settle(const struct spawner_page *page)
{
	cpu_set_t own;

	(void)spawn_child_signals(&page->inherit);
	(void)setrlimit(RLIMIT_NOFILE, &page->inherit.nofile);
	(void)setpriority(PRIO_PROCESS, 0, page->inherit.nice);
	umask(022);
	if (page->cpu < 0)
		return;
	CPU_ZERO(&own);
	CPU_SET(page->cpu, &own);
	(void)sched_setaffinity(0, sizeof(own), &own);
}

/* The next message with its descriptors; its size, 0 when schedd is gone, -1 when there is none. */
static ssize_t server_receive(struct server *server, int flags)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(server->fds))];
	} control;
	struct iovec place = {server->message, sizeof(server->message)};
	struct msghdr head = {.msg_iov = &place,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control)};
	struct cmsghdr *first;
	ssize_t got;

	do
		got = recvmsg(SPAWNER_SOCKET, &head, MSG_CMSG_CLOEXEC | flags);
	while (got < 0 && errno == EINTR);
	server->fd_count = 0;
	first = CMSG_FIRSTHDR(&head);
	if (got > 0 && first && first->cmsg_type == SCM_RIGHTS) {
		server->fd_count = (int)((first->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(server->fds, CMSG_DATA(first), (size_t)server->fd_count * sizeof(int));
	}
	return got;
}

/* A large one is mapped: NULL if that fails. */
static void *server_body(struct server *server, const struct spawner_request *request)
{
	void *body;

	if (!request->large)
		return server->message + ((sizeof(*request) + 15) & ~(size_t)15);
	body = server->fd_count ? mmap(NULL, request->size, PROT_READ | PROT_WRITE, MAP_PRIVATE,
				      server->fds[0], 0)
				: MAP_FAILED;
	server->swollen = true;
	return body == MAP_FAILED ? NULL : body;
}

/* False: there was no room for all of them, as the limit is that of the jobs. */
static bool server_descriptors(
    const struct server *server, const struct spawner_request *request, struct spawn *spawn)
{
	int next = request->large;

	for (int i = 0; i < SPAWN_FDS; i++) {
		if (!request->with[i])
			continue;
		if (next == server->fd_count)
			return false;
		spawn->fds[i] = server->fds[next++];
	}
	return true;
}

/* What cannot even be begun is an answer as well. False: nobody wants it any more. */
static bool server_answer(struct spawn_progress *progress, enum spawn_step step, int error,
    uint32_t index)
{
	uint32_t state = SPAWN_TAKEN;

	progress->result =
	    (struct spawn_result){.step = step, .error = error, .index = index};
	return atomic_compare_exchange_strong(&progress->state, &state, SPAWN_ANSWERED);
}

/* False: it was called off. */
static bool server_start(struct server *server, const struct spawner_request *request)
{
	struct spawn_progress *progress = &server->page->slots[request->slot];
	void *body = server_body(server, request);
	struct account account;
	struct spawn spawn;
	uint32_t index = 0;
	bool answered;
	int error = 0;

	if (!body || !spawn_unpack(body, request->size, &spawn, &account)) {
		answered = server_answer(progress, SPAWN_CLONE, body ? EBADMSG : ENOMEM, 0);
	} else if (!server_descriptors(server, request, &spawn)) {
		answered = server_answer(progress, SPAWN_DESCRIPTORS, EMFILE, 0);
	} else {
		spawn.inherit = &server->page->inherit;
		server->child.spawn = &spawn;
		server->child.progress = progress;
		if (spawn.secret_directory)
			error = spawn_secret_copy(&spawn, &index);
		answered = error ? server_answer(progress, SPAWN_SECRETS, error, index)
				 : spawn_child_make(&server->child);
		/* Who called it off may have looked for the copies before they were there. */
		if (!answered && spawn.secret_directory)
			spawn_secret_remove(&spawn);
	}
	if (request->large && body)
		munmap(body, request->size);
	return answered;
}

/* The most memory it ever had counts for its children, too. */
static void server_shrink(struct server *server)
{
	int fd = server->swollen ? open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC) : -1;

	if (fd >= 0) {
		(void)!write(fd, "5", 1);
		close(fd);
	}
	server->swollen = false;
}

static bool server_say(uint8_t word)
{
	return send(SPAWNER_SOCKET, &word, 1, MSG_NOSIGNAL) == 1;
}

/* Several that wait are made before schedd is woken for them; -1: schedd has had none for long. */
static ssize_t server_next(struct server *server)
{
	ssize_t size = -1;

	if (server->untold && server->untold < SPAWNER_UNTOLD)
		size = server_receive(server, MSG_DONTWAIT);
	if (size >= 0)
		return size;
	if (server->untold && !server_say(SPAWNER_NEWS))
		return 0;
	server->untold = 0;
	return server_receive(server, 0);
}

/* False: there is nobody any more to start anything for. */
static bool server_serve(struct server *server)
{
	const struct spawner_request *request = (const void *)server->message;
	ssize_t size = server_next(server);
	uint32_t expected = SPAWN_ASKED;
	struct spawn_progress *progress;

	if (size < (ssize_t)sizeof(*request) || request->slot >= SPAWNER_DEPTH ||
	    getppid() != server->page->daemon)
		return false;
	progress = &server->page->slots[request->slot];
	/* Once it is answered the slot may be another start's. */
	if (!atomic_compare_exchange_strong(&progress->state, &expected, SPAWN_TAKEN) ||
	    !server_start(server, request))
		atomic_store(&progress->state, SPAWN_DONE);
	for (int i = 0; i < server->fd_count; i++)
		close(server->fds[i]);
	server_shrink(server);
	server->untold++;
	return true;
}

int main(void)
{
	static struct server server;
	void *page = mmap(NULL, sizeof(*server.page), PROT_READ | PROT_WRITE, MAP_SHARED,
	    SPAWNER_PAGE, 0);

	if (page == MAP_FAILED)
		return 2;
	/* What schedd, or the program it is part of, left open for others. */
	closefrom(SPAWNER_PAGE);
	fcntl(SPAWNER_SOCKET, F_SETFD, FD_CLOEXEC);
	prctl(PR_SET_NAME, SPAWNER_PROGRAM);
	(void)setsockopt(SPAWNER_SOCKET, SOL_SOCKET, SO_RCVTIMEO, &server_patience,
	    sizeof(server_patience));
	server.page = page;
	if (strncmp(server.page->abi, SPAWNER_ABI, sizeof(server.page->abi)) != 0)
		return 3;
	server_settle(server.page);
	server.child.null = STDIN_FILENO;
	server.child.clean = true;
	server.child.alone = !spawn_child_shares();
	server.child.clone_flags = CLONE_PARENT;
	server.child.cpus = server.page->cpu >= 0 ? &server.page->cpus : NULL;
	if (!server_say(SPAWNER_READY))
		return 4;
	while (server_serve(&server))
		;
	return 0;
}
