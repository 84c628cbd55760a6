/* SPDX-License-Identifier: MIT */
/* One datagram a message; the address may be abstract ("@…"). */
#include "server/notify_systemd.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

void notify_systemd(const char *format, ...)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char text[512];
	size_t length = path ? strlen(path) : 0;
	va_list ap;
	int fd, n;

	if (length < 2 || length >= sizeof(address.sun_path) || (path[0] != '/' && path[0] != '@'))
		return;
	va_start(ap, format);
	n = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	memcpy(address.sun_path, path, length);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	if (n > 0)
		sendto(fd, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1,
		    MSG_NOSIGNAL, (const struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
	close(fd);
}

void notify_systemd_reloading(void)
{
	struct timespec now;

	/* systemd compares with CLOCK_MONOTONIC, which the library's clock is not. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	notify_systemd("RELOADING=1\nMONOTONIC_USEC=%lld",
	    (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

schedd_span notify_systemd_watchdog(void)
{
	const char *span = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	long long us = span ? strtoll(span, NULL, 10) : 0;

	if (pid && strtol(pid, NULL, 10) != getpid())
		return 0;
	return us > 0 ? us / 2 : 0;
}
