/* SPDX-License-Identifier: MIT */
/*
 * Triggers as they are typed: the trigger flags of schedctl, turned into a
 * value that any daemon reads.
 */
#ifndef SCHEDD_TRIGGER_TRIGGER_FLAGS_H
#define SCHEDD_TRIGGER_TRIGGER_FLAGS_H

#include "trigger/trigger.h"

/* One flag as it was typed. */
struct trigger_flag {
	const char *name;  /* without dashes: "every" */
	const char *value; /* NULL for flags that take none */
};

/* Is it one of the flags below? */
bool trigger_flags_known(const char *name);
/*
 * Makes a value of at, in, every, calendar, cron, fields, quartz, on-calendar,
 * on-start, on-boot and manual (each any number of times; several are joined
 * by "any", with all-of by "all"), tz, start, end, jitter, splay, now and
 * allow-past. *out is nil where no flag was given at all.
 *
 * Times are read strictly in the zone of tz, else context->zone, and become
 * instants; only "now" stays as it is, for the daemon to say when that is. The
 * value names a zone only where tz was given. It has been read once on trial,
 * so that what is wrong with it is said here. SCHEDD_EINVAL, SCHEDD_ENOMEM.
 */
int trigger_flags_value(const struct trigger_flag *flags, size_t count,
    const struct trigger_context *context, struct arena *arena, struct value *out,
    struct schedd_error *err) __attribute__((warn_unused_result));

#endif
