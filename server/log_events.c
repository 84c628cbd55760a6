/* SPDX-License-Identifier: MIT */
/* One row an event; those without one are logged where they happen, or are no news. */
#include "server/log_events.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "base/duration.h"
#include "base/strbuf.h"
#include "core/scheduler.h"

struct log_events {
	struct schedd_scheduler *scheduler; /* borrowed */
	struct schedd_listener *listener;
	struct log_sink *sink; /* borrowed */
	struct strbuf line, run; /* of the event that is told; they keep their memory */
};

/* "job backup", "run backup/42" or "scheduler", then the words, then what is known. */
static const struct {
	enum schedd_event_code code;
	enum schedd_log_level level;
	const char *words;
	bool ended; /* a run's end: exit and duration are told */
} log_event_rows[] = {
    {SCHEDD_EVENT_SCHEDULER_PAUSED, SCHEDD_LOG_INFO, "paused", false},
    {SCHEDD_EVENT_SCHEDULER_RESUMED, SCHEDD_LOG_INFO, "resumed", false},
    {SCHEDD_EVENT_JOB_ADDED, SCHEDD_LOG_INFO, "added", false},
    {SCHEDD_EVENT_JOB_MODIFIED, SCHEDD_LOG_INFO, "changed", false},
    {SCHEDD_EVENT_JOB_REMOVED, SCHEDD_LOG_INFO, "removed", false},
    {SCHEDD_EVENT_JOB_SUBMITTED, SCHEDD_LOG_DEBUG, "is to start", false},
    {SCHEDD_EVENT_RUN_STARTED, SCHEDD_LOG_INFO, "started", false},
    {SCHEDD_EVENT_RUN_RETRYING, SCHEDD_LOG_WARNING, "failed, and is tried again", true},
    {SCHEDD_EVENT_RUN_KILLED, SCHEDD_LOG_INFO, "killed", false},
    {SCHEDD_EVENT_RUN_LOST, SCHEDD_LOG_WARNING, "lost", false},
    {SCHEDD_EVENT_JOB_EXECUTED, SCHEDD_LOG_INFO, "ended", true},
    {SCHEDD_EVENT_JOB_ERROR, SCHEDD_LOG_WARNING, "failed", true},
    {SCHEDD_EVENT_JOB_MISSED, SCHEDD_LOG_WARNING, "missed", false},
    {SCHEDD_EVENT_JOB_MAX_INSTANCES, SCHEDD_LOG_INFO, "skipped", false},
};

static void log_event_end(const struct log_events *events, const struct schedd_event *event,
    struct strbuf *line)
{
	schedd_time started;

	if (event->exit_code >= 0) {
		strbuf_add(line, ", exit code ");
		strbuf_add_integer(line, event->exit_code);
	}
	if (event->signal)
		strbuf_printf(line, ", signal %d (SIG%s)", event->signal,
		    sigabbrev_np(event->signal) ? sigabbrev_np(event->signal) : "?");
	if (!scheduler_run_started(events->scheduler, event->job, event->run, &started))
		return;
	strbuf_add(line, ", after ");
	duration_format(line, event->time > started ? event->time - started : 0);
}

/* Those that are not NULL; a file makes a line for each of its jobs. */
static void log_event_words(
    struct strbuf *line, const char *a, const char *b, const char *c, const char *d)
{
	const char *const words[] = {a, b, c, d};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i])
			strbuf_add(line, words[i]);
}

static void log_event(const struct schedd_event *event, void *context)
{
	struct log_events *events = context;
	struct strbuf *line = &events->line, *run = &events->run;
	struct log_fields fields = {
	    .job = event->job, .event = scheduler_event_name(event->code)};
	size_t i = 0;

	while (i < sizeof(log_event_rows) / sizeof(log_event_rows[0]) &&
	       log_event_rows[i].code != event->code)
		i++;
	if (i == sizeof(log_event_rows) / sizeof(log_event_rows[0]) ||
	    log_event_rows[i].level > events->sink->log.level)
		return;
	strbuf_reset(line);
	strbuf_reset(run);
	if (event->job && event->run) {
		strbuf_add(run, event->job);
		strbuf_add_char(run, '/');
		strbuf_add_integer(run, event->run);
		fields.run = strbuf_peek(run);
	}
	log_event_words(line, fields.run ? "run " : event->job ? "job " : "scheduler",
	    fields.run ? fields.run : event->job, " ", log_event_rows[i].words);
	if (log_event_rows[i].ended)
		log_event_end(events, event, line);
	if (event->method)
		log_event_words(line, " by ", event->method, NULL, NULL);
	if (event->uid >= 0) {
		strbuf_add(line, " of uid ");
		strbuf_add_integer(line, event->uid);
		strbuf_add(line, ", pid ");
		strbuf_add_integer(line, event->pid);
	}
	if (event->error)
		log_event_words(line, ": ", event->error, NULL, NULL);
	if (!strbuf_failed(line) && !strbuf_failed(run))
		log_sink_gather(events->sink, log_event_rows[i].level, strbuf_peek(line), &fields);
}

static void log_events_settled(void *context)
{
	log_sink_flush(((const struct log_events *)context)->sink);
}

int log_events_new(struct schedd_scheduler *scheduler, struct log_sink *sink,
    struct log_events **out, struct schedd_error *err)
{
	struct log_events *events = calloc(1, sizeof(*events));
	unsigned mask = 0;

	if (!events)
		return schedd_error_nomem(err);
	for (size_t i = 0; i < sizeof(log_event_rows) / sizeof(log_event_rows[0]); i++)
		mask |= log_event_rows[i].code;
	events->scheduler = scheduler;
	events->sink = sink;
	events->listener = schedd_scheduler_listen(scheduler, mask, log_event, events);
	if (!events->listener) {
		free(events);
		return schedd_error_nomem(err);
	}
	scheduler_events_gather(scheduler, log_events_settled, events);
	*out = events;
	return 0;
}

void log_events_free(struct log_events *events)
{
	if (!events)
		return;
	schedd_scheduler_unlisten(events->listener);
	scheduler_events_gather(events->scheduler, NULL, NULL);
	strbuf_clear(&events->line);
	strbuf_clear(&events->run);
	free(events);
}
