/* SPDX-License-Identifier: MIT */
/* Everything that can be refused is refused before the process detaches. */
#include "server/startup.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/log.h"
#include "server/config.h"
#include "server/config_jobs.h"
#include "server/daemon.h"
#include "server/daemonize.h"
#include "server/log_sink.h"
#include "server/paths.h"
#include "server/reexec.h"

static int startup_log_words(
    const struct options *options, struct log_sink *sink, struct schedd_error *err)
{
	if (options->log_level && !log_sink_parse_level(options->log_level, &sink->log.level))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "--log-level '%.32s' is none of error, warning, info and debug",
		    options->log_level);
	if (options->log_format) {
		sink->json = strcmp(options->log_format, "json") == 0;
		if (!sink->json && strcmp(options->log_format, "text") != 0)
			return schedd_error_set(err, SCHEDD_EINVAL,
			    "--log-format '%.32s' is neither text nor json", options->log_format);
	}
	return 0;
}

static int startup_log(const struct options *options, const struct config *config,
    struct log_sink *sink, struct schedd_error *err)
{
	const char *file = options->log_file ? options->log_file : config->log_file;
	int rc;

	log_sink_init(sink);
	sink->log.level = (enum schedd_log_level)config->log_level;
	sink->json = config->log_format == 1;
	rc = startup_log_words(options, sink, err);
	if (rc)
		return rc;
	return file ? log_sink_open(sink, file, err) : 0;
}

/* Where a detached daemon logs if nobody says: its stderr is gone. */
static int startup_default_log(
    const struct paths *paths, struct log_sink *sink, struct schedd_error *err)
{
	struct strbuf path = STRBUF_EMPTY;
	int rc;

	if (sink->fd != STDERR_FILENO)
		return 0;
	rc = paths_make_directory(paths->state_dir, err);
	strbuf_printf(&path, "%s/schedd.log", paths->state_dir);
	if (!rc)
		rc = log_sink_open(sink, strbuf_peek(&path), err);
	strbuf_clear(&path);
	return rc;
}

/* The daemon from its first breath to its last; errors are told to whoever started it. */
static int startup_serve(const struct daemon_setup *setup, int *ready, struct schedd_error *err)
{
	struct daemon *daemon = NULL;
	struct reexec reexec = {0};
	int rc = daemon_new(setup, &daemon, err);

	if (rc)
		return rc;
	daemonize_ready(*ready, 0);
	*ready = -1;
	rc = daemon_run(daemon, err);
	if (!rc)
		reexec = daemon_take_reexec(daemon);
	daemon_free(daemon);
	if (!rc && reexec.path)
		rc = reexec_run(&reexec, setup->argv, err);
	return rc;
}

static int startup_daemon(const struct options *options, const struct paths *paths,
    struct config *config, char **argv, int *ready, struct schedd_error *err)
{
	struct log_sink sink;
	struct daemon_setup setup = {
	    .options = options, .paths = paths, .config = config, .sink = &sink, .argv = argv};
	int rc = startup_log(options, config, &sink, err);

	if (!rc && options->daemon)
		rc = startup_default_log(paths, &sink, err);
	if (!rc && options->daemon && !reexec_is_second())
		rc = daemonize(ready, err);
	if (!rc)
		rc = startup_serve(&setup, ready, err);
	/* stderr is told by main; a log of its own would miss it. */
	if (rc && sink.fd != STDERR_FILENO)
		log_error(&sink.log, "%s", err->message);
	log_sink_close(&sink);
	return rc;
}

/* The config and the job files that it names; of the options, what is refused at a start too. */
static int startup_check(
    const struct options *options, const struct config *config, struct schedd_error *err)
{
	struct log_sink sink;
	struct jobfile set;
	int rc;

	log_sink_init(&sink);
	rc = startup_log_words(options, &sink, err);
	if (rc)
		return rc;
	rc = config_jobs_load(config, &set, err);
	if (!rc)
		fprintf(stderr, "schedd: the config is valid (%u file%s read)\n",
		    config->file_count + set.files, config->file_count + set.files == 1 ? "" : "s");
	jobfile_clear(&set);
	return rc;
}

int startup_run(const struct options *options, char **argv, int *ready, struct schedd_error *err)
{
	struct paths_source source;
	struct config config;
	struct paths paths;
	int rc;

	paths_source_init(&source);
	config_init(&config);
	rc = paths_find_config(&paths, options, &source, err);
	if (!rc)
		rc = config_read(&config, paths.config, paths.config_explicit, paths.conf_dir, err);
	if (!rc && options->check_config) {
		rc = startup_check(options, &config, err);
	} else if (!rc) {
		rc = paths_find(&paths, options, &source, config.socket, config.state_dir, err);
		if (!rc)
			rc = startup_daemon(options, &paths, &config, argv, ready, err);
	}
	paths_clear(&paths);
	config_clear(&config);
	return rc;
}
