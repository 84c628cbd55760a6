/* SPDX-License-Identifier: MIT */
/*
 * One datagram a line, KEY=value lines in it; no value here has a line break. What a
 * datagram cannot hold is handed over as a sealed file in memory, as the journal has it.
 */
#include "server/log_journal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/safe_text.h"
#include "executor/sealed_text.h"

static const struct sockaddr_un log_journal_address = {
    .sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/socket"};

/* systemd names the device and inode of the stream that it gave a service. */
static bool log_journal_is_named(int fd)
{
	const char *text = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return text && sscanf(text, "%llu:%llu", &device, &inode) == 2 && fstat(fd, &st) == 0 &&
	       st.st_dev == device && st.st_ino == inode;
}

/* systemd-cat(1) names nothing; the stream's other end has the journal's address all the same. */
bool log_journal_has(int fd)
{
	static const char path[] = "/run/systemd/journal/stdout";
	struct sockaddr_un peer = {0};
	socklen_t size = sizeof(peer);

	return log_journal_is_named(fd) ||
	       (getpeername(fd, (struct sockaddr *)&peer, &size) == 0 &&
		   peer.sun_family == AF_UNIX && memcmp(peer.sun_path, path, sizeof(path)) == 0);
}

int log_journal_open(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)&log_journal_address,
			   sizeof(log_journal_address)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static void log_journal_field(struct strbuf *out, const char *key, const char *text)
{
	if (!text)
		return;
	strbuf_printf(out, "%s=", key);
	safe_text_add(out, text, strlen(text), false);
	strbuf_add_char(out, '\n');
}

/* An empty datagram with the file beside it. */
static ssize_t log_journal_hand_over(int fd, const struct strbuf *text)
{
	struct schedd_error ignored;
	int file = sealed_text_new(text->data, text->length, "schedd-log", &ignored);
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr message = {.msg_control = &control, .msg_controllen = sizeof(control)};
	ssize_t n;

	if (file < 0)
		return -1;
	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.head), &file, sizeof(file));
	n = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	close(file);
	return n;
}

bool log_journal_send(int fd, int priority, const char *line, const struct log_fields *fields)
{
	struct strbuf out = STRBUF_EMPTY;
	bool sent;
	ssize_t n;

	log_journal_field(&out, "MESSAGE", line);
	strbuf_printf(&out, "PRIORITY=%d\nSYSLOG_IDENTIFIER=schedd\n", priority);
	log_journal_field(&out, "SCHEDD_JOB", fields->job);
	log_journal_field(&out, "SCHEDD_RUN", fields->run);
	log_journal_field(&out, "SCHEDD_EVENT", fields->event);
	do
		n = strbuf_failed(&out) ? -1 : send(fd, out.data, out.length, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && !strbuf_failed(&out) && errno == EINTR);
	if (n < 0 && !strbuf_failed(&out) && (errno == EMSGSIZE || errno == ENOBUFS))
		n = log_journal_hand_over(fd, &out);
	sent = n >= 0;
	strbuf_clear(&out);
	return sent;
}
