/* SPDX-License-Identifier: MIT */
/* The row of each verb, defined in its verb_<name>.c. */
#ifndef SCHEDD_CMD_VERB_ROWS_H
#define SCHEDD_CMD_VERB_ROWS_H

#include "cmd/verbs.h"

/* All verbs in the order of the help, NULL-terminated. */
extern const struct verb *const verb_rows[];

extern const struct verb verb_add;
extern const struct verb verb_apply;
extern const struct verb verb_at;
extern const struct verb verb_backup;
extern const struct verb verb_batch;
extern const struct verb verb_check;
extern const struct verb verb_complete;
extern const struct verb verb_completion;
extern const struct verb verb_config;
extern const struct verb verb_copy;
extern const struct verb verb_dial;
extern const struct verb verb_diff;
extern const struct verb verb_edit;
extern const struct verb verb_events;
extern const struct verb verb_executors;
extern const struct verb verb_export;
extern const struct verb verb_groups;
extern const struct verb verb_help;
extern const struct verb verb_history;
extern const struct verb verb_import;
extern const struct verb verb_kill;
extern const struct verb verb_list;
extern const struct verb verb_logs;
extern const struct verb verb_modify;
extern const struct verb verb_next;
extern const struct verb verb_pause;
extern const struct verb verb_ping;
extern const struct verb verb_reload;
extern const struct verb verb_remove;
extern const struct verb verb_rename;
extern const struct verb verb_reschedule;
extern const struct verb verb_resume;
extern const struct verb verb_retry;
extern const struct verb verb_run;
extern const struct verb verb_show;
extern const struct verb verb_shutdown;
extern const struct verb verb_simulate;
extern const struct verb verb_stats;
extern const struct verb verb_status;
extern const struct verb verb_stores;
extern const struct verb verb_token;
extern const struct verb verb_top;
extern const struct verb verb_version;
extern const struct verb verb_wait;
extern const struct verb verb_why;

#endif
