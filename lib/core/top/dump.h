/* SPDX-License-Identifier: MIT */
/*
 * A store as a text file: lines of JSON, each a map of one member.
 *
 *	{"schedd_backup": {"version": 1, "store", "type", "created"}}   the first
 *	{"run": {…}}     each that is kept, as run_record.h has them
 *	{"job": {"id", "definition": {…}, "next_fire", "next_run_time", "run_count", "last_run",
 *	         "paused_by"}}
 *	{"end": {"jobs", "runs"}}                                       the last
 *
 * Runs come before jobs, so that no job's last run is behind what the file has.
 */
#ifndef SCHEDD_CORE_TOP_DUMP_H
#define SCHEDD_CORE_TOP_DUMP_H

#include "core/frame/scheduler_state.h"

#define DUMP_VERSION 1
#define DUMP_HEAD "schedd_backup"
/* A store's text while a file is not whole in it: its path. */
#define DUMP_RESTORING "restoring"

/* Ends those under way, when the stores are closed. */
void dump_stop(struct schedd_scheduler *scheduler);
/* Is such a file being read into that store? */
bool undump_uses(const struct schedd_scheduler *scheduler, const struct store_slot *slot);
/* Likewise of those that read such a file. */
void undump_stop(struct schedd_scheduler *scheduler);

#endif
