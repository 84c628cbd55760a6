/* SPDX-License-Identifier: MIT */
#include "server/boot_id.h"

#include <stdio.h>
#include <string.h>

bool boot_id_read(char *out, size_t size)
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
	bool found = file && fgets(out, (int)size, file) != NULL;

	if (file)
		fclose(file);
	if (found)
		out[strcspn(out, "\n")] = '\0';
	return found && out[0];
}
