/* SPDX-License-Identifier: MIT */
/* Jobs that run after another job: who waits for whom, and no cycles. */
#ifndef SCHEDD_CORE_JOBS_AFTER_H
#define SCHEDD_CORE_JOBS_AFTER_H

#include "core/jobs/entry.h"

/* The jobs that wait for one id, which need not exist (yet). */
struct after_list {
	char *id;
	struct entry **entries;
	uint32_t count;
	uint32_t capacity;
};

void after_init(struct schedd_scheduler *scheduler);
void after_clear(struct schedd_scheduler *scheduler);
/* The entry's definition is in effect, or about to be replaced. False: it does not follow all that
 * it should, for want of memory; that is logged. */
bool after_link(struct schedd_scheduler *scheduler, struct entry *entry);
void after_unlink(struct schedd_scheduler *scheduler, struct entry *entry);
/* SCHEDD_EINVAL if the job would, through others, wait for itself: "a → b → a". */
int after_check(struct schedd_scheduler *scheduler, const struct schedd_job *job,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* Does any job wait for another? */
static inline bool after_any(const struct schedd_scheduler *scheduler)
{
	return scheduler->jobs.after.count > 0;
}
/* Who waits for a run of that job; valid until definitions change; NULL: nobody. */
const struct after_list *after_list_get(const struct schedd_scheduler *scheduler, const char *id);
/* Is the job to follow when a run of that one ended so? */
bool after_wants(const struct entry *entry, const char *id, enum run_state state);
/* Some job that waits for this id; NULL: none. */
const char *after_waits(const struct schedd_scheduler *scheduler, const char *id);

#endif
