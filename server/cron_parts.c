/* SPDX-License-Identifier: MIT */
/* run-parts does the work, as under cron; a time that was missed is made up for, as by anacron. */
#include "server/cron_parts.h"

#include <string.h>
#include "jobfile/crontab_fit.h"

/* When the scripts run that no line of a table runs: as Debian's /etc/crontab has it. */
static const char *const parts_schedules[CRON_TABLE_PARTS] = {
    "17 * * * *", "25 6 * * *", "47 6 * * 7", "52 6 1 * *"};

static struct value parts_map(struct arena *arena, const char *key, const char *text)
{
	struct value map = value_map();

	value_put(arena, &map, key, value_string_ref(text));
	return map;
}

int cron_parts_read(
    struct cron_tab *tab, const char *schedule, struct arena *arena, struct value *jobs)
{
	struct value job = value_map(), notify = value_array();
	const char *fitted, *note;

	if (stat(tab->path, &tab->status) < 0 || !S_ISDIR(tab->status.st_mode))
		return 0;
	if (tab->status.st_uid != 0 || tab->status.st_mode & (S_IWGRP | S_IWOTH)) {
		diagnostics_add(&tab->faults, tab->shown, 0, 0,
		    "others than root may write it: none of its scripts is run");
		return 0;
	}
	fitted = crontab_fit(arena, schedule ? schedule : parts_schedules[tab->parts - 1], &note);
	value_put(arena, &job, "id", value_string_ref(strrchr(tab->shown, '/') + 1));
	value_put(arena, &job, "owner", value_string_ref(tab->owner));
	value_put(arena, &job, "description",
	    value_string_ref(arena_printf(arena, "the scripts in %s", tab->shown)));
	value_put(arena, &job, "shell",
	    value_string_ref(arena_printf(arena, "cd / && run-parts --report '%s'", tab->path)));
	value_put(arena, &job, "trigger", parts_map(arena, "cron", fitted));
	value_put(arena, &job, "user", value_string_ref("root"));
	value_put(arena, &job, "env",
	    parts_map(
		arena, "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"));
	value_append(arena, &notify, value_string_ref("output=mail:root"));
	value_put(arena, &job, "notify", notify);
	value_append(arena, jobs, job);
	return arena_failed(arena) ? SCHEDD_ENOMEM : 0;
}
