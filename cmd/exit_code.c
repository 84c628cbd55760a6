/* SPDX-License-Identifier: MIT */
#include "cmd/exit_code.h"

#include <schedd/error.h>

int exit_code_of(int code)
{
	if (code <= SCHEDD_OK && code >= SCHEDD_ETIMEOUT)
		return -code;
	return code == SCHEDD_EMETHOD ? EXIT_USAGE : EXIT_FAILED;
}
