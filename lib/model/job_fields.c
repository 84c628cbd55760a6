/* SPDX-License-Identifier: MIT */
/*
 * The rows. Their order is the order of reading (id before trigger, null for
 * next_run_time before paused) and of every listing.
 */
#include "model/job_fields.h"

#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include "base/suggest.h"

#define AT(where, type, member)                                                                    \
	.place = (where), .offset = offsetof(struct type, member),                                 \
	.width = sizeof(((struct type *)NULL)->member)
#define IN_JOB(member) AT(JOB_IN_JOB, schedd_job, member)
#define IN_DETAILS(member) AT(JOB_IN_DETAILS, job_details, member)
#define IN_STATE(member) AT(JOB_IN_STATE, job_state, member)

#define FILED JOB_FIELD_FILE
#define ADD_ONLY JOB_FIELD_ADD_ONLY
#define STATED (JOB_FIELD_STATE | JOB_FIELD_FILE)
#define SERVERS (JOB_FIELD_STATE | JOB_FIELD_READONLY)
#define HIDDEN (JOB_FIELD_STATE | JOB_FIELD_READONLY | JOB_FIELD_HIDDEN)
#define SHOWS_NULL JOB_FIELD_NULL

#define TEXT_MAX 65536
#define PATH_BYTES 4096

static const struct job_field job_field_rows[] = {
    {"id", JOB_FIELD_TEXT, ADD_ONLY, NULL, 0, JOB_ID_MAX, "ID", "made by the server",
	"name of the job in commands: letters, digits, '_', '.', '-'", JOB_FORM_ID, IN_JOB(id)},
    {"name", JOB_FIELD_TEXT, FILED, NULL, 0, JOB_NAME_MAX, "TEXT", "the id", "title for people",
	JOB_FORM_ANY, IN_JOB(name)},
    {"description", JOB_FIELD_TEXT, FILED, NULL, 0, TEXT_MAX, "TEXT", "none", "what it is for",
	JOB_FORM_ANY, IN_DETAILS(description)},
    {"tags", JOB_FIELD_PAIRS, FILED, NULL, 0, 0, "K[=V]", "none",
	"labels to select by: a map, or a list of 'K=V' and 'K'; in the command's environment as "
	"SCHEDD_TAG_K",
	JOB_FORM_TAG, IN_DETAILS(tags)},
    {"group", JOB_FIELD_TEXT, FILED, NULL, 0, JOB_ALIAS_MAX, "GROUP", "none",
	"group whose parallel limit it obeys", JOB_FORM_ALIAS, IN_DETAILS(group)},
    {"priority", JOB_FIELD_INT, FILED, NULL, -1000000, 1000000, "N", "0",
	"higher goes first among runs that wait", IN_DETAILS(priority)},
    {"owner", JOB_FIELD_TEXT, 0, NULL, 0, 255, "NAME", "none",
	"who applied it; what apply --prune goes by", JOB_FORM_OWNER, IN_DETAILS(owner)},

    {"command", JOB_FIELD_ARGV, FILED, NULL, 0, 0, "CMD ARG…", "none",
	"program and arguments, a list, run without a shell", .place = JOB_IN_JOB},
    {"shell", JOB_FIELD_SHELL, FILED, NULL, 0, 0, "LINE", "none",
	"line for the shell, as shell_path -c", .place = JOB_IN_JOB},
    {"call", JOB_FIELD_CALL, FILED, NULL, 0, 0, "MODULE:FUNCTION", "none",
	"function of a plug-in or a worker: its name, or {function, args, kwargs}", .place = JOB_IN_JOB},
    {"http", JOB_FIELD_HTTP, FILED, NULL, 0, 0, "METHOD URL", "none",
	"request: 'METHOD URL', or {method, url, headers, body}", .place = JOB_IN_JOB},

    {"trigger", JOB_FIELD_TRIGGER, FILED, NULL, 0, 0, "TRIGGER", "once, now",
	"when it is due, see schedd-time(7)", .place = JOB_IN_JOB},

    {"executor", JOB_FIELD_TEXT, FILED, NULL, 0, JOB_ALIAS_MAX, "ALIAS", "default",
	"executor that makes its runs happen", JOB_FORM_ALIAS, IN_DETAILS(executor)},
    {"store", JOB_FIELD_TEXT, FILED | ADD_ONLY, NULL, 0, JOB_ALIAS_MAX, "ALIAS", "default",
	"store that remembers it", JOB_FORM_ALIAS, IN_DETAILS(store)},
    {"nodes", JOB_FIELD_NODES, FILED, NULL, 0, 0, "any|all|NODES", "any",
	"on which nodes of a shared store it runs: any, all (once on each), or a list of names and labels "
	"('web1', 'zone=a,!spot') of which one must hold; see schedd-cluster(7)",
	.place = JOB_IN_DETAILS},
    {"on_partition", JOB_FIELD_ENUM, FILED, job_partition_words, 0, 0, "keep|kill", "keep",
	"what becomes of its processes on a node that is cut off from its shared store: go on, or killed before "
	"another node may run it",
	IN_DETAILS(on_partition)},
    {"misfire_grace_time", JOB_FIELD_SPAN, FILED | SHOWS_NULL, NULL, 1, INT64_MAX, "DUR", "none",
	"how late a run may still start; null: any time", IN_DETAILS(misfire_grace_time)},
    {"coalesce", JOB_FIELD_ENUM, FILED, job_coalesce_words, 0, 0, "latest|earliest|all", "latest",
	"which of several due runs is made", IN_DETAILS(coalesce)},
    {"max_instances", JOB_FIELD_INT, FILED, NULL, 1, 1000000, "N", "1",
	"runs of it that may go on at once", IN_DETAILS(max_instances)},
    {"overlap", JOB_FIELD_ENUM, FILED, job_overlap_words, 0, 0, "skip|queue|replace", "skip",
	"what becomes of one more due run", IN_DETAILS(overlap)},
    {"max_runs", JOB_FIELD_INT, FILED, NULL, 1, INT64_MAX, "N", "none",
	"scheduled runs after which the job has ended", IN_DETAILS(max_runs)},
    {"keep", JOB_FIELD_BOOL, FILED, NULL, 0, 0, NULL, "false",
	"stay as finished when no run is to come", IN_DETAILS(keep)},
    {"recover", JOB_FIELD_BOOL, FILED, NULL, 0, 0, NULL, "false",
	"run again after schedd died during a run", IN_DETAILS(recover)},
    {"next_run_time", JOB_FIELD_TIME, STATED | SHOWS_NULL, NULL, 0, 0, "TIME", "by the trigger",
	"the next planned run; set to null it pauses the job", IN_STATE(next_run_time)},
    {"paused", JOB_FIELD_BOOL, STATED, NULL, 0, 0, NULL, "false", "not started until resumed",
	IN_STATE(paused)},
    {"paused_until", JOB_FIELD_TIME, STATED, NULL, 0, 0, "TIME", "none",
	"when the pause ends by itself", IN_STATE(paused_until)},
    {"paused_reason", JOB_FIELD_TEXT, STATED, NULL, 0, JOB_NAME_MAX, "TEXT", "none",
	"why it is paused", JOB_FORM_ANY, IN_STATE(paused_reason)},
    {"after", JOB_FIELD_AFTER, FILED, NULL, 0, 0, "JOB[:ok|fail|any]", "none",
	"run when another job's run has ended: a list of 'JOB:ok' or {job, on}",
	.place = JOB_IN_DETAILS},

    {"hook", JOB_FIELD_HOOK, FILED, NULL, 0, 0, "FILE", "none",
	"POST /hooks/ID of the HTTP side runs it, signed with the secret in a file: its path, or "
	"{secret_file}; see schedd-http(7)",
	.place = JOB_IN_DETAILS},

    {"cwd", JOB_FIELD_TEXT, FILED, NULL, 0, PATH_BYTES, "DIR", "home of its user",
	"directory the command starts in", JOB_FORM_PATH, IN_DETAILS(cwd)},
    {"env", JOB_FIELD_PAIRS, FILED, NULL, 0, 0, "K=V", "none", "more environment, a map",
	JOB_FORM_ENV, IN_DETAILS(env)},
    {"user", JOB_FIELD_TEXT, FILED, NULL, 0, 256, "USER[:GROUP]", "schedd's own",
	"whom the command runs as; needs root", JOB_FORM_USER, IN_DETAILS(user)},
    {"umask", JOB_FIELD_MODE, FILED, NULL, 0, 0777, "MODE", "022",
	"mode bits that new files do not get, octal text", IN_DETAILS(umask)},
    {"nice", JOB_FIELD_INT, FILED, NULL, -20, 19, "N", "0", "added to the niceness",
	IN_DETAILS(nice)},
    {"rlimits", JOB_FIELD_RLIMITS, FILED, NULL, 0, 0, "R=V", "as schedd's",
	"resource limits: a map from nofile, as, core, cpu … to a number, 'unlimited' or {soft, "
	"hard}",
	.place = JOB_IN_DETAILS},
    {"stdin", JOB_FIELD_STDIN, FILED, NULL, 0, 0, "FILE", "/dev/null",
	"what the command reads: a path, or {text: …}", .place = JOB_IN_DETAILS},
    {"secrets", JOB_FIELD_PAIRS, FILED, NULL, 0, 0, "NAME=FILE", "none",
	"files of which the command gets a copy only it can read, its path in NAME_FILE",
	JOB_FORM_SECRET, IN_DETAILS(secrets)},
    {"shell_path", JOB_FIELD_TEXT, FILED, NULL, 0, PATH_BYTES, "PATH", "/bin/sh",
	"the shell of shell", JOB_FORM_PATH, IN_DETAILS(shell_path)},

    {"timeout", JOB_FIELD_SPAN, FILED, NULL, 1, INT64_MAX, "DUR", "none",
	"after which a run is stopped", IN_DETAILS(timeout)},
    {"kill_after", JOB_FIELD_SPAN, FILED, NULL, 0, INT64_MAX, "DUR", "10s",
	"from kill_signal to KILL", IN_DETAILS(kill_after)},
    {"kill_signal", JOB_FIELD_SIGNAL, FILED, NULL, 0, 0, "SIG", "TERM",
	"what a run is stopped with", IN_DETAILS(kill_signal)},
    {"retry", JOB_FIELD_RETRY, FILED, NULL, 0, 0, "N", "none",
	"further attempts of a failed run: a number, or {limit, delay, backoff, max_delay, on}",
	.place = JOB_IN_DETAILS},
    {"success_codes", JOB_FIELD_CODES, FILED, NULL, 0, 0, "CODES", "0",
	"exit codes that count as success, a list or '0,3-5'", IN_DETAILS(success_codes)},
    {"notify", JOB_FIELD_NOTIFY, FILED, NULL, 0, 0, "EVENT=TARGET", "none",
	"whom to tell: a list of 'EVENT=TARGET' or {on, target}; EVENT is failure, recovery, "
	"change, "
	"success, late, missed or output (a run that printed something), TARGET mail:ADDR, a URL "
	"or a shell line",
	.place = JOB_IN_DETAILS},

    {"capture", JOB_FIELD_ENUM, FILED, job_capture_words, 0, 0, "merged|split|none", "merged",
	"how output is kept", IN_DETAILS(capture)},
    {"output_max", JOB_FIELD_SIZE, FILED, NULL, 0, INT64_MAX, "SIZE", "the daemon's",
	"bytes of output kept of a run, head and tail", IN_DETAILS(output_max)},
    {"keep_runs", JOB_FIELD_INT, FILED, NULL, 0, INT64_MAX, "N", "the daemon's", "runs remembered",
	IN_DETAILS(keep_runs)},
    {"keep_for", JOB_FIELD_SPAN, FILED, NULL, 0, INT64_MAX, "DUR", "the daemon's",
	"how long runs are remembered", IN_DETAILS(keep_for)},

    {"revision", JOB_FIELD_INT, SERVERS, NULL, 0, UINT32_MAX, NULL, NULL,
	"counts changes of the definition; guards against lost updates", IN_STATE(revision)},
    {"created_at", JOB_FIELD_TIME, SERVERS, NULL, 0, 0, NULL, NULL, "when it was added",
	IN_STATE(created_at)},
    {"updated_at", JOB_FIELD_TIME, SERVERS, NULL, 0, 0, NULL, NULL, "when it was last changed",
	IN_STATE(updated_at)},
    {"created_by", JOB_FIELD_INT, SERVERS, NULL, 0, UINT32_MAX, NULL, NULL, "uid of who added it",
	IN_STATE(created_by)},
    {"run_count", JOB_FIELD_INT, SERVERS, NULL, 0, INT64_MAX, NULL, NULL, "scheduled runs so far",
	IN_STATE(run_count)},
    {"invalid", JOB_FIELD_TEXT, SERVERS, NULL, 0, 0, NULL, NULL,
	"why what the store has of it could not be read", JOB_FORM_ANY, IN_STATE(invalid)},
    {"state", JOB_FIELD_TEXT, JOB_FIELD_READONLY, NULL, 0, 0, NULL, NULL,
	"waiting, running, queued, paused, finished or invalid", .place = JOB_NOWHERE},
    {"running", JOB_FIELD_INT, JOB_FIELD_READONLY, NULL, 0, 0, NULL, NULL, "runs of it that go on",
	.place = JOB_NOWHERE},
    {"queued", JOB_FIELD_INT, JOB_FIELD_READONLY, NULL, 0, 0, NULL, NULL, "runs of it that wait",
	.place = JOB_NOWHERE},
    {"trigger_words", JOB_FIELD_TEXT, JOB_FIELD_READONLY, NULL, 0, 0, NULL, NULL,
	"when it runs, in plain English", .place = JOB_NOWHERE},
    {"waits_for", JOB_FIELD_TEXT, JOB_FIELD_READONLY, NULL, 0, 0, NULL, NULL,
	"what starts it, where that is no time", .place = JOB_NOWHERE},
    {"next_fire", JOB_FIELD_TIME, HIDDEN, NULL, 0, 0, NULL, NULL,
	"the trigger's next time, without jitter", IN_STATE(next_fire)},
    {"last_run", JOB_FIELD_INT, HIDDEN, NULL, 0, UINT32_MAX - 1, NULL, NULL,
	"the highest run number given out", IN_STATE(last_run)},
    {"finished", JOB_FIELD_BOOL, HIDDEN, NULL, 0, 0, NULL, NULL, "exhausted but kept",
	IN_STATE(finished)},
    {.name = NULL},
};

#define JOB_FIELDS (sizeof(job_field_rows) / sizeof(job_field_rows[0]) - 1)
#define JOB_FIELDS_BUCKETS 128
_Static_assert(JOB_FIELDS < JOB_FIELDS_MAX, "a field has no place where they are counted");

/* What crontabs, systemd, APScheduler and others call the same thing. */
static const struct {
	const char *theirs, *ours;
} job_field_aliases[] = {
    {"func", "call"},
    {"args", "command"},
    {"cmd", "command"},
    {"argv", "command"},
    {"exec", "command"},
    {"run", "command"},
    {"script", "shell"},
    {"sh", "shell"},
    {"url", "http"},
    {"schedule", "trigger"},
    {"when", "trigger"},
    {"cron", "trigger"},
    {"every", "trigger"},
    {"at", "trigger"},
    {"timezone", "trigger"},
    {"jobstore", "store"},
    {"grace", "misfire_grace_time"},
    {"title", "name"},
    {"labels", "tags"},
    {"workdir", "cwd"},
    {"dir", "cwd"},
    {"directory", "cwd"},
    {"environment", "env"},
    {"retries", "retry"},
    {"depends", "after"},
    {"limits", "rlimits"},
    {"on", "nodes"},
    {"node", "nodes"},
    {"hosts", "nodes"},
    {"input", "stdin"},
    {"output", "capture"},
    {"enabled", "paused"},
    {"disabled", "paused"},
};

const struct job_field *job_fields(void)
{
	return job_field_rows;
}

/*
 * By the first two letters: the first row that begins with them, and the next one
 * behind each row; its place and 1, 0: none.
 */
static struct {
	uint8_t first[JOB_FIELDS_BUCKETS], next[JOB_FIELDS];
} job_fields_index;
static pthread_once_t job_fields_indexed = PTHREAD_ONCE_INIT;

static unsigned job_fields_bucket(const char *name)
{
	unsigned first = (unsigned char)name[0];

	return (first * 31 + (first ? (unsigned char)name[1] : 0)) % JOB_FIELDS_BUCKETS;
}

static void job_fields_make_index(void)
{
	for (size_t i = JOB_FIELDS; i-- > 0;) {
		uint8_t *first = &job_fields_index.first[job_fields_bucket(job_field_rows[i].name)];

		job_fields_index.next[i] = *first;
		*first = (uint8_t)(i + 1);
	}
}

const struct job_field *job_fields_find(const char *name)
{
	pthread_once(&job_fields_indexed, job_fields_make_index);
	for (unsigned at = job_fields_index.first[job_fields_bucket(name)]; at;
	     at = job_fields_index.next[at - 1])
		if (strcmp(job_field_rows[at - 1].name, name) == 0)
			return &job_field_rows[at - 1];
	return NULL;
}

const char *job_fields_suggest(const char *name)
{
	struct suggest suggest;
	const char *close;

	for (size_t i = 0; i < sizeof(job_field_aliases) / sizeof(job_field_aliases[0]); i++)
		if (strcasecmp(job_field_aliases[i].theirs, name) == 0)
			return job_field_aliases[i].ours;
	suggest_init(&suggest, name);
	for (const struct job_field *row = job_field_rows; row->name; row++)
		if (!(row->flags & JOB_FIELD_HIDDEN))
			suggest_offer(&suggest, row->name);
	close = suggest_result(&suggest);
	return close ? job_fields_find(close)->name : NULL;
}

int job_fields_unknown(const char *name, struct schedd_error *err)
{
	const char *close = job_fields_suggest(name);

	if (close)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "'%.100s' is no field of a job, did you mean '%s'?", name, close);
	return schedd_error_set(
	    err, SCHEDD_EINVAL, "'%.100s' is no field of a job, schedd-jobs(5) lists them", name);
}
