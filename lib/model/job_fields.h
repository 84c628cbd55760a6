/* SPDX-License-Identifier: MIT */
/*
 * The one table of job fields: name, type, default, documentation. The wire
 * protocol, the stores' columns, job files, schedctl's options, the help and
 * the manual pages all walk it, so a field is added in one place.
 */
#ifndef SCHEDD_MODEL_JOB_FIELDS_H
#define SCHEDD_MODEL_JOB_FIELDS_H

#include "model/job.h"

enum job_field_type {
	JOB_FIELD_TEXT,
	JOB_FIELD_BOOL,
	JOB_FIELD_INT,    /* integer with bounds */
	JOB_FIELD_TIME,   /* µs integer on the wire, RFC 3339 text for people; any time phrase on
			     input */
	JOB_FIELD_SPAN,   /* seconds; any duration text on input */
	JOB_FIELD_SIZE,   /* bytes; "64K", "10M" on input */
	JOB_FIELD_ENUM,   /* one of row->words */
	JOB_FIELD_SIGNAL, /* "TERM"; numbers on input too */
	JOB_FIELD_MODE,   /* octal text */
	JOB_FIELD_CODES,  /* list of exit codes; "1,3-5" on input */
	JOB_FIELD_PAIRS,  /* map of text to text */
	JOB_FIELD_ARGV,   /* list of texts */
	JOB_FIELD_TRIGGER,
	JOB_FIELD_CALL,
	JOB_FIELD_HTTP,
	JOB_FIELD_RETRY,   /* {limit, delay, backoff, max_delay, on} */
	JOB_FIELD_RLIMITS, /* map of limit name to number, "unlimited" or {soft, hard} */
	JOB_FIELD_AFTER,   /* list of {job, on}; "job:ok" on input */
	JOB_FIELD_NOTIFY,  /* list of {on, target}; "failure=mail:root" on input */
	JOB_FIELD_STDIN,   /* a path, or {text: …} */
	JOB_FIELD_SHELL,   /* one line for the shell */
	JOB_FIELD_HOOK,    /* {secret_file}; a path on input too */
	JOB_FIELD_NODES,   /* "any", "all", or a list of nodes and labels; one alone on input too */
};

/* What the text of a JOB_FIELD_TEXT, or the names of JOB_FIELD_PAIRS, must look like. */
enum job_field_form {
	JOB_FORM_ANY,    /* UTF-8 without NUL, up to row->max bytes */
	JOB_FORM_ID,     /* job_id_valid() */
	JOB_FORM_ALIAS,  /* job_alias_valid() */
	JOB_FORM_OWNER,  /* an id, or "crontab:/etc/cron.d/x": no blanks, nothing that is not ASCII
			  */
	JOB_FORM_PATH,   /* absolute */
	JOB_FORM_USER,   /* USER[:GROUP] */
	JOB_FORM_TAG,    /* names of tags: no '=' */
	JOB_FORM_ENV,    /* names of variables: no '=' */
	JOB_FORM_SECRET, /* names [A-Za-z_][A-Za-z0-9_]*, texts absolute paths */
};

/* Where the model keeps it. */
enum job_field_place {
	JOB_IN_JOB,
	JOB_IN_DETAILS,
	JOB_IN_STATE,
	JOB_NOWHERE, /* derived: the server adds it to its answers */
};

enum job_field_flag {
	JOB_FIELD_READONLY = 1, /* the server writes it; refused on input unless allowed */
	JOB_FIELD_STATE = 2,    /* lives in struct job_state, not in the definition */
	JOB_FIELD_ADD_ONLY = 4, /* cannot be modified afterwards (id, store) */
	JOB_FIELD_FILE = 8,     /* may stand in a job file */
	JOB_FIELD_HIDDEN = 16,  /* kept in stores, not shown (next_fire) */
	JOB_FIELD_NULL =
	    32, /* null is a value of its own and shown (next_run_time, misfire_grace_time) */
};

struct job_field {
	const char *name; /* on the wire, in files, as a column */
	enum job_field_type type;
	unsigned flags;           /* set of enum job_field_flag */
	const char *const *words; /* JOB_FIELD_ENUM: NULL-terminated */
	int64_t min, max;       /* INT and SIZE; SPAN in µs; TEXT: max bytes; both 0: no bounds */
	const char *value_name; /* "DUR", "K=V": for help */
	const char *fallback;   /* the default in words: "1", "none" */
	const char *doc;        /* one line for help and manuals */
	enum job_field_form form;   /* of texts */
	enum job_field_place place; /* where it is kept */
	uint16_t offset;            /* there, in bytes; the model's own business */
	uint16_t width;             /* bytes of a plain number, likewise */
};

/* Pairs, dependencies and other lists have at most this many items; a command with its arguments so many. */
#define JOB_FIELD_ITEMS_MAX 4096
#define JOB_COMMAND_ARGS_MAX 65536

#define JOB_FIELDS_MAX 128 /* there are fewer */

/* The rows, ended by a row whose name is NULL. */
const struct job_field *job_fields(void);
/* NULL: no such field. */
const struct job_field *job_fields_find(const char *name);
/* The closest field name for "did you mean", or what others call it; NULL: none is close. */
const char *job_fields_suggest(const char *name);
/* The error for a key that is no field, with a suggestion where one is close. */
int job_fields_unknown(const char *name, struct schedd_error *err);

/* What reading needs besides the value. */
struct job_fields_context {
	const struct trigger_context *trigger; /* zones, now, host, previous */
	const struct job_record *previous;     /* the job being changed; NULL: a new one */
};

/*
 * Sets one field of the job (or of *state, for STATE fields; state may be NULL
 * where such fields are to be refused). nil unsets: back to the default; for
 * next_run_time it pauses, and a time resumes, as in APScheduler. Of retry only
 * the members given change. What a run does replaces what it did before.
 * SCHEDD_EINVAL: "timeout: 'abc' is not a duration, write 90, 90s or 1h30m".
 */
int job_fields_set(struct schedd_job *job, struct job_state *state, const struct job_field *field,
    const struct value *value, const struct job_fields_context *context, struct schedd_error *err)
    __attribute__((warn_unused_result));
/*
 * The field as a value, its default where that is a value ("latest", 1); nil
 * where there is none. state may be NULL: nil for STATE fields.
 */
struct value job_fields_get(const struct schedd_job *job, const struct job_state *state,
    const struct job_field *field, struct arena *arena);
bool job_fields_is_default(
    const struct schedd_job *job, const struct job_state *state, const struct job_field *field);

/*
 * Sets every member of a map, in the table's order (so that id comes before
 * the trigger that hashes it, and paused after a next_run_time of null).
 * allowed_flags: members whose row has a flag of READONLY, STATE or ADD_ONLY
 * outside it are refused. Unknown keys are errors with a suggestion, and so are
 * two things to do. The job may be half changed after an error: work on a clone.
 */
int job_fields_read(struct schedd_job *job, struct job_state *state, const struct value *map,
    unsigned allowed_flags, const struct job_fields_context *context, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* All shown fields of a job that are kept somewhere, defaults included; state NULL: without it. */
struct value job_fields_write(
    const struct schedd_job *job, const struct job_state *state, struct arena *arena);
/*
 * The same members packed, and how many: those kept in its details, which many jobs share, and all others.
 * arena is for what a member is made of, and no longer needed after.
 */
uint32_t job_fields_pack_details(
    const struct schedd_job *job, struct arena *arena, struct strbuf *out);
uint32_t job_fields_pack_own(const struct schedd_job *job, const struct job_state *state,
    struct arena *arena, struct strbuf *out);
/* Only what is not at its default, without state: the form for export and for comparing. */
struct value job_fields_export(const struct schedd_job *job, struct arena *arena);

/* The account in a job's id, root where there is none; nil for jobs of a user's own schedd: whose that is is looked at once. */
struct value job_id_account_value(const char *id, struct arena *arena);

#endif
