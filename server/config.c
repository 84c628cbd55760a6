/* SPDX-License-Identifier: MIT */
/* Which files make up the config, in which order. */
#include "server/config.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include "base/file.h"
#include "base/text_file.h"
#include "jobfile/yaml_read.h"
#include "server/config_reader.h"

#define CONFIG_FILE_MAX (1 << 20) /* bytes; a config of that size is a mistake */

void config_init(struct config *config)
{
	memset(config, 0, sizeof(*config));
	arena_init(&config->arena);
	config->log_level = SCHEDD_LOG_INFO;
	scheduler_settings_init(&config->settings);
	rpc_limits_init(&config->limits);
	config->clients = config->limits.clients;
	config->stop_limit = 30 * SCHEDD_SECOND;
	config->web = (struct web_config){.prefix = "/scheduler", .connections = 256, .mode = 0600};
	config->users.limits = (struct config_limits){.jobs = 200,
	    .running = 32,
	    .queued = 1000,
	    .every = SCHEDD_SECOND,
	    .output = 64 << 20,
	    .history = 100000,
	    .clients = 100,
	    .requests = 64};
}

void config_clear(struct config *config)
{
	arena_clear(&config->arena);
	memset(config, 0, sizeof(*config));
}

int config_read_text(struct config *config, const char *name, const char *text, size_t length,
    struct schedd_error *err)
{
	struct diagnostics diagnostics;
	struct value root;
	int rc;

	diagnostics_init(&diagnostics);
	rc = yaml_read(name, text, length, &config->arena, &root, &diagnostics);
	if (rc == SCHEDD_EFILE)
		rc = diagnostics_error(&diagnostics, err);
	else if (rc)
		rc = schedd_error_nomem(err);
	else
		rc = config_reader_read(config, name, &root, err);
	if (!rc && arena_failed(&config->arena))
		rc = schedd_error_nomem(err);
	diagnostics_clear(&diagnostics);
	return rc;
}

/* Remembers that the file was read, for status and config.get. */
static int config_note_file(struct config *config, const char *path, struct schedd_error *err)
{
	const char **files =
	    arena_alloc(&config->arena, (config->file_count + 1) * sizeof(*config->files));
	char *copy = arena_strdup(&config->arena, path);

	if (!files || !copy)
		return schedd_error_nomem(err);
	if (config->file_count)
		memcpy(files, config->files, config->file_count * sizeof(*files));
	files[config->file_count++] = copy;
	config->files = files;
	return 0;
}

static int config_read_file(
    struct config *config, const char *path, bool must_exist, struct schedd_error *err)
{
	size_t length;
	char *text;
	int rc;

	if (!must_exist && access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	rc = text_file_read_trusted(path, CONFIG_FILE_MAX, &text, &length, err);
	if (rc) {
		schedd_error_prefix(err, "the config");
		return SCHEDD_EFILE;
	}
	rc = config_read_text(config, path, text, length, err);
	explicit_bzero(text, length);
	free(text);
	return rc ? rc : config_note_file(config, path, err);
}

static int config_is_yaml(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return entry->d_name[0] != '.' && length > 5 &&
	       strcmp(entry->d_name + length - 5, ".yaml") == 0;
}

static int config_read_directory(
    struct config *config, const char *directory, struct schedd_error *err)
{
	struct dirent **names = NULL;
	int count = scandir(directory, &names, config_is_yaml, alphasort);
	struct stat st;
	int rc = 0;

	if (count < 0)
		return errno == ENOENT || errno == ENOTDIR
			   ? 0
			   : schedd_error_set(err, SCHEDD_EFILE,
				 "cannot read the config's directory %s: %s", directory,
				 strerror(errno));
	/* Who may write the directory says which of its files there are. */
	if (stat(directory, &st) == 0 && file_trust(&st, directory, err)) {
		schedd_error_prefix(err, "the config");
		rc = SCHEDD_EFILE;
	}
	for (int i = 0; i < count; i++) {
		char *path = NULL;

		if (!rc && asprintf(&path, "%s/%s", directory, names[i]->d_name) < 0)
			rc = schedd_error_nomem(err);
		if (!rc) {
			rc = config_read_file(config, path, true, err);
			free(path);
		}
		free(names[i]);
	}
	free(names);
	return rc;
}

int config_read(struct config *config, const char *file, bool must_exist, const char *conf_dir,
    struct schedd_error *err)
{
	int rc = config_read_file(config, file, must_exist, err);

	if (!rc)
		rc = config_read_directory(config, conf_dir, err);
	if (!rc)
		rc = config_check_stores(config, err);
	return rc ? rc : config_check_histories(config, err);
}
