/* SPDX-License-Identifier: MIT */
/* A shared object that is no module. */
#include <schedd/export.h>

SCHEDD_API int bare(void);

int bare(void)
{
	return 0;
}
