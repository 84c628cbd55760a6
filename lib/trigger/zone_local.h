/* SPDX-License-Identifier: MIT */
/* Which zone is this machine's own? */
#ifndef SCHEDD_TRIGGER_ZONE_LOCAL_H
#define SCHEDD_TRIGGER_ZONE_LOCAL_H

#include "trigger/zone.h"

/* How the zone was found, and whether something contradicted it. */
struct zone_local {
	const struct zone *zone;
	char origin[32];    /* "config", "TZ", "/etc/localtime", "/etc/timezone", "default" */
	char conflict[128]; /* "/etc/timezone says Etc/UTC", or "" */
};

/*
 * Looks at, in this order: configured (may be NULL), the TZ variable's value
 * tz (may be NULL), root/etc/localtime, root/etc/timezone; root is "" outside
 * of tests. Where nothing is found it is UTC. SCHEDD_EINVAL only for a
 * configured or TZ zone that does not exist.
 */
int zone_local_find(struct zone_cache *cache, const char *configured, const char *tz,
    const char *root, struct zone_local *out, struct schedd_error *err)
    __attribute__((warn_unused_result));

#endif
