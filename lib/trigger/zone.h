/* SPDX-License-Identifier: MIT */
/*
 * Time zones: TZif files (RFC 9636) read by ourselves, never through TZ or
 * libc, so that any number of zones and threads can be used side by side.
 *
 * A struct zone is a handle that lives as long as its cache. What it knows is
 * an immutable table behind an atomic pointer: zone_cache_refresh() puts a new
 * table in place when the file changed, and readers never lock.
 */
#ifndef SCHEDD_TRIGGER_ZONE_H
#define SCHEDD_TRIGGER_ZONE_H

#include <stdbool.h>
#include <stdint.h>
#include <schedd/clock.h>
#include <schedd/error.h>

struct zone;
struct zone_cache;

/* An unbroken stretch of time with one offset. */
struct zone_span {
	int64_t begin;        /* first second, INT64_MIN: since ever */
	int64_t end;          /* first second after it, INT64_MAX: for ever */
	int32_t offset;       /* seconds east of UTC */
	bool dst;             /* the file calls it daylight saving */
	char abbreviation[8]; /* "CET"; cut if longer */
};

/* What a wall-clock reading means. */
enum zone_wall_kind {
	ZONE_UNIQUE, /* one instant */
	ZONE_GAP,    /* none: the clock jumped over it */
	ZONE_FOLD,   /* two: the clock was put back */
};

struct zone_wall {
	enum zone_wall_kind kind;
	int64_t first;  /* the instant; in a fold the earlier one; in a gap: at the offset that held
			   before  the gap, i.e. moved forward by its length (RFC 5545 3.3.5) */
	int64_t second; /* in a fold the later one; in a gap: at the offset that holds after it;
			   otherwise as first */
	int64_t change; /* for GAP and FOLD: the instant of the change; otherwise as first */
};

/* directory NULL: TZDIR, else /usr/share/zoneinfo. NULL: no memory. */
struct zone_cache *zone_cache_new(const char *directory);
/* Frees all its zones too. */
void zone_cache_free(struct zone_cache *cache);
/*
 * The zone of an IANA name ("Europe/Berlin", "UTC"), any case; its zone_name()
 * is spelled as in the database. A POSIX TZ string that names its rules
 * ("CET-1CEST,M3.5.0,M10.5.0/3") or a quoted abbreviation ("<+0330>-3:30") is a
 * zone too; "UTC+2" is not, as it would mean the opposite of what it says.
 * Names that could leave the directory are refused. SCHEDD_EINVAL says "unknown
 * time zone 'Europe/Berln', did you mean 'Europe/Berlin'?". Thread-safe.
 */
int zone_cache_get(struct zone_cache *cache, const char *name, const struct zone **out,
    struct schedd_error *err) __attribute__((warn_unused_result));
/*
 * The zone of any POSIX TZ string, for the TZ variable. Its name is the
 * canonical string, which zone_cache_get() takes. Thread-safe. SCHEDD_EINVAL.
 */
int zone_cache_get_posix(struct zone_cache *cache, const char *text, const struct zone **out,
    struct schedd_error *err) __attribute__((warn_unused_result));
/*
 * A zone read from a file outside of the database, under a name of its own by
 * which zone_cache_get() finds it from then on. Thread-safe. SCHEDD_EINVAL.
 */
int zone_cache_get_file(struct zone_cache *cache, const char *name, const char *path,
    const struct zone **out, struct schedd_error *err) __attribute__((warn_unused_result));
/* UTC, which is always there, also without any database. */
const struct zone *zone_utc(void);
/*
 * Reads again every file that changed. Returns how many zones now give other
 * answers than before (the caller recomputes its next run times).
 */
int zone_cache_refresh(struct zone_cache *cache);
/* The directory it reads, for a watch. */
const char *zone_cache_directory(const struct zone_cache *cache);

/* Lives as long as the zone. */
const char *zone_name(const struct zone *zone);
/* Do both give the same answers, whatever their names? */
bool zone_equal(const struct zone *a, const struct zone *b);
/* The stretch that holds the given second. */
void zone_span_at(const struct zone *zone, int64_t second, struct zone_span *out);
/* The offset at that second, seconds east. */
int32_t zone_offset(const struct zone *zone, int64_t second);
/*
 * What the wall reading (seconds as if UTC, see civil_seconds) means in the
 * zone. Where changes follow each other so closely that
 * three instants show one reading, second is the last of them.
 */
void zone_wall(const struct zone *zone, int64_t wall, struct zone_wall *out);

#endif
