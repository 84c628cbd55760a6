/* SPDX-License-Identifier: MIT */
/* What time it is, for all that is beneath the scheduler's own state. */
#include "core/frame/scheduler_state.h"

schedd_time scheduler_now(const struct schedd_scheduler *scheduler)
{
	return scheduler->clock->wall(scheduler->clock->context);
}

struct schedd_mono scheduler_mono(const struct schedd_scheduler *scheduler)
{
	return scheduler->clock->mono(scheduler->clock->context);
}
