/* SPDX-License-Identifier: MIT */
/* Settings of units that nothing here stands for: which of them change what would run. */
#ifndef SCHEDD_JOBFILE_SYSTEMD_LEFT_H
#define SCHEDD_JOBFILE_SYSTEMD_LEFT_H

#include <stdbool.h>

/* Would the service without the setting run something else, or where it should not run at all? */
bool systemd_left_changes(const char *key);
/* Are both of a group that an empty assignment to one of them takes back: conditions, assertions?
 */
bool systemd_left_is_group(const char *a, const char *b);
/* Is it there for people or other programs, and needs no word? */
bool systemd_left_is_remark(const char *section, const char *key);

#endif
