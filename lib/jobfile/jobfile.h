/* SPDX-License-Identifier: MIT */
/*
 * Job files: version 1, an optional owner, defaults, and jobs by id, in YAML
 * or JSON (schedd-jobs(5)). Several files are read into one set; an id may
 * stand in only one of them.
 *
 * What comes out are maps of fields as job.apply takes them, already checked
 * as the daemon will check them.
 */
#ifndef SCHEDD_JOBFILE_JOBFILE_H
#define SCHEDD_JOBFILE_JOBFILE_H

#include "base/diagnostics.h"
#include "base/strmap.h"
#include "base/value.h"
#include "trigger/trigger.h"

struct jobfile {
	struct arena arena;   /* of all below, but the places */
	const char *owner;    /* what the files say; NULL: nothing */
	struct value jobs;    /* list of maps: id, then the fields given and those of defaults */
	struct strmap places; /* by id: where each job stands */
	struct arena placed;  /* they and their ids, which outlive the jobs */
	uint32_t files;       /* read so far; none for an empty directory */
	bool guarded;         /* set by who acts on them: only files that nobody else can write */
};

void jobfile_init(struct jobfile *set);
void jobfile_clear(struct jobfile *set);
/* Frees the jobs and the owner, once they are no longer needed; places are known as before. */
void jobfile_free_jobs(struct jobfile *set);

/*
 * Adds the jobs of a text; file is its name in diagnostics and, where it ends
 * in ".json", its language (otherwise the text's first characters tell).
 * context is what triggers and times are read with. SCHEDD_EFILE: diagnostics
 * were added and the set is not to be used. SCHEDD_ENOMEM.
 */
int jobfile_read(struct jobfile *set, const char *file, const char *text, size_t length,
    const struct trigger_context *context, struct diagnostics *diagnostics)
    __attribute__((warn_unused_result));

/*
 * The same from a path: a file, "-" for standard input, or a directory, of
 * which all *.yaml, *.yml and *.json are read in the order of their names.
 */
int jobfile_load(struct jobfile *set, const char *path, const struct trigger_context *context,
    struct diagnostics *diagnostics) __attribute__((warn_unused_result));

/* Where the job of that id stands: its file, *line of it. NULL: it is not in the set. */
const char *jobfile_place(const struct jobfile *set, const char *id, uint32_t *line);

#endif
