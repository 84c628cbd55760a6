/* SPDX-License-Identifier: MIT */
/* Where things are: the two modes of schedd, as root and as a user. */
#ifndef SCHEDD_SERVER_PATHS_H
#define SCHEDD_SERVER_PATHS_H

#include <stdbool.h>
#include <sys/types.h>
#include <schedd/error.h>
#include "server/options.h"

/* What paths are made from; the environment's texts are borrowed. NULL: not set. */
struct paths_source {
	uid_t uid;               /* 0: the system's daemon */
	const char *socket;      /* SCHEDD_SOCKET */
	const char *state_dir;   /* SCHEDD_STATE_DIR */
	const char *config;      /* SCHEDD_CONFIG */
	const char *runtime_dir; /* XDG_RUNTIME_DIR */
	const char *state_home;  /* XDG_STATE_HOME */
	const char *config_home; /* XDG_CONFIG_HOME */
	const char *home;        /* HOME, else the user's entry in passwd */
	const char *temp_dir;    /* TMPDIR, else /tmp */
};

/* Absolute paths, owned. */
struct paths {
	char *config;         /* the file */
	bool config_explicit; /* named by flag or environment: it must exist */
	char *conf_dir;       /* conf.d beside it */
	char *socket;
	bool socket_explicit;      /* not the default place: its directory is not ours */
	const char *socket_origin; /* "option", "environment", "config", "default" */
	char *state_dir;
	const char *state_dir_origin; /* likewise */
};

/* Fills it from the process. */
void paths_source_init(struct paths_source *source);
/* First step: where the config is. */
int paths_find_config(struct paths *paths, const struct options *options,
    const struct paths_source *source, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Second step, with what the config says (NULL: nothing). */
int paths_find(struct paths *paths, const struct options *options,
    const struct paths_source *source, const char *config_socket, const char *config_state_dir,
    struct schedd_error *err) __attribute__((warn_unused_result));
void paths_clear(struct paths *paths);

/* Makes the directory (0700) and missing ones above it; one that is there is left as it is. */
int paths_make_directory(const char *directory, struct schedd_error *err)
    __attribute__((warn_unused_result));
/*
 * Makes a private directory (0700) and missing ones above it. One that is there
 * must be a directory of uid's that nobody else can write to. SCHEDD_EPERM,
 * SCHEDD_EFAILED.
 */
int paths_make_private(const char *directory, uid_t uid, struct schedd_error *err)
    __attribute__((warn_unused_result));

#endif
