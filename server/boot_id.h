/* SPDX-License-Identifier: MIT */
/* Which boot of the machine is this? */
#ifndef SCHEDD_SERVER_BOOT_ID_H
#define SCHEDD_SERVER_BOOT_ID_H

#include <stdbool.h>
#include <stddef.h>

/* The kernel's random id of the boot, as text. False: it is not to be had. */
bool boot_id_read(char *out, size_t size);

#endif
