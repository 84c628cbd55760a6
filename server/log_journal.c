/* SPDX-License-Identifier: MIT */
/* One datagram a line, KEY=value lines in it; no value here has a line break. */
#include "server/log_journal.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/safe_text.h"

static const struct sockaddr_un log_journal_address = {
    .sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/socket"};

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
	sent = n >= 0;
	strbuf_clear(&out);
	return sent;
}
