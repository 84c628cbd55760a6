/* SPDX-License-Identifier: MIT */
/* What cron_tables.c knows, told. */
#include "server/cron_state.h"

#define CRON_FAULTS_SHOWN 100

static void status_taken(const struct cron_tab *tab, struct value *taken, struct arena *arena)
{
	for (uint32_t i = 0; i < tab->taken_count && !tab->gone; i++) {
		struct value row = value_map();

		value_put(arena, &row, "file", value_string(arena, tab->shown));
		value_put(arena, &row, "line", value_int(tab->taken[i]));
		value_append(arena, taken, row);
	}
}

struct value cron_tables_status(const struct cron_tables *tables, struct arena *arena)
{
	struct value map = value_map(), faults = value_array(), taken = value_array();
	int64_t files = 0, jobs = 0;

	if (!tables || !tables->asked)
		return value_nil();
	for (const struct cron_tab *tab = tables->tabs; tab; tab = tab->next) {
		files += !tab->gone && !tab->parts;
		status_taken(tab, &taken, arena);
		jobs += tab->jobs;
		for (uint32_t i = 0;
		     i < tab->faults.count && faults.array.count < CRON_FAULTS_SHOWN; i++) {
			const struct diagnostic *fault = &tab->faults.items[i];
			struct value row = value_map();

			value_put(arena, &row, "file", value_string(arena, fault->file));
			value_put(arena, &row, "line",
			    fault->line ? value_int(fault->line) : value_nil());
			value_put(arena, &row, "message", value_string(arena, fault->message));
			value_append(arena, &faults, row);
		}
	}
	value_put(arena, &map, "tables", value_bool(tables->on));
	value_put(arena, &map, "beside",
	    tables->beside[0] ? value_string(arena, tables->beside) : value_nil());
	value_put(arena, &map, "files", value_int(files));
	value_put(arena, &map, "jobs", value_int(jobs));
	value_put(arena, &map, "dirs", value_bool(tables->dirs));
	value_put(arena, &map, "taken_over", taken);
	value_put(arena, &map, "faults", faults);
	return map;
}
