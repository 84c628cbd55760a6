/* SPDX-License-Identifier: MIT */
/*
 * A node that is cut off from its store knows it by its own clock before others
 * may take what it has: on_partition of a job says what becomes of its
 * processes then. Ended at once, they are gone before the run is anybody
 * else's; that leaves a tenth of the lease.
 */
#include <signal.h>
#include <stddef.h>
#include "core/runs/run_live.h"
#include "core/runs/run_stop.h"
#include "core/share/share_state.h"

void share_partition_kill(struct share *share)
{
	struct schedd_scheduler *scheduler = share->slot->scheduler;
	struct schedd_error err;

	for (struct run_live *live = run_live_first(scheduler), *next; live; live = next) {
		next = run_live_next(live);
		if (run_live_store(live) != share->slot || run_live_is_stopped(live) ||
		    job_details(run_live_job(live))->on_partition != JOB_PARTITION_KILL ||
		    (run_live_stage(live) != RUN_LIVE_STARTING && run_live_stage(live) != RUN_LIVE_RUNNING))
			continue;
		log_warn(scheduler->log, "run %s: this node is cut off from store %s: killed (on_partition)",
		    run_live_id(live), share->slot->name);
		if (run_stop(live, RUN_LIVE_KILLED, SIGKILL, "its node was cut off from the store (on_partition: kill)",
			&err))
			log_error(scheduler->log, "run %s: %s", run_live_id(live), err.message);
	}
}

static void share_partition_again(struct share *share)
{
	struct schedd_scheduler *scheduler = share->slot->scheduler;
	struct schedd_mono at = {
	    scheduler_mono(scheduler).us + store_lease(share->slot->store) / SHARE_PARTITION_LOOKS};

	if (timers_set(&scheduler->timers, &share->partition, at))
		log_error(scheduler->log, "store %s: no memory to notice when it is cut off", share->slot->name);
}

static void share_partition_due(struct timer *timer)
{
	struct share *share =
	    (struct share *)(void *)((char *)timer - offsetof(struct share, partition));

	scheduler_enter(share->slot->scheduler);
	if (share->own && !store_leased(share->slot->store, share->slot->epoch))
		share_partition_kill(share);
	share_partition_again(share);
	scheduler_leave(share->slot->scheduler);
}

void share_partition_begin(struct share *share)
{
	timer_init(&share->partition, share_partition_due);
	share_partition_again(share);
}
