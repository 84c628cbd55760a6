/* SPDX-License-Identifier: MIT */
/* Where schedd's log goes: stderr or a file, as text, as JSON, or for the journal. */
#ifndef SCHEDD_SERVER_LOG_SINK_H
#define SCHEDD_SERVER_LOG_SINK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <schedd/error.h>
#include <schedd/log.h>
#include "base/strbuf.h"
#include "server/log_journal.h"

struct log_sink {
	struct schedd_log log; /* what the rest writes to; its level may be changed at any time */
	int fd;                /* 2, or the file */
	bool plain;            /* it is a regular file, which takes everything at once */
	bool json;             /* one object a line */
	bool journal;          /* stderr is the journal: priorities instead of times */
	int journal_fd;        /* the journal's own socket, for lines with fields; -1: none */
	uint64_t lost;         /* lines since the last one that was written: nobody reads */
	struct strbuf gathered; /* whole lines for a regular file, of the loop's thread */
	pthread_t thread;       /* which that is */
};

/* Info, text, to stderr. */
void log_sink_init(struct log_sink *sink);
/* Appends to the file from now on, mode 0600. */
int log_sink_open(struct log_sink *sink, const char *path, struct schedd_error *err)
    __attribute__((warn_unused_result));
void log_sink_close(struct log_sink *sink);
/* A line with fields, whatever its level; on the loop's thread. */
void log_sink_say(struct log_sink *sink, enum schedd_log_level level, const char *line,
    const struct log_fields *fields);
/* Likewise, but of a regular file it may wait for log_sink_flush(), or for any other line. */
void log_sink_gather(struct log_sink *sink, enum schedd_log_level level, const char *line,
    const struct log_fields *fields);
void log_sink_flush(struct log_sink *sink);
/* "warning" and the like; false: no such level. */
bool log_sink_parse_level(const char *name, enum schedd_log_level *out);

#endif
