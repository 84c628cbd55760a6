/* SPDX-License-Identifier: MIT */
/* The list of verbs; each verb_<name>.c defines its own row. */
#include "cmd/verbs.h"

#include <string.h>

#include "base/suggest.h"
#include "cmd/verb_rows.h"

const struct verb *const verbs_all[] = {
    &verb_add,
    &verb_list,
    &verb_show,
    &verb_next,
    &verb_modify,
    &verb_edit,
    &verb_reschedule,
    &verb_rename,
    &verb_copy,
    &verb_remove,
    &verb_pause,
    &verb_resume,
    &verb_run,
    &verb_history,
    &verb_logs,
    &verb_wait,
    &verb_kill,
    &verb_retry,
    &verb_why,
    &verb_stats,
    &verb_top,
    &verb_simulate,
    &verb_events,
    &verb_apply,
    &verb_diff,
    &verb_check,
    &verb_export,
    &verb_import,
    &verb_status,
    &verb_stores,
    &verb_executors,
    &verb_groups,
    &verb_config,
    &verb_ping,
    &verb_backup,
    &verb_reload,
    &verb_shutdown,
    &verb_version,
    &verb_help,
    &verb_completion,
    &verb_complete,
    &verb_dial,
    NULL,
};

const struct verb *verbs_find(const char *name)
{
	for (const struct verb *const *verb = verbs_all; *verb; verb++)
		if (strcmp((*verb)->name, name) == 0 ||
		    ((*verb)->alias && strcmp((*verb)->alias, name) == 0))
			return *verb;
	return NULL;
}

static const char *verbs_suggest(const char *name)
{
	struct suggest suggest;

	suggest_init(&suggest, name);
	for (const struct verb *const *verb = verbs_all; *verb; verb++)
		if (!(*verb)->hidden)
			suggest_offer(&suggest, (*verb)->name);
	return suggest_result(&suggest) ? verbs_find(suggest_result(&suggest))->name : NULL;
}

int verbs_unknown(struct command *command, const char *name)
{
	const char *closest = verbs_suggest(name);

	return command_usage(command, "unknown verb '%s'%s%s%s", name,
	    closest ? ", did you mean '" : "; see schedctl help", closest ? closest : "",
	    closest ? "'?" : "");
}
