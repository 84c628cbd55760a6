/* SPDX-License-Identifier: MIT */
#include "fuzz/cron_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return cron_check(CRON_FIELDS, data, size);
}
