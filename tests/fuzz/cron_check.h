/* SPDX-License-Identifier: MIT */
/* What holds for any text that is taken for a cron schedule. */
#ifndef TESTS_FUZZ_CRON_CHECK_H
#define TESTS_FUZZ_CRON_CHECK_H

#include <stddef.h>
#include <stdint.h>
#include "trigger/cron.h"

/* Aborts where something does not hold. Returns 0, as fuzz targets do. */
int cron_check(enum cron_dialect dialect, const uint8_t *data, size_t size);

#endif
