/* SPDX-License-Identifier: MIT */
#include "server/log_limit.h"

bool log_limit_passes(struct log_limit *limit, struct schedd_mono now, uint64_t *withheld)
{
	if (now.us < limit->next) {
		limit->withheld++;
		return false;
	}
	*withheld = limit->withheld;
	limit->withheld = 0;
	limit->next = now.us + LOG_LIMIT_PAUSE;
	return true;
}
