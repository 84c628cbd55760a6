/* SPDX-License-Identifier: MIT */
#include "executor/account_group.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <grp.h>
#include <stdint.h>
#include <string.h>

/* The system's databases, which have a group of 100,000 members, and one that never fits. */
int getgrnam_r(const char *name, struct group *entry, char *buffer, size_t size, struct group **found)
{
	*found = NULL;
	if (strcmp(name, "nobody-has-it") == 0)
		return 0;
	if (strcmp(name, "endless") == 0 || (strcmp(name, "staff") == 0 && size < 1000000))
		return ERANGE;
	memset(buffer, 0, size);
	*entry = (struct group){.gr_name = buffer, .gr_gid = (gid_t)strlen(name)};
	*found = entry;
	return 0;
}

Test(account_group, is_found_however_many_are_in_it)
{
	gid_t gid = 0;

	cr_assert(account_group_find("few", &gid));
	cr_assert_eq(gid, 3);
	cr_assert(account_group_find("staff", &gid));
	cr_assert_eq(gid, 5);
}

Test(account_group, is_not_found_where_there_is_none)
{
	gid_t gid = 7;

	cr_assert_not(account_group_find("nobody-has-it", &gid));
	cr_assert_not(account_group_find("endless", &gid));
	cr_assert_eq(gid, 7);
}
