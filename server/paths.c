/* SPDX-License-Identifier: MIT */
/* Flags beat environment beats config beats the default of the mode. */
#include "server/paths.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/strbuf.h"

/* An empty variable counts as not set, and XDG wants absolute paths. */
static const char *paths_env(const char *name)
{
	const char *text = getenv(name);

	return text && text[0] ? text : NULL;
}

static const char *paths_env_absolute(const char *name)
{
	const char *text = paths_env(name);

	return text && text[0] == '/' ? text : NULL;
}

void paths_source_init(struct paths_source *source)
{
	const struct passwd *entry;

	memset(source, 0, sizeof(*source));
	source->uid = geteuid();
	source->socket = paths_env("SCHEDD_SOCKET");
	source->state_dir = paths_env("SCHEDD_STATE_DIR");
	source->config = paths_env("SCHEDD_CONFIG");
	source->runtime_dir = paths_env_absolute("XDG_RUNTIME_DIR");
	source->state_home = paths_env_absolute("XDG_STATE_HOME");
	source->config_home = paths_env_absolute("XDG_CONFIG_HOME");
	source->home = paths_env_absolute("HOME");
	source->temp_dir = paths_env_absolute("TMPDIR");
	if (!source->home) {
		entry = getpwuid(source->uid);
		source->home = entry ? entry->pw_dir : NULL;
	}
}

/* An owned copy, made absolute while the working directory is still the caller's. */
static char *paths_absolute(const char *path)
{
	char *directory, *out = NULL;

	if (path[0] == '/')
		return strdup(path);
	directory = getcwd(NULL, 0);
	if (directory && asprintf(&out, "%s/%s", directory, path) < 0)
		out = NULL;
	free(directory);
	return out;
}

/* base/rest, or home/below/rest where base is not set; NULL: neither is, or no memory. */
static char *paths_xdg(const char *base, const char *home, const char *below, const char *rest)
{
	char *out = NULL;
	int rc = -1;

	if (base)
		rc = asprintf(&out, "%s/%s", base, rest);
	else if (home)
		rc = asprintf(&out, "%s/%s/%s", home, below, rest);
	return rc < 0 ? NULL : out;
}

static int paths_homeless(struct schedd_error *err, const char *what, const char *flag)
{
	return schedd_error_set(err, SCHEDD_EFAILED,
	    "no place for the %s: HOME is not set and the user has no entry in passwd; use %s",
	    what, flag);
}

int paths_find_config(struct paths *paths, const struct options *options,
    const struct paths_source *source, struct schedd_error *err)
{
	const char *named = options->config ? options->config : source->config;
	const char *slash;

	memset(paths, 0, sizeof(*paths));
	paths->config_explicit = named != NULL;
	if (named)
		paths->config = paths_absolute(named);
	else if (source->uid == 0)
		paths->config = strdup("/etc/schedd/schedd.yaml");
	else
		paths->config =
		    paths_xdg(source->config_home, source->home, ".config", "schedd/schedd.yaml");
	if (!paths->config)
		return paths_homeless(err, "config", "--config");
	slash = strrchr(paths->config, '/');
	if (asprintf(&paths->conf_dir, "%.*s/conf.d", (int)(slash - paths->config), paths->config) <
	    0) {
		paths->conf_dir = NULL;
		return schedd_error_nomem(err);
	}
	return 0;
}

/* The first that is given; *origin says which. NULL: none. */
static const char *paths_choose(
    const char *option, const char *environment, const char *config, const char **origin)
{
	if (option) {
		*origin = "option";
		return option;
	}
	if (environment) {
		*origin = "environment";
		return environment;
	}
	*origin = config ? "config" : "default";
	return config;
}

static char *paths_default_socket(const struct paths_source *source)
{
	char *out = NULL;

	if (source->uid == 0)
		return strdup("/run/schedd/schedd.sock");
	if (source->runtime_dir)
		return paths_xdg(source->runtime_dir, NULL, NULL, "schedd/schedd.sock");
	if (asprintf(&out, "%s/schedd-%ld/schedd.sock",
		source->temp_dir ? source->temp_dir : "/tmp", (long)source->uid) < 0)
		return NULL;
	return out;
}

int paths_find(struct paths *paths, const struct options *options,
    const struct paths_source *source, const char *config_socket, const char *config_state_dir,
    struct schedd_error *err)
{
	const char *named =
	    paths_choose(options->socket, source->socket, config_socket, &paths->socket_origin);

	paths->socket_explicit = named != NULL;
	paths->socket = named ? paths_absolute(named) : paths_default_socket(source);
	if (!paths->socket)
		return schedd_error_nomem(err);
	named = paths_choose(
	    options->state_dir, source->state_dir, config_state_dir, &paths->state_dir_origin);
	if (named)
		paths->state_dir = paths_absolute(named);
	else if (source->uid == 0)
		paths->state_dir = strdup("/var/lib/schedd");
	else
		paths->state_dir =
		    paths_xdg(source->state_home, source->home, ".local/state", "schedd");
	return paths->state_dir ? 0 : paths_homeless(err, "state directory", "--state-dir");
}

void paths_clear(struct paths *paths)
{
	free(paths->config);
	free(paths->conf_dir);
	free(paths->socket);
	free(paths->state_dir);
	memset(paths, 0, sizeof(*paths));
}

int paths_make_directory(const char *directory, struct schedd_error *err)
{
	char *path = strdup(directory);
	int rc = 0;

	if (!path)
		return schedd_error_nomem(err);
	for (char *p = path + 1; !rc; p++) {
		char kept = *p;

		if (kept != '/' && kept != '\0')
			continue;
		*p = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			rc = schedd_error_set(err,
			    errno == EACCES || errno == EPERM || errno == EROFS ? SCHEDD_EPERM
										: SCHEDD_EFAILED,
			    "cannot make the directory '%s': %s", path, strerror(errno));
		*p = kept;
		if (!kept)
			break;
	}
	free(path);
	return rc;
}

int paths_make_private(const char *directory, uid_t uid, struct schedd_error *err)
{
	struct stat st;
	int rc = paths_make_directory(directory, err);

	if (rc)
		return rc;
	if (lstat(directory, &st) < 0)
		return schedd_error_set(err, SCHEDD_EFAILED,
		    "cannot look at the directory '%s': %s", directory, strerror(errno));
	/* A link, too: whoever made it chose where our socket would be, and what is closed to all.
	 */
	if (!S_ISDIR(st.st_mode))
		return schedd_error_set(err, SCHEDD_EFAILED,
		    "'%s' is there and is %s: remove it, or choose another socket with --socket",
		    directory, S_ISLNK(st.st_mode) ? "a link" : "no directory");
	if (st.st_uid != uid)
		return schedd_error_set(err, SCHEDD_EPERM,
		    "the directory '%s' belongs to uid %ld, not to uid %ld: choose another socket "
		    "with --socket",
		    directory, (long)st.st_uid, (long)uid);
	if (st.st_mode & 022)
		return schedd_error_set(err, SCHEDD_EPERM,
		    "others may write to the directory '%s' (mode %03o): chmod go-w it, or choose "
		    "another socket with --socket",
		    directory, (unsigned)(st.st_mode & 0777));
	return 0;
}
