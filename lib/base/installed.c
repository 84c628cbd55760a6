/* SPDX-License-Identifier: MIT */
/* The prefix is told from the file that holds this code, and from the program that runs. */
#include "base/installed.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* PREFIX/under/file: is below there? under: "bin", "lib/x86_64-linux-gnu". */
static bool installed_below(const char *file, const char *under, const char *below, char *path)
{
	char real[PATH_MAX];
	size_t length, tail = strlen(under);
	char *slash;
	int written;

	if (!realpath(file, real))
		return false;
	slash = strrchr(real, '/');
	if (!slash)
		return false;
	*slash = '\0';
	length = strlen(real);
	if (length <= tail || real[length - tail - 1] != '/' ||
	    strcmp(real + length - tail, under) != 0)
		return false;
	real[length - tail - 1] = '\0';
	written = snprintf(path, PATH_MAX, "%s/%s", real, below);
	return written > 0 && written < PATH_MAX && access(path, F_OK) == 0;
}

void installed_find(const char *below, const char *fallback, char path[PATH_MAX])
{
	Dl_info info;

	if (dladdr((const void *)(uintptr_t)&installed_find, &info) && info.dli_fname &&
	    installed_below(info.dli_fname, SCHEDD_LIBDIR, below, path))
		return;
	if (installed_below("/proc/self/exe", SCHEDD_BINDIR, below, path))
		return;
	snprintf(path, PATH_MAX, "%s", fallback);
}
