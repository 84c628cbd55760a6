/* SPDX-License-Identifier: MIT */
/*
 * A TZif file is a header of six counts and a block of arrays of those lengths,
 * with 32-bit times; from version 2 on the same again with 64-bit times, then a
 * POSIX TZ string between two newlines. All sizes are checked against the bytes
 * that are there before anything is read.
 */
#include "trigger/zone_tzif.h"

#include <stdlib.h>
#include <string.h>

#include "trigger/zone_posix.h"
#include "trigger/zone_rule.h"

#define TZIF_HEADER 44
#define TZIF_TYPE 6 /* bytes of a local time type */
#define TZIF_TYPES_MAX 256
/* So far the rule's own changes are listed as well: finding one is quicker than computing it. */
#define TZIF_LISTED_UNTIL INT64_C(4102444800) /* 2100-01-01 */
#define TZIF_LISTED_MAX 200

/* A header, and where the arrays behind it begin. */
struct tzif_block {
	uint32_t isutcnt;         /* UT/local indicators, not used here */
	uint32_t isstdcnt;        /* standard/wall indicators, not used here */
	uint32_t leapcnt;         /* leap seconds */
	uint32_t timecnt;         /* changes */
	uint32_t typecnt;         /* local time types */
	uint32_t charcnt;         /* bytes of abbreviations */
	size_t width;             /* bytes of a time, 4 or 8 */
	const uint8_t *times;     /* timecnt times */
	const uint8_t *kinds;     /* timecnt indices of types */
	const uint8_t *types;     /* typecnt times offset, daylight, index of abbreviation */
	const char *abbreviation; /* charcnt bytes, each abbreviation ends with NUL */
};

static uint32_t read_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t read_time(const uint8_t *p, size_t width)
{
	if (width == 4)
		return (int32_t)read_u32(p);
	return (int64_t)((uint64_t)read_u32(p) << 32 | read_u32(p + 4));
}

bool zone_tzif_is(const void *bytes, size_t length)
{
	return length >= 4 && memcmp(bytes, "TZif", 4) == 0;
}

/* Reads the header at *at and steps over its block. */
static int tzif_block(const uint8_t **at, const uint8_t *end, size_t width, struct tzif_block *out,
    struct schedd_error *err)
{
	const uint8_t *header = *at;
	size_t left = (size_t)(end - header);
	uint64_t size;

	if (left < TZIF_HEADER || !zone_tzif_is(header, left))
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "the file is cut short or no TZif file");
	*out = (struct tzif_block){
	    .isutcnt = read_u32(header + 20),
	    .isstdcnt = read_u32(header + 24),
	    .leapcnt = read_u32(header + 28),
	    .timecnt = read_u32(header + 32),
	    .typecnt = read_u32(header + 36),
	    .charcnt = read_u32(header + 40),
	    .width = width,
	    .times = header + TZIF_HEADER,
	};
	size = (uint64_t)out->timecnt * (width + 1) + (uint64_t)out->typecnt * TZIF_TYPE +
	       out->charcnt + (uint64_t)out->leapcnt * (width + 4) + out->isstdcnt + out->isutcnt;
	if (size > left - TZIF_HEADER)
		return schedd_error_set(err, SCHEDD_EINVAL, "the file is cut short");
	out->kinds = out->times + out->timecnt * width;
	out->types = out->kinds + out->timecnt;
	out->abbreviation = (const char *)out->types + out->typecnt * TZIF_TYPE;
	*at = header + TZIF_HEADER + size;
	return 0;
}

/* The counts must make sense before an array is looked at. */
static int tzif_check(const struct tzif_block *block, struct schedd_error *err)
{
	if (block->leapcnt > 0)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "it counts leap seconds (a \"right/\" file), which POSIX time does not have");
	if (block->typecnt == 0 || block->typecnt > TZIF_TYPES_MAX || block->charcnt == 0)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "the file names %u local time types", block->typecnt);
	if ((block->isutcnt != 0 && block->isutcnt != block->typecnt) ||
	    (block->isstdcnt != 0 && block->isstdcnt != block->typecnt))
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "the file's indicators do not match its types");
	return 0;
}

static int tzif_type(
    const struct tzif_block *block, uint32_t index, struct zone_type *out, struct schedd_error *err)
{
	const uint8_t *type = block->types + (size_t)index * TZIF_TYPE;
	int32_t offset = (int32_t)read_u32(type);
	const char *name = block->abbreviation + type[5];
	size_t length;

	if (offset <= -ZONE_OFFSET_LIMIT || offset >= ZONE_OFFSET_LIMIT)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "an offset of %d seconds is out of range", offset);
	if (type[4] > 1 || type[5] >= block->charcnt)
		return schedd_error_set(err, SCHEDD_EINVAL, "local time type %u is damaged", index);
	length = strnlen(name, block->charcnt - type[5]);
	if (length == block->charcnt - type[5])
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "the abbreviation of local time type %u has no end", index);
	out->offset = offset;
	out->dst = type[4] == 1;
	if (length >= sizeof(out->abbreviation))
		length = sizeof(out->abbreviation) - 1;
	memcpy(out->abbreviation, name, length);
	return 0;
}

static bool type_same(const struct zone_type *a, const struct zone_type *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/*
 * Copies the changes but those that change nothing. The last one is always
 * kept: it may stand there to say from when on the rule holds.
 */
static int tzif_changes(const struct tzif_block *block, const struct zone_type *types,
    int64_t *times, uint8_t *kinds, uint32_t *count, struct schedd_error *err)
{
	int64_t last = INT64_MIN;

	kinds[0] = 0;
	*count = 0;
	for (uint32_t i = 0; i < block->timecnt; i++) {
		int64_t time = read_time(block->times + i * block->width, block->width);
		uint8_t kind = block->kinds[i];

		if (kind >= block->typecnt)
			return schedd_error_set(err, SCHEDD_EINVAL,
			    "change %u names local time type %u of %u", i, kind, block->typecnt);
		if (time <= last)
			return schedd_error_set(
			    err, SCHEDD_EINVAL, "change %u is not after the one before it", i);
		last = time;
		if (i + 1 < block->timecnt && type_same(&types[kind], &types[kinds[*count]]))
			continue;
		times[*count] = time;
		kinds[++*count] = kind;
	}
	return 0;
}

/* The scratch the table is put together from. */
struct tzif_scratch {
	struct zone_type types[TZIF_TYPES_MAX];
	int64_t times[ZONE_TZIF_MAX / 5 + TZIF_LISTED_MAX];
	uint8_t kinds[ZONE_TZIF_MAX / 5 + TZIF_LISTED_MAX + 1];
};

/* Lists changes by the rule behind those of the file, where types has room for its two. */
static void tzif_prolong(const struct zone_rule *rule, struct tzif_scratch *scratch,
    uint32_t *count, uint32_t *type_count)
{
	uint8_t standard = (uint8_t)*type_count, daylight = (uint8_t)(*type_count + 1);
	struct zone_span span;

	if (!rule->present || !rule->changes || *count == 0 || *type_count + 2 > TZIF_TYPES_MAX)
		return;
	memcpy(&scratch->types[standard], &rule->standard, sizeof(rule->standard));
	memcpy(&scratch->types[daylight], &rule->daylight, sizeof(rule->daylight));
	*type_count += 2;
	/* From the file's last change on the rule holds, whatever type the file gives it. */
	zone_rule_span(rule, scratch->times[*count - 1], &span);
	scratch->kinds[*count] = span.dst ? daylight : standard;
	/* It may be there only to say so, and change nothing. */
	if (span.end < TZIF_LISTED_UNTIL && type_same(&scratch->types[scratch->kinds[*count]],
						&scratch->types[scratch->kinds[*count - 1]]))
		--*count;
	for (int listed = 0; listed < TZIF_LISTED_MAX && span.end < TZIF_LISTED_UNTIL; listed++) {
		scratch->times[*count] = span.end;
		zone_rule_span(rule, span.end, &span);
		scratch->kinds[++*count] = span.dst ? daylight : standard;
	}
}

static int tzif_table(const struct tzif_block *block, const struct zone_rule *rule,
    struct tzif_scratch *scratch, struct zone_table **out, struct schedd_error *err)
{
	struct zone_table *table;
	uint32_t count, type_count;
	int status;

	for (uint32_t i = 0; i < block->typecnt; i++) {
		status = tzif_type(block, i, &scratch->types[i], err);
		if (status < 0)
			return status;
	}
	status = tzif_changes(block, scratch->types, scratch->times, scratch->kinds, &count, err);
	if (status < 0)
		return status;
	/* A rule that always holds needs no types, and equals the same rule from elsewhere. */
	type_count = count == 0 && rule->present ? 0 : block->typecnt;
	tzif_prolong(rule, scratch, &count, &type_count);
	table = zone_table_new(count, type_count);
	if (!table)
		return schedd_error_nomem(err);
	memcpy(&table->rule, rule, sizeof(*rule));
	memcpy(table->times, scratch->times, count * sizeof(*table->times));
	if (type_count > 0) {
		memcpy((void *)zone_table_types(table), scratch->types,
		    type_count * sizeof(*scratch->types));
		memcpy((void *)zone_table_kinds(table), scratch->kinds, count + 1);
	}
	*out = table;
	return 0;
}

/* "\nCET-1CEST,M3.5.0,M10.5.0/3\n"; nothing between the newlines: no rule. */
static int tzif_footer(
    const uint8_t *at, const uint8_t *end, struct zone_rule *out, struct schedd_error *err)
{
	const uint8_t *close;

	if (at == end || *at != '\n' || !(close = memchr(at + 1, '\n', (size_t)(end - at - 1))))
		return schedd_error_set(err, SCHEDD_EINVAL, "the file's last line is cut short");
	if (close == at + 1)
		return 0;
	return zone_posix_parse((const char *)at + 1, (size_t)(close - at - 1), out, err);
}

int zone_tzif_parse(
    const void *bytes, size_t length, struct zone_table **out, struct schedd_error *err)
{
	const uint8_t *at = bytes, *end = at + length;
	struct tzif_scratch *scratch;
	struct zone_rule rule;
	struct tzif_block block;
	bool wide; /* 64-bit data and a footer follow */
	int status;

	memset(&rule, 0, sizeof(rule)); /* with its padding: tables are compared as bytes */
	if (length > ZONE_TZIF_MAX)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "the file is greater than %d bytes", ZONE_TZIF_MAX);
	status = tzif_block(&at, end, 4, &block, err);
	wide = status == 0 && ((const uint8_t *)bytes)[4] != 0;
	if (wide)
		status = tzif_block(&at, end, 8, &block, err);
	if (status == 0)
		status = tzif_check(&block, err);
	if (status == 0 && wide)
		status = tzif_footer(at, end, &rule, err);
	if (status < 0)
		return status;
	scratch = calloc(1, sizeof(*scratch));
	if (!scratch)
		return schedd_error_nomem(err);
	status = tzif_table(&block, &rule, scratch, out, err);
	free(scratch);
	return status;
}
