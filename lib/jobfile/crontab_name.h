/* SPDX-License-Identifier: MIT */
/* What a shell line is called: the program that it is there for. */
#ifndef SCHEDD_JOBFILE_CRONTAB_NAME_H
#define SCHEDD_JOBFILE_CRONTAB_NAME_H

#include <stddef.h>

#define CRONTAB_NAME_SIZE 64

/*
 * Writes an id made of the line's program: tests, assignments, keywords and
 * wrappers such as nice or flock before it are left out, interpreters stand for
 * their script. "[ -x /a ] && nice /usr/bin/b.sh x" is "b". Never empty. The
 * last plain argument goes into detail ("x"; "" where there is none): it may
 * tell two lines of one program apart. Both are of the form of ids.
 */
void crontab_name(const char *line, char name[CRONTAB_NAME_SIZE], char detail[CRONTAB_NAME_SIZE]);

#endif
