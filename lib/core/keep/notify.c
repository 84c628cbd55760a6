/* SPDX-License-Identifier: MIT */
/*
 * Each message is a job of its own kind, handed to an executor that is not the
 * jobs': a command gets the JSON on stdin and SCHEDD_* variables, mail goes
 * through the system's sendmail, a request carries the JSON as its body.
 */
#include "core/keep/notify.h"

#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "core/jobs/executors.h"
#include "core/keep/notify_mail.h"
#include "core/keep/notify_output.h"
#include "core/runs/output_place.h"

/* Messages under way at one time, and waiting behind them; more are dropped and counted. */
#define NOTIFY_WORKERS 4
#define NOTIFY_WAITING_MAX 256
#define NOTIFY_TIMEOUT (60 * SCHEDD_SECOND)
/* How long a freed scheduler waits for those it has killed: turns of milliseconds. */
#define NOTIFY_KILL_TURNS 100
#define NOTIFY_KILL_WAIT 50

struct notify {
	struct notify *next;
	struct notifier *notifier;
	struct schedd_job *job; /* what to do; one reference */
	struct task_request request;
	struct task *task;
	struct timer limit;       /* ends one that hangs */
	char id[RUN_LIVE_ID_MAX]; /* of the run it is about */
};

struct notifier {
	struct schedd_scheduler *scheduler;
	struct executor *executor; /* for commands and mail; NULL: it could not be opened */
	struct notify *waiting;    /* oldest first */
	struct notify *running;
	uint32_t waiting_count;
	uint32_t running_count;
};

static const char *const notify_words[] = {
    [JOB_NOTIFY_FAILURE] = "failure",
    [JOB_NOTIFY_RECOVERY] = "recovery",
    [JOB_NOTIFY_CHANGE] = "change",
    [JOB_NOTIFY_SUCCESS] = "success",
    [JOB_NOTIFY_LATE] = "late",
    [JOB_NOTIFY_MISSED] = "missed",
    [JOB_NOTIFY_OUTPUT] = "output",
};

static void notify_next(struct notifier *notifier);

static struct notifier *notify_notifier(struct schedd_scheduler *scheduler)
{
	struct notifier *notifier = scheduler->keep.notifier;
	struct executor_config config = {.name = "notify",
	    .type = "subprocess",
	    .loop = scheduler->loop,
	    .mailbox = scheduler->mailbox,
	    .log = scheduler->log,
	    .clock = scheduler->clock,
	    .functions = scheduler->functions,
	    .drain = SCHEDD_SECOND,
	    .inherit = &scheduler->inherit,
	    .spawners = scheduler->spawners};
	struct schedd_error err;

	if (notifier)
		return notifier;
	notifier = calloc(1, sizeof(*notifier));
	if (!notifier)
		return NULL;
	notifier->scheduler = scheduler;
	if (executor_open(&config, &notifier->executor, &err)) {
		log_error(scheduler->log, "nobody can be notified: %s", err.message);
		free(notifier);
		return NULL;
	}
	scheduler->keep.notifier = notifier;
	return notifier;
}

static void notify_free_one(struct notify *notify)
{
	job_unref(notify->job);
	free(notify);
}

/* Kept for the status, and logged. */
static void notify_failed(struct schedd_scheduler *scheduler, const char *run, const char *reason)
{
	scheduler->counts.notify_failed++;
	snprintf(scheduler->keep.notify_error, sizeof(scheduler->keep.notify_error), "run %s: %s",
	    run, reason ? reason : "it ended without success");
	log_warn(scheduler->log, "a notification failed: %s", scheduler->keep.notify_error);
}

static void notify_unlink(struct notify **list, struct notify *notify)
{
	while (*list && *list != notify)
		list = &(*list)->next;
	if (*list)
		*list = notify->next;
}

static void notify_done(const struct task_result *result, void *context)
{
	struct notify *notify = context;
	struct notifier *notifier = notify->notifier;
	struct schedd_scheduler *scheduler = notifier->scheduler;

	scheduler_enter(scheduler);
	if (!result->started || result->exit_code != 0)
		notify_failed(scheduler, notify->id, result->reason);
	timers_unset(&scheduler->timers, &notify->limit);
	notify_unlink(&notifier->running, notify);
	notifier->running_count--;
	notify_free_one(notify);
	notify_next(notifier);
	scheduler_leave(scheduler);
}

static void notify_started(pid_t pid, uint64_t pid_start, void *context)
{
	(void)pid;
	(void)pid_start;
	(void)context;
}

static void notify_hangs(struct timer *timer)
{
	struct notify *notify =
	    (struct notify *)(void *)((char *)timer - offsetof(struct notify, limit));
	struct schedd_error err;

	if (notify->task && executor_signal(notify->task, SIGKILL, &err))
		log_warn(notify->notifier->scheduler->log, "run %s: its notification hangs: %s",
		    notify->id, err.message);
}

/* Requests of root's go to an executor of the config that can do them, an account's to a process of its own. */
static struct executor *notify_executor(struct notifier *notifier, const struct schedd_job *job)
{
	struct schedd_scheduler *scheduler = notifier->scheduler;
	const struct executor_slot *own;

	if (job->kind != JOB_HTTP || job_id_account(job->id))
		return notifier->executor;
	for (uint32_t i = 0; i < executors_count(scheduler); i++) {
		struct executor_slot *slot = executors_at(scheduler, i);

		if (!slot->removed && executor_accepts(slot->executor, job, NULL) == 0)
			return slot->executor;
	}
	own = executors_http(scheduler);
	return own ? own->executor : NULL;
}

static void notify_start(struct notifier *notifier, struct notify *notify)
{
	struct schedd_scheduler *scheduler = notifier->scheduler;
	struct executor *executor = notify_executor(notifier, notify->job);
	struct schedd_mono limit = {scheduler_mono(scheduler).us + NOTIFY_TIMEOUT};
	struct task *task;

	if (!executor) {
		notify_failed(scheduler, notify->id, "no executor can send requests");
		notify_free_one(notify);
		return;
	}
	notify->next = notifier->running;
	notifier->running = notify;
	notifier->running_count++;
	timer_init(&notify->limit, notify_hangs);
	if (timers_set(&scheduler->timers, &notify->limit, limit))
		log_warn(scheduler->log, "run %s: no limit for its notification", notify->id);
	task = executor_start(executor, &notify->request);
	/* NULL: it is over already, and freed. */
	if (task)
		notify->task = task;
}

static void notify_next(struct notifier *notifier)
{
	while (notifier->waiting && notifier->running_count < NOTIFY_WORKERS) {
		struct notify *notify = notifier->waiting;

		notifier->waiting = notify->next;
		notifier->waiting_count--;
		notify_start(notifier, notify);
	}
}

/* ---- What is sent ---- */

static int notify_env(
    struct schedd_job *job, const struct schedd_job *about, const struct run *run, const char *word)
{
	struct job_details *details = job_details_edit(job);
	char number[16];
	const char *const pairs[][2] = {
	    {"SCHEDD_NOTIFY", word},
	    {"SCHEDD_STATE", run_state_name(run->state)},
	    {"SCHEDD_REASON", run->reason ? run->reason : ""},
	    {"SCHEDD_EXIT_CODE", number},
	    {"SCHEDD_ABOUT_JOB", job_id_plain(about->id)},
	    {"SCHEDD_ABOUT_NAME", job_title(about)},
	};

	if (!details)
		return SCHEDD_ENOMEM;
	number[0] = '\0';
	if (run->exit_code >= 0)
		snprintf(number, sizeof(number), "%d", run->exit_code);
	details->capture = JOB_CAPTURE_NONE;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (job_pairs_set(&details->env, pairs[i][0], pairs[i][1]))
			return SCHEDD_ENOMEM;
	return 0;
}

static char *notify_json(const struct run *run, const char *word)
{
	struct strbuf text = STRBUF_EMPTY;
	struct arena arena;
	struct value value;

	arena_init(&arena);
	value = run_to_value(run, &arena);
	value_put(&arena, &value, "notify", value_string_ref(word));
	if (!arena_failed(&arena))
		json_write(&text, &value);
	arena_clear(&arena);
	return strbuf_take(&text);
}

/* What the letter about a run tells, with its output if anything was kept. */
static int notify_letter(struct schedd_scheduler *scheduler, struct job_details *details,
    const struct schedd_job *about, const struct run *run, const struct job_notify *rule)
{
	struct strbuf mail = STRBUF_EMPTY;
	const struct run_live *live = run_live_find(scheduler, about->id, run->number);
	char path[PATH_MAX];
	const struct notify_letter letter = {
	    .address = rule->target + 5,
	    .word = notify_words[rule->on],
	    .host = scheduler->host[0] ? scheduler->host : "this machine",
	    .about = about,
	    .run = run,
	    .zone = about->trigger ? trigger_zone(about->trigger) : zone_utc(),
	    .output = live ? run_live_output(live) : NULL,
	    .path = output_place_path(scheduler, about->id, run->number, path, sizeof(path)) ? path
											     : NULL,
	};

	if (rule->on == JOB_NOTIFY_OUTPUT) {
		/* It may hold any bytes. */
		notify_output_mail(&letter, &mail);
		details->stdin_length = mail.length;
		details->stdin_text = strbuf_take(&mail);
	} else {
		details->stdin_text = notify_mail(&letter);
		details->stdin_length = details->stdin_text ? strlen(details->stdin_text) : 0;
	}
	return details->stdin_text ? 0 : SCHEDD_ENOMEM;
}

/* The program that sends it, with the rights of the table's account where cron would do so. */
static int notify_mailer(struct schedd_scheduler *scheduler, struct schedd_job *job,
    const struct schedd_job *about, const struct job_notify *rule)
{
	const char *program =
	    scheduler->keep.sendmail ? scheduler->keep.sendmail : "/usr/sbin/sendmail";
	const char *words[8] = {program, "-t", "-oi"};
	const char *user = job_details(about)->user;
	size_t count = 3;

	if (rule->on == JOB_NOTIFY_OUTPUT) {
		for (count = 1; notify_output_options[count - 1]; count++)
			words[count] = notify_output_options[count - 1];
		words[count++] = rule->target + 5;
	}
	if (rule->on == JOB_NOTIFY_OUTPUT && user && job_is_of_table(about)) {
		job_details_edit(job)->user = strdup(user);
		if (!job_details_edit(job)->user)
			return SCHEDD_ENOMEM;
	}
	return job_set_command(job, words, count);
}

static int notify_action(struct schedd_scheduler *scheduler, struct schedd_job *job,
    const struct schedd_job *about, const struct run *run, const struct job_notify *rule,
    const char *json)
{
	struct job_details *details = job_details_edit(job);
	int rc;

	if (!details || !json)
		return SCHEDD_ENOMEM;
	if (strncmp(rule->target, "http://", 7) == 0 || strncmp(rule->target, "https://", 8) == 0) {
		rc = job_set_http(job, "POST", rule->target);
		if (rc)
			return rc;
		job->http->body = strdup(json);
		return job_pairs_set(&job->http->headers, "Content-Type", "application/json");
	}
	if (strncmp(rule->target, "mail:", 5) == 0) {
		rc = notify_mailer(scheduler, job, about, rule);
		return rc ? rc : notify_letter(scheduler, details, about, run, rule);
	}
	rc = job_set_shell(job, rule->target);
	details->stdin_text = strdup(json);
	details->stdin_length = details->stdin_text ? strlen(details->stdin_text) : 0;
	return details->stdin_text ? rc : SCHEDD_ENOMEM;
}

/* What an account's job asks for is done with that account's rights, not with ours. */
static int notify_as(struct schedd_job *job, const struct schedd_job *about)
{
	size_t length = job_id_account(about->id);
	struct job_details *details = length ? job_details_edit(job) : NULL;

	if (!length)
		return 0;
	if (details) {
		free(details->user);
		details->user = strndup(about->id, length);
	}
	return details && details->user ? 0 : SCHEDD_ENOMEM;
}

static struct notify *notify_new(struct notifier *notifier, const struct schedd_job *about,
    const struct run *run, const struct job_notify *rule)
{
	struct notify *notify = calloc(1, sizeof(*notify));
	char *json = notify_json(run, notify_words[rule->on]);
	struct schedd_job *job = job_new();

	if (job)
		job->id = strdup(about->id);
	if (!notify || !job || !job->id ||
	    notify_action(notifier->scheduler, job, about, run, rule, json) ||
	    notify_env(job, about, run, notify_words[rule->on]) || notify_as(job, about)) {
		free(json);
		free(notify);
		job_unref(job);
		return NULL;
	}
	free(json);
	notify->notifier = notifier;
	notify->job = job;
	snprintf(notify->id, sizeof(notify->id), "%s/%u", about->id, run->number);
	notify->request = (struct task_request){.job = job,
	    .run_id = notify->id,
	    .scheduled_at = run->scheduled_at,
	    .attempt = run->attempt,
	    .socket = notifier->scheduler->socket,
	    .time = &notifier->scheduler->trigger,
	    .started = notify_started,
	    .done = notify_done,
	    .context = notify};
	return notify;
}

static void notify_send(struct schedd_scheduler *scheduler, const struct schedd_job *about,
    const struct run *run, const struct job_notify *rule)
{
	struct notifier *notifier = notify_notifier(scheduler);
	struct notify *notify = NULL, **end;

	if (notifier && notifier->waiting_count < NOTIFY_WAITING_MAX)
		notify = notify_new(notifier, about, run, rule);
	if (!notify) {
		scheduler->counts.notify_dropped++;
		log_warn(
		    scheduler->log, "run %s/%u: a notification is dropped", about->id, run->number);
		return;
	}
	for (end = &notifier->waiting; *end; end = &(*end)->next)
		;
	*end = notify;
	notifier->waiting_count++;
	notify_next(notifier);
}

static bool notify_failed_state(uint8_t state)
{
	return state == RUN_FAILED || state == RUN_TIMEOUT || state == RUN_KILLED ||
	       state == RUN_LOST;
}

/* Does this end, after that of the run before, match the rule? */
static bool notify_wants(enum job_notify_on on, uint8_t before, const struct run *run, bool late)
{
	enum run_state state = run->state;
	bool failed = notify_failed_state((uint8_t)state);
	bool success = state == RUN_SUCCESS;

	switch (on) {
	case JOB_NOTIFY_FAILURE:
		return failed;
	case JOB_NOTIFY_RECOVERY:
		return success && notify_failed_state(before);
	case JOB_NOTIFY_CHANGE:
		return before == RUN_QUEUED
			   ? failed
			   : (failed || success) && (failed != notify_failed_state(before));
	case JOB_NOTIFY_SUCCESS:
		return success;
	case JOB_NOTIFY_LATE:
		return late;
	case JOB_NOTIFY_MISSED:
		return state == RUN_MISSED;
	case JOB_NOTIFY_OUTPUT:
		return run->output_bytes > 0;
	}
	return false;
}

void notify_run(struct run_live *live)
{
	const struct job_details *details = job_details(run_live_job(live));
	const struct run *run = run_live_run(live);
	schedd_time due_at;
	uint8_t before;
	bool late;

	if (!details->notify_count)
		return;
	before = run_live_entry(live) ? run_live_entry(live)->last_state : RUN_QUEUED;
	due_at = run_live_due_at(live);
	late = due_at != SCHEDD_TIME_NONE && run->started_at != SCHEDD_TIME_NONE &&
	       run->started_at - due_at > SCHEDD_MINUTE;
	for (uint32_t i = 0; i < details->notify_count; i++)
		if (notify_wants(details->notify[i].on, before, run, late))
			notify_send(run_live_scheduler(live), run_live_job(live), run, &details->notify[i]);
}

void notify_lost(
    struct schedd_scheduler *scheduler, const struct entry *entry, const struct run *run)
{
	const struct job_details *details = job_details(entry->job);

	for (uint32_t i = 0; i < details->notify_count; i++)
		if (notify_wants(details->notify[i].on, entry->last_state, run, false))
			notify_send(scheduler, entry->job, run, &details->notify[i]);
}

void notify_missed(struct schedd_scheduler *scheduler, struct entry *entry, const struct run *run)
{
	const struct job_details *details = job_details(entry->job);
	struct run row = *run;

	row.job = entry->job->id;
	for (uint32_t i = 0; i < details->notify_count; i++)
		if (details->notify[i].on == JOB_NOTIFY_MISSED && run->state == RUN_MISSED)
			notify_send(scheduler, entry->job, &row, &details->notify[i]);
}

const char *notify_last_error(const struct schedd_scheduler *scheduler)
{
	return scheduler->keep.notify_error[0] ? scheduler->keep.notify_error : NULL;
}

bool notify_busy(const struct schedd_scheduler *scheduler)
{
	const struct notifier *notifier = scheduler->keep.notifier;

	return notifier && (notifier->running || notifier->waiting);
}

/* The scheduler is freed: what is under way is ended, where its loop is its own. */
static void notify_kill(struct notifier *notifier)
{
	struct schedd_loop *loop = notifier->scheduler->loop;

	for (struct notify *notify = notifier->running; notify; notify = notify->next)
		if (notify->task && executor_signal(notify->task, SIGKILL, NULL))
			log_warn(notifier->scheduler->log, "run %s: its notification goes on",
			    notify->id);
	for (int i = 0; i < NOTIFY_KILL_TURNS && notifier->running; i++)
		if (!notifier->scheduler->loop_owned ||
		    schedd_loop_dispatch(loop, NOTIFY_KILL_WAIT) < 0)
			return;
}

int scheduler_set_sendmail(
    struct schedd_scheduler *scheduler, const char *path, struct schedd_error *err)
{
	char *copy = path ? strdup(path) : NULL;

	if (path && !copy)
		return schedd_error_nomem(err);
	free(scheduler->keep.sendmail);
	scheduler->keep.sendmail = copy;
	return 0;
}

void notify_free(struct schedd_scheduler *scheduler)
{
	struct notifier *notifier = scheduler->keep.notifier;

	free(scheduler->keep.sendmail);
	scheduler->keep.sendmail = NULL;
	if (!notifier)
		return;
	while (notifier->waiting) {
		struct notify *notify = notifier->waiting;

		notifier->waiting = notify->next;
		notify_free_one(notify);
	}
	notify_kill(notifier);
	executor_close(notifier->executor);
	while (notifier->running) {
		struct notify *notify = notifier->running;

		notifier->running = notify->next;
		timers_unset(&scheduler->timers, &notify->limit);
		notify_free_one(notify);
	}
	free(notifier);
	scheduler->keep.notifier = NULL;
}
