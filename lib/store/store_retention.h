/* SPDX-License-Identifier: MIT */
/* The rules of retention as a backend keeps them while it works them off. */
#ifndef SCHEDD_STORE_STORE_RETENTION_H
#define SCHEDD_STORE_STORE_RETENTION_H

#include "store/store_history.h"

/* A copy of the rules with the exceptions counted. */
struct store_rules {
	struct store_retention retention; /* except points into the arena */
	size_t except_count;
	char *job; /* NULL: all */
	struct arena arena;
};

/* SCHEDD_ENOMEM. Clear it even after an error. */
int store_rules_init(struct store_rules *rules, const char *job,
    const struct store_retention *retention) __attribute__((warn_unused_result));
void store_rules_clear(struct store_rules *rules);
/* Has this job rules of its own? */
bool store_rules_except(const struct store_rules *rules, const char *id);
/* Works them off on runs in memory: deletes at most budget, returns how many. */
uint32_t store_rules_apply(const struct store_rules *rules, struct store_history *history,
    uint32_t budget, schedd_time now);

#endif
