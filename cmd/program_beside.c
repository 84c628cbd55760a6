/* SPDX-License-Identifier: MIT */
#include "cmd/program_beside.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

const char *program_beside(struct arena *arena, const char *name)
{
	static const char *const places[] = {"", "../libexec/schedd/"};
	char self[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	self[length > 0 ? length : 0] = '\0';
	slash = strrchr(self, '/');
	if (slash)
		*slash = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const char *path = arena_printf(arena, "%s/%s%s", self, places[i], name);

		if (path && access(path, X_OK) == 0)
			return path;
	}
	return name;
}
