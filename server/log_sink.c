/* SPDX-License-Identifier: MIT */
/*
 * Every line is one write(2), or several whole ones are, so lines of several threads never mix. A log that
 * cannot be written is nobody's business but the reader's: nothing is retried,
 * and a pipe or terminal that is full costs its reader lines, not us the time.
 */
#include "server/log_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <schedd/clock.h>
#include "base/iso8601.h"
#include "base/json.h"
#include "base/safe_text.h"

#define LOG_GATHERED ((size_t)64 << 10) /* bytes of lines that are written together */

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

/* Of the machine's own time of day. Lines come by the hundred in one second, and each thread asks for its own. */
static int32_t log_sink_offset(time_t seconds)
{
	static _Thread_local time_t asked = -1;
	static _Thread_local int32_t offset;
	struct tm tm;

	if (seconds != asked)
		offset = localtime_r(&seconds, &tm) ? (int32_t)tm.tm_gmtoff : 0;
	asked = seconds;
	return offset;
}

/* With its offset, for people who read along. */
static void log_sink_time(struct strbuf *out, bool local)
{
	const struct schedd_clock *clock = schedd_clock_system();
	schedd_time now = clock->wall(clock->context);

	iso8601_format(out, now, local ? log_sink_offset((time_t)(now / SCHEDD_SECOND)) : 0, true);
}

static bool log_sink_is_plain(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* Would all of it be taken at once? Of a pipe that is full no line is taken. */
static bool log_sink_takes(const struct log_sink *sink)
{
	struct pollfd room = {.fd = sink->fd, .events = POLLOUT};

	/* A pipe with PIPE_BUF bytes of room is ready. */
	return sink->plain ||
	       (poll(&room, 1, 0) == 1 && (room.revents & (POLLOUT | POLLERR | POLLHUP)));
}

/* As many bytes as never block; a longer line loses its end. */
static void log_sink_put(struct log_sink *sink, struct strbuf *line)
{
	ssize_t n;

	if (strbuf_failed(line) || !log_sink_takes(sink)) {
		__atomic_fetch_add(&sink->lost, 1, __ATOMIC_RELAXED);
		return;
	}
	if (line->length > PIPE_BUF && !sink->plain) {
		line->length = PIPE_BUF;
		line->data[PIPE_BUF - 1] = '\n';
	}
	do
		n = write(sink->fd, line->data, line->length);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		__atomic_fetch_add(&sink->lost, 1, __ATOMIC_RELAXED);
}

static void log_sink_json_field(struct strbuf *out, const char *key, const char *text)
{
	if (!text)
		return;
	strbuf_printf(out, ",\"%s\":", key);
	json_write_string(out, text, strlen(text));
}

/* fields: NULL: none. */
static void log_sink_format(const struct log_sink *sink, enum schedd_log_level level,
    const char *line, const struct log_fields *fields, struct strbuf *out)
{
	if (sink->json) {
		strbuf_add(out, "{\"time\":\"");
		log_sink_time(out, false);
		strbuf_printf(out, "\",\"level\":\"%s\",\"message\":", log_levels[level].name);
		json_write_string(out, line, strlen(line));
		if (fields) {
			log_sink_json_field(out, "event", fields->event);
			log_sink_json_field(out, "job", fields->job);
			log_sink_json_field(out, "run", fields->run);
		}
		strbuf_add_char(out, '}');
	} else if (sink->journal) {
		strbuf_printf(out, "<%d>", log_levels[level].priority);
		safe_text_add(out, line, strlen(line), false);
	} else {
		log_sink_time(out, true);
		strbuf_add_char(out, ' ');
		strbuf_add(out, log_levels[level].name);
		strbuf_add(out, ": ");
		safe_text_add(out, line, strlen(line), false);
	}
	strbuf_add_char(out, '\n');
}

/* Says what was lost, once somebody reads again. */
static void log_sink_tell_lost(struct log_sink *sink)
{
	uint64_t lost = __atomic_exchange_n(&sink->lost, 0, __ATOMIC_RELAXED);
	struct strbuf out = STRBUF_EMPTY;
	char line[96];

	snprintf(line, sizeof(line), "%llu lines of this log were lost: nobody read it",
	    (unsigned long long)lost);
	log_sink_format(sink, SCHEDD_LOG_WARNING, line, NULL, &out);
	log_sink_put(sink, &out);
	strbuf_clear(&out);
	if (sink->lost)
		__atomic_fetch_add(&sink->lost, lost - 1, __ATOMIC_RELAXED);
}

void log_sink_flush(struct log_sink *sink)
{
	if (sink->gathered.length == 0 && !strbuf_failed(&sink->gathered))
		return;
	log_sink_put(sink, &sink->gathered);
	if (sink->gathered.capacity > LOG_GATHERED)
		strbuf_clear(&sink->gathered);
	else
		strbuf_reset(&sink->gathered);
}

static void log_sink_line(struct log_sink *sink, enum schedd_log_level level, const char *line,
    const struct log_fields *fields)
{
	struct strbuf out = STRBUF_EMPTY;
	int reason = errno;

	if (pthread_equal(pthread_self(), sink->thread))
		log_sink_flush(sink);
	if (__atomic_load_n(&sink->lost, __ATOMIC_RELAXED) && log_sink_takes(sink))
		log_sink_tell_lost(sink);
	log_sink_format(sink, level, line, fields, &out);
	log_sink_put(sink, &out);
	strbuf_clear(&out);
	errno = reason;
}

static void log_sink_write(void *context, enum schedd_log_level level, const char *line)
{
	log_sink_line(context, level, line, NULL);
}

/* True: the journal has it. */
static bool log_sink_journal(struct log_sink *sink, enum schedd_log_level level, const char *line,
    const struct log_fields *fields)
{
	if (sink->journal && sink->journal_fd < 0)
		sink->journal_fd = log_journal_open();
	if (!sink->journal || sink->journal_fd < 0)
		return false;
	if (log_journal_send(sink->journal_fd, log_levels[level].priority, line, fields))
		return true;
	/* A journal that was started anew has another socket: the next line finds it. */
	close(sink->journal_fd);
	sink->journal_fd = -1;
	return false;
}

void log_sink_say(struct log_sink *sink, enum schedd_log_level level, const char *line,
    const struct log_fields *fields)
{
	if (!log_sink_journal(sink, level, line, fields))
		log_sink_line(sink, level, line, fields);
}

void log_sink_gather(struct log_sink *sink, enum schedd_log_level level, const char *line,
    const struct log_fields *fields)
{
	if (!sink->plain || !pthread_equal(pthread_self(), sink->thread)) {
		log_sink_say(sink, level, line, fields);
		return;
	}
	log_sink_format(sink, level, line, fields, &sink->gathered);
	if (strbuf_failed(&sink->gathered) || sink->gathered.length >= LOG_GATHERED)
		log_sink_flush(sink);
}

void log_sink_init(struct log_sink *sink)
{
	memset(sink, 0, sizeof(*sink));
	sink->log.level = SCHEDD_LOG_INFO;
	sink->log.write = log_sink_write;
	sink->log.context = sink;
	sink->fd = STDERR_FILENO;
	sink->journal_fd = -1;
	sink->thread = pthread_self();
	sink->journal = log_journal_has(sink->fd);
	sink->plain = log_sink_is_plain(sink->fd);
	tzset(); /* localtime_r need not look for the zone itself */
}

int log_sink_open(struct log_sink *sink, const char *path, struct schedd_error *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);

	if (fd < 0)
		return schedd_error_set(err, SCHEDD_EFAILED, "cannot write the log file '%s': %s",
		    path, strerror(errno));
	log_sink_close(sink);
	sink->fd = fd;
	sink->plain = log_sink_is_plain(fd);
	sink->journal = false;
	return 0;
}

void log_sink_close(struct log_sink *sink)
{
	log_sink_flush(sink);
	strbuf_clear(&sink->gathered);
	if (sink->fd > STDERR_FILENO)
		close(sink->fd);
	if (sink->journal_fd >= 0)
		close(sink->journal_fd);
	sink->journal_fd = -1;
	sink->fd = STDERR_FILENO;
	sink->plain = log_sink_is_plain(sink->fd);
	sink->journal = log_journal_has(sink->fd);
}
