/* SPDX-License-Identifier: MIT */
/* Between a store and its server: a thread that passes bytes on, and cuts after so many of them. */
#ifndef TESTS_SUPPORT_CUT_PROXY_H
#define TESTS_SUPPORT_CUT_PROXY_H

#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <sys/un.h>
#include <unistd.h>

#define CUT_PROXY_PAIRS 16

struct cut_proxy {
	int listener;
	char server[108];
	int pairs[CUT_PROXY_PAIRS][2]; /* client, server; -1: none */
	pthread_t thread;
	atomic_bool ends;
	atomic_long left[2];  /* bytes until the cut: to the server, from it; negative: none */
	atomic_long moved[2]; /* so far */
	atomic_int cuts;
};

static inline struct sockaddr_un cut_proxy_address(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	cr_assert_lt(strlen(path), sizeof(address.sun_path));
	strcpy(address.sun_path, path);
	return address;
}

/* A number is a port of this machine, anything else the path of a socket. */
static inline int cut_proxy_open(
    const char *place, int (*use)(int, const struct sockaddr *, socklen_t))
{
	struct sockaddr_un local = cut_proxy_address(place);
	struct sockaddr_in port = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)atoi(place)),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	bool numbered = atoi(place) > 0;
	int one = 1, fd = socket(numbered ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd >= 0 && use(fd, numbered ? (const struct sockaddr *)&port : (const struct sockaddr *)&local,
			   numbered ? sizeof(port) : sizeof(local)) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static inline void cut_proxy_end(int pair[2])
{
	close(pair[0]);
	close(pair[1]);
	pair[0] = pair[1] = -1;
}

static inline void cut_proxy_accept(struct cut_proxy *proxy)
{
	int client = accept(proxy->listener, NULL, NULL);
	int server = cut_proxy_open(proxy->server, connect);

	if (client < 0 || server < 0) {
		close(client);
		close(server);
		return;
	}
	for (int i = 0; i < CUT_PROXY_PAIRS; i++)
		if (proxy->pairs[i][0] < 0) {
			proxy->pairs[i][0] = client;
			proxy->pairs[i][1] = server;
			return;
		}
	cr_assert_fail("too many connections");
}

static inline bool cut_proxy_put(int fd, const char *bytes, ssize_t count)
{
	while (count > 0) {
		ssize_t some = send(fd, bytes, (size_t)count, MSG_NOSIGNAL);

		if (some <= 0)
			return false;
		bytes += some;
		count -= some;
	}
	return true;
}

/* Way 0 leads to the server. */
static inline void cut_proxy_pass(struct cut_proxy *proxy, int pair[2], int way)
{
	char bytes[65536];
	ssize_t count = recv(pair[way], bytes, sizeof(bytes), 0);
	long left = atomic_load(&proxy->left[way]);
	bool cut = count > 0 && left >= 0 && count >= left;

	if (cut)
		count = left;
	if (count > 0) {
		atomic_fetch_add(&proxy->moved[way], count);
		if (left >= 0)
			atomic_fetch_sub(&proxy->left[way], count);
		if (!cut_proxy_put(pair[1 - way], bytes, count))
			count = 0;
	}
	if (cut) {
		atomic_store(&proxy->left[0], -1);
		atomic_store(&proxy->left[1], -1);
		atomic_fetch_add(&proxy->cuts, 1);
	}
	if (cut || count <= 0)
		cut_proxy_end(pair);
}

static inline void *cut_proxy_main(void *context)
{
	struct cut_proxy *proxy = context;

	while (!atomic_load(&proxy->ends)) {
		struct pollfd fds[1 + 2 * CUT_PROXY_PAIRS] = {
		    {.fd = proxy->listener, .events = POLLIN}};

		for (int i = 0; i < 2 * CUT_PROXY_PAIRS; i++)
			fds[1 + i] = (struct pollfd){
			    .fd = proxy->pairs[i / 2][i % 2], .events = POLLIN};
		if (poll(fds, sizeof(fds) / sizeof(fds[0]), 100) <= 0)
			continue;
		for (int i = 0; i < 2 * CUT_PROXY_PAIRS; i++)
			if (fds[1 + i].revents && proxy->pairs[i / 2][0] >= 0)
				cut_proxy_pass(proxy, proxy->pairs[i / 2], i % 2);
		if (fds[0].revents)
			cut_proxy_accept(proxy);
	}
	for (int i = 0; i < CUT_PROXY_PAIRS; i++)
		if (proxy->pairs[i][0] >= 0)
			cut_proxy_end(proxy->pairs[i]);
	return NULL;
}

static inline void cut_proxy_start(struct cut_proxy *proxy, const char *path, const char *server)
{
	memset(proxy, 0, sizeof(*proxy));
	memset(proxy->pairs, -1, sizeof(proxy->pairs));
	strcpy(proxy->server, cut_proxy_address(server).sun_path);
	atomic_store(&proxy->left[0], -1);
	atomic_store(&proxy->left[1], -1);
	unlink(path);
	proxy->listener = cut_proxy_open(path, bind);
	cr_assert_geq(proxy->listener, 0, "%s", path);
	cr_assert_eq(listen(proxy->listener, 16), 0);
	cr_assert_eq(pthread_create(&proxy->thread, NULL, cut_proxy_main, proxy), 0);
}

static inline void cut_proxy_stop(struct cut_proxy *proxy)
{
	atomic_store(&proxy->ends, true);
	pthread_join(proxy->thread, NULL);
	close(proxy->listener);
}

/* After so many more bytes that way every connection they go over ends. */
static inline void cut_proxy_arm(struct cut_proxy *proxy, int way, long bytes)
{
	atomic_store(&proxy->left[way], bytes);
}

#endif
