/* SPDX-License-Identifier: MIT */
/*
 * Where what was installed with this program lies: below the prefix that it is
 * run from now, which need not be the one it was built for.
 */
#ifndef SCHEDD_BASE_INSTALLED_H
#define SCHEDD_BASE_INSTALLED_H

#include <limits.h>

/*
 * The directory below the prefix of this program, or of the library that this
 * is part of, if it is there; else fallback. below: "lib/schedd/modules".
 */
void installed_find(const char *below, const char *fallback, char path[PATH_MAX]);

#endif
