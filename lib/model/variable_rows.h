/* SPDX-License-Identifier: MIT */
/* The environment that what schedd runs can count on, for the manual. */
#ifndef SCHEDD_MODEL_VARIABLE_ROWS_H
#define SCHEDD_MODEL_VARIABLE_ROWS_H

struct variable_row {
	const char *name; /* "NAME_FILE": the upper-case word before _ stands for others */
	const char *doc;  /* one line */
};

/* Each is ended by a NULL name: of a job's command; besides, of a notification's and a listener's.
 */
const struct variable_row *variable_rows_command(void);
const struct variable_row *variable_rows_notify(void);
const struct variable_row *variable_rows_listener(void);

#endif
