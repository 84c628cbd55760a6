/* SPDX-License-Identifier: MIT */
/*
 * Which crontab or timer a job came from, so that a second crontab with a command
 * of the same name gets jobs of its own, and the same crontab its old ones, whatever
 * was added, moved or edited in it; likewise foo@bar.timer and foo-bar.timer, whose
 * jobs would have one id. The origin is the job's owner: "crontab:/etc/cron.d/x",
 * "crontab:-" for standard input, or "systemd:foo@bar.timer", which is marked where the unit is read.
 */
#ifndef SCHEDD_CMD_IMPORT_ORIGIN_H
#define SCHEDD_CMD_IMPORT_ORIGIN_H

#include "cmd/command.h"

/*
 * Puts the origin into the jobs from number first on, which were read from that
 * text; not into those whose id a comment of the crontab gives. SCHEDD_ENOMEM.
 */
int import_origin_mark(struct command *command, const char *path, const char *text, size_t length,
    struct value *jobs, uint32_t first) __attribute__((warn_unused_result));
/*
 * Gives those jobs the ids that they have on the daemon already, and others
 * none that belongs to another crontab or timer. Errors of the connection.
 */
int import_origin_settle(struct command *command, struct value *jobs, struct schedd_error *err)
    __attribute__((warn_unused_result));

#endif
