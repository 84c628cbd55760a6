/* SPDX-License-Identifier: MIT */
/*
 * Every line is one write(2), so lines of several threads never mix. A log that
 * cannot be written is nobody's business but the reader's: nothing is retried.
 */
#include "server/log_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <schedd/clock.h>
#include "base/iso8601.h"
#include "base/json.h"

static const struct {
	const char *name;
	int priority; /* of syslog(3), as the journal reads it */
} log_levels[] = {
    [SCHEDD_LOG_ERROR] = {"error", 3},
    [SCHEDD_LOG_WARNING] = {"warning", 4},
    [SCHEDD_LOG_INFO] = {"info", 6},
    [SCHEDD_LOG_DEBUG] = {"debug", 7},
};

bool log_sink_parse_level(const char *name, enum schedd_log_level *out)
{
	for (size_t i = 0; i < sizeof(log_levels) / sizeof(log_levels[0]); i++) {
		if (strcmp(log_levels[i].name, name) == 0) {
			*out = (enum schedd_log_level)i;
			return true;
		}
	}
	return false;
}

/* JOURNAL_STREAM names the device and inode of the journal's socket; is stderr still that? */
static bool log_sink_is_journal(int fd)
{
	const char *text = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return text && sscanf(text, "%llu:%llu", &device, &inode) == 2 && fstat(fd, &st) == 0 &&
	       st.st_dev == device && st.st_ino == inode;
}

/* The machine's own time of day, with its offset, for people who read along. */
static void log_sink_time(struct strbuf *out, bool local)
{
	const struct schedd_clock *clock = schedd_clock_system();
	schedd_time now = clock->wall(clock->context);
	time_t seconds = (time_t)(now / SCHEDD_SECOND);
	struct tm tm;
	int32_t offset = 0;

	if (local && localtime_r(&seconds, &tm))
		offset = (int32_t)tm.tm_gmtoff;
	iso8601_format(out, now, offset, true);
}

/* A line stays one line, whatever it quotes. */
static void log_sink_line(struct strbuf *out, const char *line)
{
	for (; *line; line++)
		strbuf_add_char(out, (unsigned char)*line < 0x20 ? ' ' : *line);
}

static void log_sink_write(void *context, enum schedd_log_level level, const char *line)
{
	struct log_sink *sink = context;
	struct strbuf out = STRBUF_EMPTY;

	if (sink->json) {
		strbuf_add(&out, "{\"time\":\"");
		log_sink_time(&out, false);
		strbuf_printf(&out, "\",\"level\":\"%s\",\"message\":", log_levels[level].name);
		json_write_string(&out, line, strlen(line));
		strbuf_add_char(&out, '}');
	} else if (sink->journal) {
		strbuf_printf(&out, "<%d>", log_levels[level].priority);
		log_sink_line(&out, line);
	} else {
		log_sink_time(&out, true);
		strbuf_printf(&out, " %s: ", log_levels[level].name);
		log_sink_line(&out, line);
	}
	strbuf_add_char(&out, '\n');
	if (!strbuf_failed(&out) && write(sink->fd, out.data, out.length) < 0)
		errno = 0;
	strbuf_clear(&out);
}

void log_sink_init(struct log_sink *sink)
{
	memset(sink, 0, sizeof(*sink));
	sink->log.level = SCHEDD_LOG_INFO;
	sink->log.write = log_sink_write;
	sink->log.context = sink;
	sink->fd = STDERR_FILENO;
	sink->journal = log_sink_is_journal(sink->fd);
	tzset(); /* localtime_r need not look for the zone itself */
}

int log_sink_open(struct log_sink *sink, const char *path, struct schedd_error *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (fd < 0)
		return schedd_error_set(err, SCHEDD_EFAILED, "cannot write the log file '%s': %s",
		    path, strerror(errno));
	log_sink_close(sink);
	sink->fd = fd;
	sink->journal = false;
	return 0;
}

void log_sink_close(struct log_sink *sink)
{
	if (sink->fd > STDERR_FILENO)
		close(sink->fd);
	sink->fd = STDERR_FILENO;
}
