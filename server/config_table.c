/* SPDX-License-Identifier: MIT */
/* One row a setting, one small reader and writer a type. */
#include "server/config_table.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <schedd/clock.h>
#include "base/duration.h"
#include "base/json.h"
#include "base/size.h"
#include "base/strbuf.h"
#include "base/suggest.h"
#include "executor/executor.h"
#include "jobfile/jobfile_type.h"
#include "jobfile/yaml_scalar.h"
#include "model/job_fields.h"
#include "server/config.h"
#include "server/config_defaults.h"
#include "store/store.h"
#include "store/store_url.h"
#include "trigger/zone.h"

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
    {"limits.apply", CONFIG_BYTES, IN(limits.apply), 1024, 1 << 30, NULL, true, "64M",
	"bytes of a job file that comes in parts"},
    {"stop.limit", CONFIG_SPAN, IN(stop_limit), -1, DAYS(3650), NULL, true, "30s",
	"how long a stop waits for running jobs before it ends them"},
    {"stop.detach", CONFIG_BOOL, IN(stop_detach), 0, 0, NULL, true, "false",
	"a stop leaves running jobs alone instead of waiting for them"},
    {"jobs", CONFIG_PATHS, IN(jobs), 0, 0, NULL, true, "none",
	"job files, and directories of them, that are applied at the start and by a reload"},
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
    {"http.mode", CONFIG_MODE, IN(web.mode), 0, 0777, NULL, false, "0600",
	"permissions of a unix: socket"},
    {NULL, CONFIG_TEXT, 0, 0, 0, NULL, false, NULL, NULL},
};
_Static_assert(sizeof(config_settings) / sizeof(config_settings[0]) <= CONFIG_SETTINGS_MAX,
    "config.given has a place for each row");

#define OF_STORE(member) offsetof(struct config_store, member)
#define OF_EXECUTOR(member) offsetof(struct config_executor, member)
#define OF_LISTENER(member) offsetof(struct config_listener, member)

static const struct config_row config_store_rows[] = {
    {"type", CONFIG_STORE, OF_STORE(type), 0, 0, NULL, false, "by the url, else sqlite",
	"sqlite, memory, or that of a server: postgresql"},
    {"path", CONFIG_TEXT, OF_STORE(path), 0, 0, NULL, false, "NAME.db in the state directory",
	"the database file; beside the others if it is not absolute"},
    {"url", CONFIG_URL, OF_STORE(url), 0, 0, NULL, false, "none",
	"where its server is: postgresql://USER@HOST[,HOST]/DATABASE?sslmode=verify-full"},
    {"password_file", CONFIG_TEXT, OF_STORE(password_file), 0, 0, NULL, false, "none",
	"file with the password, of mode 0600; better than one in the url"},
    {"run_as", CONFIG_TEXTS, OF_STORE(run_as), 0, 0, NULL, false,
	"schedd's own account; of root's schedd none",
	"accounts whose jobs a store on a server may hold, since whoever writes there could add some"},
    {"connect_timeout", CONFIG_TEXT, OF_STORE(connect_timeout), 0, 0, NULL, false, "5s",
	"time for reaching the server and logging in"},
    {"timeout", CONFIG_TEXT, OF_STORE(timeout), 0, 0, NULL, false, "10s",
	"time for an answer of the server; then a change has failed, or is in doubt"},
    {"lease", CONFIG_TEXT, OF_STORE(lease), 0, 0, NULL, false, "15s",
	"how long a dead schedd may still own the store"},
    {"prefix", CONFIG_TEXT, OF_STORE(prefix), 0, 0, NULL, false, "by the type",
	"what keys begin with, where the type has keys"},
    {"tls_ca", CONFIG_TEXT, OF_STORE(tls_ca), 0, 0, NULL, false, "none",
	"PEM file of the authorities that the server's certificate is checked against"},
    {"tls_cert", CONFIG_TEXT, OF_STORE(tls_cert), 0, 0, NULL, false, "none",
	"PEM file of schedd's own certificate for the server"},
    {"tls_key", CONFIG_TEXT, OF_STORE(tls_key), 0, 0, NULL, false, "none",
	"PEM file of its key"},
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

const struct config_row *config_table_executor(void)
{
	return config_executor_rows;
}

const struct config_row *config_table_listener(void)
{
	return config_listener_rows;
}

/* ---- Reading a value ---- */

static int config_wrong(const struct value *value, const char *wanted, struct schedd_error *err)
{
	if (yaml_scalar_is_null(value) || value_is_text(value, ""))
		return schedd_error_set(err, SCHEDD_EINVAL, "is empty, it must be %s", wanted);
	if (value->type == VALUE_STRING)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "'%.64s' is not %s", value->string.text, wanted);
	return schedd_error_set(
	    err, SCHEDD_EINVAL, "must be %s, not %s", wanted, value_type_name(value->type));
}

static int config_word(
    const struct config_row *row, int *out, const struct value *value, struct schedd_error *err)
{
	struct strbuf all = STRBUF_EMPTY;
	size_t count = 0;
	const char *closest;
	int rc;

	if (value->type != VALUE_STRING)
		return config_wrong(value, "a word", err);
	for (; row->words[count]; count++) {
		if (value_is_text(value, row->words[count])) {
			*out = (int)count;
			strbuf_clear(&all);
			return 0;
		}
		strbuf_printf(&all, "%s%s", count ? ", " : "", row->words[count]);
	}
	closest = suggest_closest(value->string.text, row->words, count);
	rc = closest ? schedd_error_set(err, SCHEDD_EINVAL,
			   "'%.64s' is unknown, did you mean '%s'?", value->string.text, closest)
		     : schedd_error_set(err, SCHEDD_EINVAL, "'%.64s' is unknown; it is one of %s",
			   value->string.text, strbuf_peek(&all));
	strbuf_clear(&all);
	return rc;
}

static int config_integer(
    const struct config_row *row, int64_t *out, const struct value *value, struct schedd_error *err)
{
	if (value->type != VALUE_INT)
		return config_wrong(value, "an integer", err);
	if (value->integer < row->min || value->integer > row->max)
		return schedd_error_set(err, SCHEDD_EINVAL, "%lld is out of %lld-%lld",
		    (long long)value->integer, (long long)row->min, (long long)row->max);
	*out = value->integer;
	return 0;
}

static int config_texts(const char *const **out, const struct value *value, struct arena *arena,
    struct schedd_error *err)
{
	const char **list;
	uint32_t count = value->type == VALUE_ARRAY ? value->array.count : 1;

	if (value->type != VALUE_ARRAY && value->type != VALUE_STRING)
		return config_wrong(value, "a list of texts", err);
	list = arena_alloc(arena, (count + 1) * sizeof(*list));
	for (uint32_t i = 0; list && i < count; i++) {
		const struct value *item =
		    value->type == VALUE_ARRAY ? &value->array.items[i] : value;

		if (item->type != VALUE_STRING)
			return config_wrong(item, "a text", err);
		list[i] = arena_strdup(arena, item->string.text);
	}
	*out = list;
	return arena_failed(arena) ? schedd_error_nomem(err) : 0;
}

static int config_text(
    const char **out, const struct value *value, struct arena *arena, struct schedd_error *err)
{
	if (value->type != VALUE_STRING || !value->string.length ||
	    strlen(value->string.text) != value->string.length)
		return config_wrong(value, "a text", err);
	*out = arena_strdup(arena, value->string.text);
	return *out ? 0 : schedd_error_nomem(err);
}

static int config_zone(const char *name, struct schedd_error *err)
{
	struct zone_cache *zones = zone_cache_new(NULL);
	const struct zone *zone;
	int rc = zones ? zone_cache_get(zones, name, &zone, err) : schedd_error_nomem(err);

	zone_cache_free(zones);
	return rc;
}

/* A text that means something elsewhere is looked up there. */
static int config_name(const struct config_row *row, const char **out, const struct value *value,
    struct arena *arena, struct schedd_error *err)
{
	int rc = config_text(out, value, arena, err);

	if (!rc && row->type == CONFIG_ZONE)
		rc = config_zone(*out, err);
	if (!rc && row->type == CONFIG_STORE)
		rc = store_type_check(*out, err);
	if (!rc && row->type == CONFIG_EXEC)
		rc = executor_type_check(*out, err);
	return rc;
}

static int config_bool(bool *out, const struct value *value, struct schedd_error *err)
{
	if (value->type == VALUE_BOOL)
		*out = value->boolean;
	else
		return config_wrong(value, "true or false", err);
	return 0;
}

static int config_span(const struct config_row *row, schedd_span *out, const struct value *value,
    struct schedd_error *err)
{
	schedd_span span;
	int rc = duration_from_value(value, &span, err);

	if (!rc && (span < (row->min > 0 ? row->min : 0) || span > row->max))
		rc = schedd_error_set(
		    err, SCHEDD_EINVAL, "that is too %s", span > row->max ? "long" : "short");
	if (!rc)
		*out = span;
	return rc;
}

static int config_size(
    const struct config_row *row, int64_t *out, const struct value *value, struct schedd_error *err)
{
	int64_t size;
	int rc = size_from_value(value, &size, err);

	if (!rc && (size < row->min || size > row->max))
		rc = schedd_error_set(err, SCHEDD_EINVAL, "%lld bytes are out of %lld-%lld",
		    (long long)size, (long long)row->min, (long long)row->max);
	if (!rc)
		*out = size;
	return rc;
}

/* Octal as chmod takes it: 0660, in quotes or not, since YAML 1.2 knows no such numbers. */
static int config_mode(const struct config_row *row, uint32_t *out, const struct value *value,
    struct schedd_error *err)
{
	const char *text = value->type == VALUE_STRING ? value->string.text : "";
	size_t digits = strspn(text, "01234567");
	unsigned long mode = digits && !text[digits] ? strtoul(text, NULL, 8) : ULONG_MAX;

	if (mode > (unsigned long)row->max)
		return config_wrong(value, "permissions in octal, as 0660", err);
	*out = (uint32_t)mode;
	return 0;
}

/* "none" where the row knows it. */
static bool config_is_none(const struct config_row *row, const struct value *value)
{
	return row->min == -1 && (yaml_scalar_is_null(value) || value_is_text(value, "none"));
}

static int config_number(
    const struct config_row *row, void *slot, const struct value *value, struct schedd_error *err)
{
	bool size = row->type == CONFIG_SIZE || row->type == CONFIG_BYTES;
	int64_t number = -1;
	int rc = 0;

	if (!config_is_none(row, value))
		rc = size ? config_size(row, &number, value, err)
			  : config_integer(row, &number, value, err);
	if (rc)
		return rc;
	if (row->type == CONFIG_COUNT)
		*(uint32_t *)slot = (uint32_t)number;
	else if (row->type == CONFIG_BYTES)
		*(size_t *)slot = (size_t)number;
	else
		*(int64_t *)slot = number;
	return 0;
}

/* Kept as it is given; what the job's field says of it is said here. */
static int config_job(const struct config_row *row, struct value *out, const struct value *given,
    struct arena *arena, struct schedd_error *err)
{
	const char *dot = strrchr(row->key, '.');
	const struct job_field *field = job_fields_find(dot ? dot + 1 : row->key);
	const struct job_fields_context context = {0};
	struct schedd_job *job = schedd_job_new();
	struct value typed = *given;
	int rc;

	/* A copy no longer knows which of its texts were plain. */
	jobfile_type(field, &typed);
	*out = value_copy(arena, &typed);
	rc = job && !arena_failed(arena) ? job_fields_set(job, NULL, field, out, &context, err)
					 : schedd_error_nomem(err);
	job_unref(job);
	return rc;
}

int config_table_set(const struct config_row *row, void *base, const struct value *given,
    struct arena *arena, struct schedd_error *err)
{
	void *slot = (char *)base + row->offset;
	/* A text may look like a number; everything else is what YAML says it is. */
	struct value typed = yaml_scalar_core(given);

	switch (row->type) {
	case CONFIG_TEXT:
	case CONFIG_URL:
	case CONFIG_ZONE:
	case CONFIG_STORE:
	case CONFIG_EXEC:
		return config_name(row, slot, given, arena, err);
	case CONFIG_JOB:
		return config_job(row, slot, given, arena, err);
	case CONFIG_TEXTS:
	case CONFIG_PATHS:
		return config_texts(slot, given, arena, err);
	case CONFIG_WORD:
		return config_word(row, slot, given, err);
	case CONFIG_BOOL:
		return config_bool(slot, &typed, err);
	case CONFIG_SPAN:
		if (!config_is_none(row, given))
			return config_span(row, slot, &typed, err);
		*(schedd_span *)slot = SCHEDD_SPAN_NONE;
		return 0;
	case CONFIG_MODE:
		return config_mode(row, slot, given, err);
	case CONFIG_COUNT:
	case CONFIG_LONG:
	case CONFIG_SIZE:
	case CONFIG_BYTES:
		break;
	}
	return config_number(row, slot, &typed, err);
}

/* ---- Writing it again ---- */

static struct value config_get_texts(const char *const *texts, struct arena *arena)
{
	struct value list = value_array();

	if (!texts)
		return value_nil();
	for (; *texts; texts++)
		value_append(arena, &list, value_string_ref(*texts));
	return list;
}

struct value config_table_get(const struct config_row *row, const void *base, struct arena *arena)
{
	const void *slot = (const char *)base + row->offset;
	size_t bytes;

	switch (row->type) {
	case CONFIG_URL:
		return *(const char *const *)slot
			   ? value_string_ref(store_url_shown(*(const char *const *)slot, arena))
			   : value_nil();
	case CONFIG_TEXT:
	case CONFIG_ZONE:
	case CONFIG_STORE:
	case CONFIG_EXEC:
		return value_string_ref(*(const char *const *)slot);
	case CONFIG_JOB:
		return value_copy(arena, slot);
	case CONFIG_TEXTS:
	case CONFIG_PATHS:
		return config_get_texts(*(const char *const *const *)slot, arena);
	case CONFIG_WORD:
		return value_string_ref(row->words[*(const int *)slot]);
	case CONFIG_BOOL:
		return value_bool(*(const bool *)slot);
	case CONFIG_MODE:
		return value_string_ref(arena_printf(arena, "%04o", *(const uint32_t *)slot));
	case CONFIG_COUNT:
		return value_int(*(const uint32_t *)slot);
	case CONFIG_BYTES:
		bytes = *(const size_t *)slot;
		return value_int((int64_t)bytes);
	case CONFIG_SPAN:
		return duration_to_value(*(const schedd_span *)slot);
	case CONFIG_LONG:
	case CONFIG_SIZE:
		if (*(const int64_t *)slot == -1)
			return value_nil();
		return value_int(*(const int64_t *)slot);
	}
	return value_nil();
}

/* 64M where it is so many whole units, else the bytes. */
static void config_text_bytes(struct strbuf *out, int64_t bytes)
{
	static const char units[] = "KMGT";
	int unit = -1;

	while (bytes >= 1024 && bytes % 1024 == 0 && unit < 3) {
		bytes /= 1024;
		unit++;
	}
	strbuf_printf(out, "%lld", (long long)bytes);
	if (unit >= 0)
		strbuf_add_char(out, units[unit]);
}

void config_table_text(const struct config_row *row, const void *base, struct strbuf *out)
{
	const void *slot = (const char *)base + row->offset;
	struct value value;
	struct arena arena;

	arena_init(&arena);
	value = config_table_get(row, base, &arena);
	if (row->type == CONFIG_SPAN && *(const schedd_span *)slot == SCHEDD_SPAN_NONE)
		strbuf_add(out, "none");
	else if (row->type == CONFIG_SPAN)
		duration_format(out, *(const schedd_span *)slot);
	else if ((row->type == CONFIG_SIZE || row->type == CONFIG_LONG) &&
		 *(const int64_t *)slot == -1)
		strbuf_add(out, "none");
	else if (row->type == CONFIG_SIZE || row->type == CONFIG_BYTES)
		config_text_bytes(out, value.integer);
	else if (value.type == VALUE_STRING)
		strbuf_add(out, value.string.text);
	else if (value.type != VALUE_NIL)
		json_write(out, &value);
	arena_clear(&arena);
}
