/* SPDX-License-Identifier: MIT */
/*
 * The tables of a machine's cron, each line a job that runs as it would under
 * Debian's cron: its world, its mail, at its times. Other than an import,
 * nothing of other crons is understood here, and ids are of the line alone.
 *
 * A comment "#schedd: timeout=1h retry=2" right above a line gives its job what
 * a table cannot say.
 */
#ifndef SCHEDD_JOBFILE_CRON_TABLE_H
#define SCHEDD_JOBFILE_CRON_TABLE_H

#include "base/diagnostics.h"
#include "base/value.h"
#include "model/job.h"

/* What jobs of tables belong to: "cron:/etc/cron.d/x". */
#define CRON_TABLE_OWNER JOB_TABLE_OWNER
/* Bytes of a line's command that Debian's cron takes. */
#define CRON_TABLE_COMMAND_MAX 998
#define CRON_TABLE_BYTES_MAX ((size_t)8 << 20)
/* Lines of an account's table, as many as Debian's crontab(1) takes, and what its jobs' variables may
 * be together, which each line has anew. */
#define CRON_TABLE_LINES_MAX 10000
#define CRON_TABLE_WORLD_MAX ((size_t)32 << 20)

/* /etc/cron.hourly, cron.daily, cron.weekly, cron.monthly: scripts that run-parts runs. */
#define CRON_TABLE_PARTS 4
extern const char *const cron_table_parts[CRON_TABLE_PARTS];

struct cron_table {
	const char *file;    /* named in faults, and part of ids */
	const char *account; /* whose table it is; NULL: a column names the user of each line */
	unsigned head;       /* lines that crontab(1) has put above it: they do not count as its own */
	struct arena *arena;
	struct value *jobs;         /* list that maps of fields are appended to, with their lines */
	struct diagnostics *faults; /* what cannot be taken; the other lines are */
	bool parts; /* lines that run the scripts of those directories, or anacron, are no jobs: */
	const char *schedules[CRON_TABLE_PARTS]; /* when they did; in the arena, NULL: no line */
	struct value taken;                      /* list of the numbers of such lines */
	char fault[128]; /* of crontab(1): why the first one cannot be, in cron's words */
	uint32_t fault_line;
};

struct cron_table_reader;

/*
 * Reads the text. What the scheduler alone can tell of a job, as whether there
 * is such an account, is not looked at. SCHEDD_ENOMEM.
 */
int cron_table_read(struct cron_table *table, const char *text, size_t length)
    __attribute__((warn_unused_result));
/*
 * The same in pieces, where nobody is to be kept waiting: some() reads so many
 * lines, and answers 1 while there are more. table and text are borrowed until it
 * is closed. NULL: no memory.
 */
struct cron_table_reader *cron_table_open(
    struct cron_table *table, const char *text, size_t length);
int cron_table_some(struct cron_table_reader *reader, unsigned lines)
    __attribute__((warn_unused_result));
/* NULL is fine. */
void cron_table_close(struct cron_table_reader *reader);
/* Appends the owner of the jobs of a file: printable, without blanks. */
void cron_table_owner(struct strbuf *out, const char *file);

#endif
