/* SPDX-License-Identifier: MIT */
#include "model/variable_rows.h"

#include <stddef.h>

const struct variable_row *variable_rows_command(void)
{
	static const struct variable_row rows[] = {
	    {"PATH", "/usr/local/bin:/usr/bin:/bin"},
	    {"HOME",
		"home directory of the user that the command runs as; it starts there without cwd"},
	    {"USER", "name of that user"},
	    {"LOGNAME", "the same"},
	    {"SHELL", "what runs its lines: shell_path, or /bin/sh"},
	    {"LANG", "schedd's own"},
	    {"TZ", "the zone, where schedd took its own from TZ"},
	    {"SCHEDD_JOB_ID", "id of the job"},
	    {"SCHEDD_JOB_NAME", "its name, or the id"},
	    {"SCHEDD_RUN", "the run, as backup/42"},
	    {"SCHEDD_SCHEDULED_AT", "when it was due, RFC 3339"},
	    {"SCHEDD_ATTEMPT", "1, and one more with each retry"},
	    {"SCHEDD_INVOCATION", "of this run alone, random: schedd knows its processes by it"},
	    {"SCHEDD_EPOCH",
		"of the node, where its store is shared: it rises when another takes its jobs over, so "
		"that who is written to can refuse what comes late"},
	    {"SCHEDD_SOCKET", "where schedd listens, for schedctl"},
	    {"SCHEDD_TAG_KEY",
		"value of the tag KEY, in upper case, with _ for what is no letter or digit"},
	    {"NAME_FILE", "path of the private copy of the secret NAME"},
	    {NULL, NULL},
	};

	return rows;
}

const struct variable_row *variable_rows_notify(void)
{
	static const struct variable_row rows[] = {
	    {"SCHEDD_NOTIFY",
		"what is told: failure, recovery, change, success, late, missed or output"},
	    {"SCHEDD_STATE", "how the run ended"},
	    {"SCHEDD_REASON", "why, in words; may be empty"},
	    {"SCHEDD_EXIT_CODE", "of its command; empty where there is none"},
	    {"SCHEDD_ABOUT_JOB", "id of the job that it is about"},
	    {"SCHEDD_ABOUT_NAME", "its name, or the id"},
	    {NULL, NULL},
	};

	return rows;
}

const struct variable_row *variable_rows_listener(void)
{
	static const struct variable_row rows[] = {
	    {"SCHEDD_EVENT", "name of the event"},
	    {"SCHEDD_EVENT_CODE", "its number"},
	    {"SCHEDD_EVENT_SEQ", "its sequence number"},
	    {"SCHEDD_EVENT_RUN", "the run it is about, as backup/42"},
	    {"SCHEDD_EXIT_CODE", "exit code of the run"},
	    {"SCHEDD_ERROR", "what went wrong"},
	    {NULL, NULL},
	};

	return rows;
}
