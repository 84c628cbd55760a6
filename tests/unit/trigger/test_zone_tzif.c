/* SPDX-License-Identifier: MIT */
#include "trigger/zone_tzif.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX 8192

/* A TZif file in the making: one block of 64-bit data, or of 32-bit data in version 1. */
struct maker {
	uint8_t bytes[FILE_MAX]; /* of the file */
	size_t length;           /* bytes used */
};

/* What a file says. Two types, LMT +0:53:28 and CET +1, and changes between them. */
struct recipe {
	char version;        /* 0, '2', '3' or '4' */
	uint32_t leaps;      /* leap seconds claimed; what goes beyond hundreds is there */
	uint32_t indicators; /* both kinds */
	uint32_t types;      /* claimed */
	uint32_t changes;    /* 0..3 */
	int64_t times[3];    /* of the changes */
	uint8_t kinds[3];    /* of the changes */
	int32_t offset;      /* of the second type */
	uint8_t dst;         /* of the second type */
	uint8_t name;        /* index of the second type's abbreviation */
	const char *footer;  /* with its newlines */
	const char *names;   /* abbreviations, of 8 bytes */
};

static const struct recipe plain = {
    .version = '2',
    .types = 2,
    .changes = 2,
    .times = {-2422054408, 1000000000},
    .kinds = {1, 0},
    .offset = 3600,
    .name = 4,
    .footer = "\nCET-1CEST,M3.5.0,M10.5.0/3\n",
    .names = "LMT\0CET\0",
};

static void put(struct maker *maker, const void *bytes, size_t length)
{
	memcpy(maker->bytes + maker->length, bytes, length);
	maker->length += length;
}

static void put_number(struct maker *maker, int64_t number, size_t width)
{
	for (size_t i = width; i-- > 0;) {
		uint8_t byte = (uint8_t)((uint64_t)number >> (8 * i));

		put(maker, &byte, 1);
	}
}

static void put_header(struct maker *maker, const struct recipe *recipe, bool empty)
{
	put(maker, "TZif", 4);
	put(maker, &recipe->version, 1);
	maker->length += 15;
	put_number(maker, empty ? 0 : recipe->indicators, 4);
	put_number(maker, empty ? 0 : recipe->indicators, 4);
	put_number(maker, empty ? 0 : recipe->leaps, 4);
	put_number(maker, empty ? 0 : recipe->changes, 4);
	put_number(maker, empty ? 1 : recipe->types, 4);
	put_number(maker, empty ? 1 : 8, 4);
}

static void make(struct maker *maker, const struct recipe *recipe)
{
	size_t width = recipe->version ? 8 : 4;

	memset(maker, 0, sizeof(*maker));
	if (recipe->version) {
		put_header(maker, recipe, true);
		maker->length += 7;
	}
	put_header(maker, recipe, false);
	for (uint32_t i = 0; i < recipe->changes; i++)
		put_number(maker, recipe->times[i], width);
	put(maker, recipe->kinds, recipe->changes);
	put_number(maker, 3208, 4);
	put_number(maker, 0, 2);
	put_number(maker, recipe->offset, 4);
	put(maker, &recipe->dst, 1);
	put(maker, &recipe->name, 1);
	put(maker, recipe->names, 8);
	maker->length += (recipe->leaps % 100) * (width + 4) + 2 * recipe->indicators;
	if (recipe->version)
		put(maker, recipe->footer, strlen(recipe->footer));
}

/* Parses from memory of exactly the right size, so that reading on is noticed. */
static int parse(
    const uint8_t *bytes, size_t length, struct zone_table **out, struct schedd_error *err)
{
	uint8_t *exact = malloc(length ? length : 1);
	int status;

	cr_assert(exact);
	memcpy(exact, bytes, length);
	status = zone_tzif_parse(exact, length, out, err);
	free(exact);
	return status;
}

static struct zone_table *table_of(const struct recipe *recipe)
{
	struct schedd_error err = {.message = ""};
	struct zone_table *table = NULL;
	struct maker maker;

	make(&maker, recipe);
	cr_assert_eq(parse(maker.bytes, maker.length, &table, &err), 0, "%s", err.message);
	return table;
}

static void expect_span(
    const struct zone_table *table, int64_t second, int32_t offset, const char *abbreviation)
{
	struct zone_span span;

	zone_table_span(table, second, &span);
	cr_expect(span.begin <= second && second < span.end);
	cr_expect_eq(span.offset, offset, "at %lld: %d", (long long)second, span.offset);
	cr_expect_str_eq(span.abbreviation, abbreviation);
}

Test(zone_tzif, reads_all_versions)
{
	static const char versions[] = {'2', '3', '4', '5'};

	for (size_t i = 0; i < sizeof(versions); i++) {
		struct recipe recipe = plain;
		struct zone_table *table;

		recipe.version = versions[i];
		table = table_of(&recipe);
		expect_span(table, -2422054409, 3208, "LMT");
		expect_span(table, -2422054408, 3600, "CET");
		expect_span(table, 999999999, 3600, "CET");
		/* From the last change on the rule holds, whatever type that names. */
		expect_span(table, 1000000000, 7200, "CEST");
		expect_span(table, 4102444800, 3600, "CET");
		free(table);
	}
}

Test(zone_tzif, keeps_the_last_type_where_there_is_no_rule)
{
	struct recipe old = plain, unruled = plain;
	struct zone_table *table;

	old.version = 0;
	old.times[0] = -2000000000;
	table = table_of(&old);
	expect_span(table, -2000000001, 3208, "LMT");
	expect_span(table, 999999999, 3600, "CET");
	expect_span(table, 4102444800, 3208, "LMT");
	free(table);
	unruled.footer = "\n\n";
	table = table_of(&unruled);
	expect_span(table, 4102444800, 3208, "LMT");
	free(table);
}

Test(zone_tzif, has_a_rule_for_everlasting_daylight_saving)
{
	struct recipe recipe = plain;
	struct zone_table *table;
	struct zone_span span;

	recipe.footer = "\nXXX3EDT4,0/0,J365/23\n";
	table = table_of(&recipe);
	zone_table_span(table, 4102444800, &span);
	cr_expect_eq(span.offset, -14400);
	cr_expect_str_eq(span.abbreviation, "EDT");
	cr_expect(span.dst);
	cr_expect_eq(span.end, INT64_MAX);
	free(table);
}

Test(zone_tzif, cuts_long_abbreviations)
{
	struct recipe recipe = plain;
	struct zone_table *table;

	recipe.names = "ABCDEFG";
	recipe.name = 0;
	recipe.footer = "\n<ABCDEFGHIJ>-1\n";
	table = table_of(&recipe);
	expect_span(table, 0, 3600, "ABCDEFG");
	expect_span(table, 2000000000, 3600, "ABCDEFG");
	free(table);
}

static void expect_refused(const struct recipe *recipe, const char *says)
{
	struct schedd_error err = {.message = ""};
	struct zone_table *table = NULL;
	struct maker maker;

	make(&maker, recipe);
	cr_expect_eq(parse(maker.bytes, maker.length, &table, &err), SCHEDD_EINVAL, "%s", says);
	cr_expect(strstr(err.message, says), "%s", err.message);
}

#define REFUSED(says, ...)                                                                         \
	do {                                                                                       \
		struct recipe recipe = plain;                                                      \
		__VA_ARGS__;                                                                       \
		expect_refused(&recipe, says);                                                     \
	} while (0)

Test(zone_tzif, refuses_files_that_make_no_sense)
{
	REFUSED("leap seconds", recipe.leaps = 27);
	REFUSED("local time types", recipe.types = 0);
	REFUSED("cut short", recipe.types = 0xffffffff);
	REFUSED("cut short", recipe.leaps = 4000000000);
	REFUSED("indicators", recipe.indicators = 1);
	REFUSED("not after the one before", recipe.times[1] = recipe.times[0]);
	REFUSED("names local time type 2 of 2", recipe.kinds[1] = 2);
	REFUSED("out of range", recipe.offset = 93600);
	REFUSED("out of range", recipe.offset = INT32_MIN);
	REFUSED("damaged", recipe.dst = 2);
	REFUSED("damaged", recipe.name = 8);
	REFUSED("has no end", recipe.names = "LMT\0CETx");
	REFUSED("last line", recipe.footer = "");
	REFUSED("last line", recipe.footer = "\nCET-1");
	REFUSED("offset of at most", recipe.footer = "\nCET\n");
	REFUSED("day of change", recipe.footer = "\nCET-1CEST,M13.1.0,M10.5.0\n");
	REFUSED("nothing may follow", recipe.footer = "\nCET-1CEST,M3.5.0,M10.5.0/3,\n");
}

static size_t read_zone(const char *name, uint8_t *bytes)
{
	char path[256];
	size_t length;
	FILE *file;

	snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", name);
	file = fopen(path, "rb");
	cr_assert(file, "%s", path);
	length = fread(bytes, 1, FILE_MAX, file);
	fclose(file);
	return length;
}

Test(zone_tzif, refuses_every_beginning_of_a_file)
{
	static uint8_t bytes[FILE_MAX];
	size_t length = read_zone("Europe/Berlin", bytes);
	struct zone_table *table;
	struct schedd_error err;

	for (size_t i = 0; i < length; i++)
		cr_assert_eq(parse(bytes, i, &table, &err), SCHEDD_EINVAL, "%zu", i);
	cr_assert_eq(parse(bytes, length, &table, &err), 0);
	free(table);
}

Test(zone_tzif, survives_every_single_changed_byte)
{
	static uint8_t bytes[FILE_MAX];
	size_t length = read_zone("America/Nuuk", bytes);

	for (size_t i = 0; i < length; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			struct schedd_error err = {.message = ""};
			struct zone_table *table = NULL;
			struct zone_wall wall;

			bytes[i] ^= (uint8_t)(1u << bit);
			if (parse(bytes, length, &table, &err) == 0) {
				zone_table_wall(table, INT64_C(1784103630), &wall);
				zone_table_wall(table, INT64_C(4102444800), &wall);
			} else {
				cr_assert_neq(err.message[0], '\0');
			}
			free(table);
			bytes[i] ^= (uint8_t)(1u << bit);
		}
	}
}
