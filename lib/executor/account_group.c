/* SPDX-License-Identifier: MIT */
#include "executor/account_group.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>

/* Bytes of an entry of group, with all its members: at first, and at most. */
#define GROUP_ENTRY ((size_t)64 << 10)
#define GROUP_ENTRY_MAX ((size_t)64 << 20)

bool account_group_find(const char *name, gid_t *gid)
{
	size_t size = GROUP_ENTRY;
	struct group entry, *found = NULL;
	int rc;

	do {
		char *buffer = malloc(size);

		if (!buffer)
			return false;
		rc = getgrnam_r(name, &entry, buffer, size, &found);
		if (rc == 0 && found)
			*gid = found->gr_gid;
		free(buffer);
		size *= 4;
	} while (rc == ERANGE && size <= GROUP_ENTRY_MAX);
	return rc == 0 && found;
}
