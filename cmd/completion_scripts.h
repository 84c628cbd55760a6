/* SPDX-License-Identifier: MIT */
/* The files of completions/, put into the program when it is built (embed.cmake). */
#ifndef SCHEDD_CMD_COMPLETION_SCRIPTS_H
#define SCHEDD_CMD_COMPLETION_SCRIPTS_H

struct completion_script {
	const char *shell; /* "bash"; NULL ends the rows */
	const char *text;
};

extern const struct completion_script completion_scripts[];

#endif
