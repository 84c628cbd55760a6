/* SPDX-License-Identifier: MIT */
/* One row a setting. */
#include "server/config_table.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <schedd/clock.h>
#include "base/json.h"
#include "jobfile/jobfile_type.h"
#include "model/job_fields.h"
#include "server/config.h"
#include "server/config_defaults.h"

#define IN(member) offsetof(struct config, member)
#define DAYS(n) ((int64_t)(n)*SCHEDD_DAY)

static const char *const log_level_words[] = {"error", "warning", "info", "debug", NULL};
static const char *const log_format_words[] = {"text", "json", NULL};

static const struct config_row config_settings[] = {
    {"timezone", CONFIG_ZONE, IN(timezone), 0, 0, NULL, false, "the machine's own",
	"zone of triggers and times that name none"},
    {"socket", CONFIG_TEXT, IN(socket), 0, 0, NULL, false, "by mode", "where clients connect"},
    {"state_dir", CONFIG_TEXT, IN(state_dir), 0, 0, NULL, false, "by mode",
	"where jobs, history and output are kept"},
    {"node.name", CONFIG_NODE, IN(node.name), 0, 0, NULL, false, "the host's name",
	"this daemon's name among those that share a store"},
    {"node.labels", CONFIG_LABELS, IN(node.labels), 0, 0, NULL, false, "none",
	"what jobs may ask of a node, a map: {zone: a}"},
    {"log.level", CONFIG_WORD, IN(log_level), 0, 0, log_level_words, true, "info",
	"what is logged: this and everything graver"},
    {"log.format", CONFIG_WORD, IN(log_format), 0, 0, log_format_words, true, "text",
	"lines for people, or one JSON object a line"},
    {"log.file", CONFIG_TEXT, IN(log_file), 0, 0, NULL, true, "stderr", "append the log to a file"},
    {"defaults.misfire_grace_time", CONFIG_SPAN, IN(settings.misfire_grace_time), -1, DAYS(3650),
	NULL, true, "none", "how late a run may start, for jobs that do not say"},
    {"defaults.max_instances", CONFIG_COUNT, IN(settings.max_instances), 1, 100000, NULL, true, "1",
	"runs of a job at one time, for jobs that do not say"},
    {"defaults.output_max", CONFIG_SIZE, IN(settings.output_max), 0, INT64_MAX, NULL, true, "1M",
	"bytes of output kept of a run, for jobs that do not say"},
    {"defaults.keep_runs", CONFIG_LONG, IN(settings.retention.keep_runs), -1, INT64_MAX, NULL, true,
	"none", "runs of a job kept in its history, or none for no limit"},
    {"defaults.keep_for", CONFIG_SPAN, IN(settings.retention.keep_for), -1, DAYS(36500), NULL, true,
	"none", "how long runs are kept in the history"},
    {"history.max_runs", CONFIG_LONG, IN(settings.retention.max_runs), -1, INT64_MAX, NULL, true,
	"none", "runs kept in all, or none for no limit"},
    {"history.max_bytes", CONFIG_SIZE, IN(settings.retention.max_bytes), -1, INT64_MAX, NULL, true,
	"none", "bytes that a store may take; the oldest runs go first"},
    {"history.max_changes", CONFIG_LONG, IN(settings.retention.max_changes), -1, INT64_MAX, NULL,
	true, "100000", "lines of the record of changes kept, or none for no limit"},
    {"history.output_total", CONFIG_SIZE, IN(settings.output_total_max), -1, INT64_MAX, NULL, true,
	"none", "bytes of all kept output; the oldest goes first"},
    {"history.low_disk", CONFIG_SIZE, IN(settings.low_disk), 0, INT64_MAX, NULL, true, "64M",
	"free bytes below which output is cut so that jobs can go on"},
    {"scheduler.catchup_max", CONFIG_COUNT, IN(settings.catchup_max), 1, 1000000, NULL, true, "100",
	"runs that coalesce=all makes of one backlog"},
    {"scheduler.claim_backoff_max", CONFIG_SPAN, IN(settings.claim_backoff_max), 0, DAYS(1), NULL,
	true, "30s", "longest pause between attempts to store that runs begin"},
    {"events.ring", CONFIG_COUNT, IN(settings.event_ring), 1, 10000000, NULL, false, "10000",
	"events kept for event.subscribe's since"},
    {"limits.request", CONFIG_BYTES, IN(limits.request), 1024, 1 << 30, NULL, true, "4M",
	"bytes of one message to schedd"},
    {"limits.clients", CONFIG_COUNT, IN(clients), 1, 65536, NULL, true, "1024",
	"connections at one time"},
    {"limits.events", CONFIG_BYTES, IN(limits.events), 4096, 1 << 30, NULL, true, "8M",
	"bytes of events that wait for one slow reader; then they are dropped"},
    {"limits.answers", CONFIG_BYTES, IN(limits.answers), 4096, 1 << 30, NULL, true, "1M",
	"bytes of unsent answers beyond which a client is not read from"},
    {"limits.unread", CONFIG_BYTES, IN(limits.unread), 4096, 1LL << 40, NULL, true, "256M",
	"bytes that all clients together may leave unread; then those who read nothing are closed"},
    {"limits.apply", CONFIG_BYTES, IN(limits.apply), 1024, 1 << 30, NULL, true, "64M",
	"bytes of a job file that comes in parts"},
    {"stop.limit", CONFIG_SPAN, IN(stop_limit), -1, DAYS(3650), NULL, true, "30s",
	"how long a stop waits for running jobs before it ends them"},
    {"stop.detach", CONFIG_BOOL, IN(stop_detach), 0, 0, NULL, true, "false",
	"a stop leaves running jobs alone instead of waiting for them"},
    {"jobs", CONFIG_PATHS, IN(jobs), 0, 0, NULL, true, "none",
	"job files, and directories of them, that are applied at the start and by a reload"},
    {"users.allow", CONFIG_TEXTS, IN(users.allow), 0, 0, NULL, true, "nobody but root",
	"who may have jobs: names of accounts, '@group', or '*' for everybody"},
    {"users.deny", CONFIG_TEXTS, IN(users.deny), 0, 0, NULL, true, "nobody",
	"who may not, whatever else is said"},
    {"users.operators", CONFIG_TEXTS, IN(users.operators), 0, 0, NULL, true, "nobody",
	"who sees all jobs, and may run, pause, resume, kill and retry them"},
    {"users.admins", CONFIG_TEXTS, IN(users.admins), 0, 0, NULL, true, "nobody but root",
	"who may do everything that root may"},
    {"users.cron_files", CONFIG_BOOL, IN(users.cron_files), 0, 0, NULL, true, "false",
	"/etc/cron.allow and /etc/cron.deny decide, as for crontab(1), in the place of users.allow"},
    {"users.limits.jobs", CONFIG_LONG, IN(users.limits.jobs), 0, INT64_MAX, NULL, true, "200",
	"jobs of each account"},
    {"users.limits.running", CONFIG_LONG, IN(users.limits.running), 1, INT64_MAX, NULL, true, "32",
	"runs of each account at one time"},
    {"users.limits.queued", CONFIG_LONG, IN(users.limits.queued), 1, INT64_MAX, NULL, true, "1000",
	"runs of each account that wait"},
    {"users.limits.every", CONFIG_SPAN, IN(users.limits.every), 0, DAYS(1), NULL, true, "1s",
	"shortest interval between runs of an account's job"},
    {"users.limits.output", CONFIG_SIZE, IN(users.limits.output), 0, INT64_MAX, NULL, true, "64M",
	"bytes of output kept of each account's runs; the oldest goes first"},
    {"users.limits.history", CONFIG_LONG, IN(users.limits.history), 0, INT64_MAX, NULL, true,
	"100000", "runs of each account kept in the history; the oldest go first"},
    {"users.limits.clients", CONFIG_LONG, IN(users.limits.clients), 1, INT64_MAX, NULL, true, "100",
	"connections of each account at one time"},
    {"users.limits.requests", CONFIG_LONG, IN(users.limits.requests), 1, INT64_MAX, NULL, true, "64",
	"requests of each account that are worked on at one time; more wait"},
    {"users.accounts", CONFIG_ACCOUNTS, IN(users), 0, 0, NULL, true, "none",
	"limits of single accounts: NAME: {jobs: 2000, running: 64}"},
    {"notify.sendmail", CONFIG_TEXT, IN(sendmail), 0, 0, NULL, true, "/usr/sbin/sendmail",
	"program that sends mail to people, called with -t -oi"},
    {"cron.tables", CONFIG_BOOL, IN(cron.tables), 0, 0, NULL, true, "false",
	"the tables in /etc/crontab, /etc/cron.d and /var/spool/cron/crontabs are run, in cron's "
	"place"},
    {"cron.dirs", CONFIG_BOOL, IN(cron.dirs), 0, 0, NULL, true, "false",
	"the scripts in /etc/cron.hourly, cron.daily, cron.weekly and cron.monthly are run, late "
	"rather than never"},
    {"cron.beside", CONFIG_BOOL, IN(cron.beside), 0, 0, NULL, true, "false",
	"they are run even while another cron runs them, too"},
    {"cron.root", CONFIG_TEXT, IN(cron.root), 0, 0, NULL, true, "/",
	"directory below which those are looked for"},
    {"http.listen", CONFIG_TEXTS, IN(web.listen), 0, 0, NULL, false, "no HTTP",
	"addresses served by HTTP: 127.0.0.1:8630, [::1]:8630, unix:/path"},
    {"http.tls.certificate", CONFIG_TEXT, IN(web.certificate), 0, 0, NULL, false, "no TLS",
	"PEM file of the certificate and its chain; read again by a reload"},
    {"http.tls.key", CONFIG_TEXT, IN(web.key), 0, 0, NULL, false, "no TLS",
	"PEM file of its key; read again by a reload"},
    {"http.insecure", CONFIG_BOOL, IN(web.insecure), 0, 0, NULL, false, "false",
	"addresses that other hosts reach may do without TLS"},
    {"http.tokens", CONFIG_TEXT, IN(web.tokens), 0, 0, NULL, true, "none",
	"file of tokens, lines NAME ROLE SHA-256 [ACCOUNT]; see schedctl token"},
    {"http.basic", CONFIG_TEXT, IN(web.basic), 0, 0, NULL, true, "none",
	"file of passwords, lines NAME:HASH:ROLE[:ACCOUNT]"},
    {"http.executor", CONFIG_TEXT, IN(web.executor), 0, 0, NULL, true, "the only worker executor",
	"what func of the Flask-APScheduler routes goes to"},
    {"http.connections", CONFIG_COUNT, IN(web.connections), 1, 65536, NULL, true, "256",
	"connections at one time; more are answered 503"},
    {"http.prefix", CONFIG_TEXT, IN(web.prefix), 0, 0, NULL, true, "/scheduler",
	"of the Flask-APScheduler routes"},
    {"http.allow_hosts", CONFIG_TEXTS, IN(web.allow_hosts), 0, 0, NULL, true,
	"the addresses, and localhost", "names of this server that requests may give as Host"},
    {"http.if_match", CONFIG_BOOL, IN(web.if_match), 0, 0, NULL, true, "false",
	"PUT, PATCH and DELETE of a job need If-Match, or If-None-Match: *; else 428"},
    {"http.mode", CONFIG_MODE, IN(web.mode), 0, 0777, NULL, false, "0600",
	"permissions of a unix: socket"},
    {NULL, CONFIG_TEXT, 0, 0, 0, NULL, false, NULL, NULL},
};
_Static_assert(sizeof(config_settings) / sizeof(config_settings[0]) <= CONFIG_SETTINGS_MAX,
    "config.given has a place for each row");

#define OF_STORE(member) offsetof(struct config_store, member)
#define OF_EXECUTOR(member) offsetof(struct config_executor, member)
#define OF_LISTENER(member) offsetof(struct config_listener, member)

#define OF_GROUP(member) offsetof(struct config_group, member)
#define OF_LIMITS(member) offsetof(struct config_limits, member)

static const struct config_row config_group_rows[] = {
    {"users", CONFIG_BOOL, OF_GROUP(users), 0, 0, NULL, true, "false",
	"accounts may put jobs into it"},
    {NULL, CONFIG_TEXT, 0, 0, 0, NULL, false, NULL, NULL},
};

static const struct config_row config_account_rows[] = {
    {"jobs", CONFIG_LONG, OF_LIMITS(jobs), 0, INT64_MAX, NULL, true, "users.limits.jobs", "jobs"},
    {"running", CONFIG_LONG, OF_LIMITS(running), 1, INT64_MAX, NULL, true, "users.limits.running",
	"runs at one time"},
    {"queued", CONFIG_LONG, OF_LIMITS(queued), 1, INT64_MAX, NULL, true, "users.limits.queued",
	"runs that wait"},
    {"every", CONFIG_SPAN, OF_LIMITS(every), 0, DAYS(1), NULL, true, "users.limits.every",
	"shortest interval between runs of a job"},
    {"output", CONFIG_SIZE, OF_LIMITS(output), 0, INT64_MAX, NULL, true, "users.limits.output",
	"bytes of output kept"},
    {"history", CONFIG_LONG, OF_LIMITS(history), 0, INT64_MAX, NULL, true, "users.limits.history",
	"runs kept in the history"},
    {"clients", CONFIG_LONG, OF_LIMITS(clients), 1, INT64_MAX, NULL, true, "users.limits.clients",
	"connections at one time"},
    {"requests", CONFIG_LONG, OF_LIMITS(requests), 1, INT64_MAX, NULL, true, "users.limits.requests",
	"requests worked on at one time"},
    {NULL, CONFIG_TEXT, 0, 0, 0, NULL, false, NULL, NULL},
};

static const struct config_row config_store_rows[] = {
    {"type", CONFIG_STORE, OF_STORE(type), 0, 0, NULL, false, "by the url, else sqlite",
	"sqlite, memory, or that of a server: postgresql, redis, mysql, etcd, mongodb, zookeeper"},
    {"path", CONFIG_TEXT, OF_STORE(path), 0, 0, NULL, false, "NAME.db in the state directory",
	"the database file; beside the others if it is not absolute"},
    {"url", CONFIG_URL, OF_STORE(url), 0, 0, NULL, false, "none",
	"where its server is: postgresql://USER@HOST[,HOST]/DATABASE?sslmode=verify-full"},
    {"password_file", CONFIG_TEXT, OF_STORE(password_file), 0, 0, NULL, false, "none",
	"file with the password, of mode 0600; better than one in the url"},
    {"history", CONFIG_TEXT, OF_STORE(history), 0, 0, NULL, false,
	"itself; of etcd and zookeeper the default store",
	"the other store that keeps the runs and changes of its jobs"},
    {"run_as", CONFIG_TEXTS, OF_STORE(run_as), 0, 0, NULL, false,
	"schedd's own account; of root's schedd none",
	"accounts whose jobs a store on a server may hold, since whoever writes there could add some"},
    {"connect_timeout", CONFIG_TEXT, OF_STORE(connect_timeout), 0, 0, NULL, false, "5s",
	"time for reaching the server and logging in"},
    {"timeout", CONFIG_TEXT, OF_STORE(timeout), 0, 0, NULL, false, "10s",
	"time for an answer of the server; then a change has failed, or is in doubt"},
    {"lease", CONFIG_TEXT, OF_STORE(lease), 0, 0, NULL, false, "15s",
	"how long a dead schedd may still own the store, or its jobs where it is shared; 3s or more"},
    {"outbox", CONFIG_TEXT, OF_STORE(outbox), 0, 0, NULL, false, "100000",
	"runs that end while the server is away and wait for it with their output; of more, the oldest lose it"},
    {"shared", CONFIG_BOOL, OF_STORE(shared), 0, 0, NULL, false, "false",
	"several daemons have it together, each some of its jobs; see schedd-cluster(7)"},
    {"prefix", CONFIG_TEXT, OF_STORE(prefix), 0, 0, NULL, false, "by the type",
	"what keys begin with, where the type has keys"},
    {"compact", CONFIG_TEXT, OF_STORE(compact), 0, 0, NULL, false, "false",
	"etcd: true lets schedd compact the server's history of keys, which is everybody's there"},
    {"tls_ca", CONFIG_TEXT, OF_STORE(tls_ca), 0, 0, NULL, false, "none",
	"PEM file of the authorities that the server's certificate is checked against"},
    {"tls_cert", CONFIG_TEXT, OF_STORE(tls_cert), 0, 0, NULL, false, "none",
	"PEM file of schedd's own certificate for the server"},
    {"tls_key", CONFIG_TEXT, OF_STORE(tls_key), 0, 0, NULL, false, "none",
	"PEM file of its key"},
    {"users", CONFIG_BOOL, OF_STORE(users), 0, 0, NULL, true, "true for default alone",
	"accounts may keep jobs there"},
    {NULL, CONFIG_TEXT, 0, 0, 0, NULL, false, NULL, NULL},
};

static const struct config_row config_executor_rows[] = {
    {"type", CONFIG_EXEC, OF_EXECUTOR(type), 0, 0, NULL, false, "subprocess",
	"subprocess, worker, function, threadpool or http"},
    {"max_workers", CONFIG_COUNT, OF_EXECUTOR(max_workers), 0, 1000000, NULL, false, "by the type",
	"runs at one time"},
    {"language", CONFIG_TEXT, OF_EXECUTOR(worker.language), 0, 0, NULL, false, "python",
	"worker: python or node, whose worker comes with schedd"},
    {"command", CONFIG_TEXTS, OF_EXECUTOR(worker.command), 0, 0, NULL, false, "the language's",
	"worker: program and arguments of a worker of your own"},
    {"processes", CONFIG_COUNT, OF_EXECUTOR(worker.processes), 1, WORKER_PROCESSES_MAX, NULL, false,
	"4", "worker: processes at most; they are started when needed"},
    {"min", CONFIG_COUNT, OF_EXECUTOR(worker.min), 0, WORKER_PROCESSES_MAX, NULL, false, "0",
	"worker: processes that are there even when idle"},
    {"concurrency", CONFIG_COUNT, OF_EXECUTOR(worker.concurrency), 1, WORKER_CONCURRENCY_MAX, NULL,
	false, "1", "worker: calls at one time in one process"},
    {"max_calls", CONFIG_LONG, OF_EXECUTOR(worker.max_calls), -1, INT64_MAX, NULL, false, "none",
	"worker: calls after which a process is replaced"},
    {"max_rss", CONFIG_SIZE, OF_EXECUTOR(worker.max_rss), -1, INT64_MAX, NULL, false, "none",
	"worker: memory with which a process is replaced, once its calls have ended"},
    {"max_age", CONFIG_SPAN, OF_EXECUTOR(worker.max_age), -1, DAYS(3650), NULL, false, "none",
	"worker: age at which a process is replaced, once its calls have ended"},
    {"idle", CONFIG_SPAN, OF_EXECUTOR(worker.idle), -1, DAYS(3650), NULL, false, "10m",
	"worker: how long a process stays without a call"},
    {"ready_timeout", CONFIG_SPAN, OF_EXECUTOR(worker.ready_timeout), 1000, DAYS(1), NULL, false,
	"10s", "worker: how long a process may take to start"},
    {"preload", CONFIG_TEXTS, OF_EXECUTOR(worker.preload), 0, 0, NULL, false, "none",
	"worker: modules that are imported before the first call"},
    {"cwd", CONFIG_JOB, OF_EXECUTOR(cwd), 0, 0, NULL, false, "home",
	"worker: directory of its processes, where modules are found too"},
    {"env", CONFIG_JOB, OF_EXECUTOR(env), 0, 0, NULL, false, "none",
	"worker: variables for its processes, a map"},
    {"user", CONFIG_JOB, OF_EXECUTOR(user), 0, 0, NULL, false, "schedd's own",
	"worker: USER[:GROUP] of its processes"},
    {"umask", CONFIG_JOB, OF_EXECUTOR(umask), 0, 0, NULL, false, "022",
	"worker: umask of its processes"},
    {"nice", CONFIG_JOB, OF_EXECUTOR(nice), 0, 0, NULL, false, "0",
	"worker: niceness added for its processes"},
    {"rlimits", CONFIG_JOB, OF_EXECUTOR(rlimits), 0, 0, NULL, false, "none",
	"worker: limits of its processes, a map"},
    {"users", CONFIG_BOOL, OF_EXECUTOR(users), 0, 0, NULL, true, "true for default alone",
	"accounts may use it; a worker has processes of their own for them, which a restart begins"},
    {NULL, CONFIG_TEXT, 0, 0, 0, NULL, false, NULL, NULL},
};

static const struct config_row config_listener_rows[] = {
    {"name", CONFIG_TEXT, OF_LISTENER(name), 0, 0, NULL, true, "its number", "for status and log"},
    {"events", CONFIG_TEXTS, OF_LISTENER(events), 0, 0, NULL, true, "all", "names of events"},
    {"jobs", CONFIG_TEXTS, OF_LISTENER(jobs), 0, 0, NULL, true, "all", "ids or globs of jobs"},
    {"tags", CONFIG_TEXTS, OF_LISTENER(tags), 0, 0, NULL, true, "any",
	"K or K=V that the job must have"},
    {"run", CONFIG_TEXT, OF_LISTENER(run), 0, 0, NULL, true, "none",
	"a line for /bin/sh; the event is on stdin as JSON and in SCHEDD_*"},
    {"call", CONFIG_TEXT, OF_LISTENER(call), 0, 0, NULL, true, "none", "plugin:function"},
    {"http", CONFIG_TEXT, OF_LISTENER(http), 0, 0, NULL, true, "none",
	"METHOD URL; the event is the body"},
    {"timeout", CONFIG_SPAN, OF_LISTENER(timeout), 1, DAYS(1), NULL, true, "10s",
	"of one delivery, then it is ended and counted as failed"},
    {"queue", CONFIG_COUNT, OF_LISTENER(queue), 1, 1000000, NULL, true, "1000",
	"events that wait; more are dropped and counted"},
    {NULL, CONFIG_TEXT, 0, 0, 0, NULL, false, NULL, NULL},
};

const struct config_row *config_table_settings(void)
{
	static struct config_row rows[CONFIG_SETTINGS_MAX];

	if (!rows[0].key) {
		memcpy(rows, config_settings, sizeof(config_settings));
		config_defaults_rows(
		    rows, sizeof(config_settings) / sizeof(config_settings[0]) - 1);
	}
	return rows;
}

const struct config_row *config_table_store(void)
{
	return config_store_rows;
}

const struct config_row *config_table_group(void)
{
	return config_group_rows;
}

const struct config_row *config_table_account(void)
{
	return config_account_rows;
}

const struct config_row *config_table_executor(void)
{
	return config_executor_rows;
}

const struct config_row *config_table_listener(void)
{
	return config_listener_rows;
}
