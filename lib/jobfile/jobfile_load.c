/* SPDX-License-Identifier: MIT */
/* Job files by path: one, standard input, or all of a directory. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/file.h"
#include "base/text_file.h"
#include "jobfile/jobfile.h"
#include "jobfile/yaml_read.h"

static int jobfile_load_file(struct jobfile *set, const char *path,
    const struct trigger_context *context, struct diagnostics *diagnostics)
{
	struct schedd_error err;
	size_t length;
	char *text;
	int rc = set->guarded ? text_file_read_trusted(path, YAML_SIZE_MAX, &text, &length, &err)
			      : text_file_read(path, YAML_SIZE_MAX, &text, &length, &err);

	if (rc == SCHEDD_ENOMEM)
		return rc;
	if (rc) {
		diagnostics_add(diagnostics, "", 0, 0, "%s", err.message);
		return SCHEDD_EFILE;
	}
	rc = jobfile_read(set, strcmp(path, "-") == 0 ? "standard input" : path, text, length,
	    context, diagnostics);
	free(text);
	return rc;
}

/* Hidden files and the back-ups of editors are none. */
static int jobfile_load_wanted(const struct dirent *entry)
{
	const char *end = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && end &&
	       (strcmp(end, ".yaml") == 0 || strcmp(end, ".yml") == 0 || strcmp(end, ".json") == 0);
}

static int jobfile_load_directory(struct jobfile *set, const char *path,
    const struct trigger_context *context, struct diagnostics *diagnostics)
{
	struct dirent **entries;
	int count = scandir(path, &entries, jobfile_load_wanted, alphasort);
	int rc = 0;

	if (count < 0) {
		diagnostics_add(diagnostics, path, 0, 0, "cannot read the directory: %m");
		return SCHEDD_EFILE;
	}
	for (int i = 0; i < count; i++) {
		char *file = NULL;

		if (rc == SCHEDD_ENOMEM || asprintf(&file, "%s/%s", path, entries[i]->d_name) < 0)
			rc = SCHEDD_ENOMEM;
		else {
			int one = jobfile_load_file(set, file, context, diagnostics);

			rc = one ? one : rc;
			free(file);
		}
		free(entries[i]);
	}
	free(entries);
	return rc;
}

int jobfile_load(struct jobfile *set, const char *path, const struct trigger_context *context,
    struct diagnostics *diagnostics)
{
	struct schedd_error err;
	struct stat status;

	if (strcmp(path, "-") == 0 || stat(path, &status) < 0 || !S_ISDIR(status.st_mode))
		return jobfile_load_file(set, path, context, diagnostics);
	/* Who may write the directory says which of its files there are. */
	if (set->guarded && file_trust(&status, path, &err)) {
		diagnostics_add(diagnostics, "", 0, 0, "%s", err.message);
		return SCHEDD_EFILE;
	}
	return jobfile_load_directory(set, path, context, diagnostics);
}
