/* SPDX-License-Identifier: MIT */
/* Jobs are walked in the order of their ids, however they came. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include "core/jobs/entry.h"
#include "support/core_fixture.h"

static void put(struct core_fixture *fixture, const char *id)
{
	char json[192];

	snprintf(json, sizeof(json),
	    "{'id':'%s','command':['/bin/x'],'trigger':{'type':'interval','seconds':60}}", id);
	cr_assert_eq(core_add(fixture, json), 0, "%s: %s", json, fixture->err.message);
}

/* The ids of a walk, one letter each. */
static void walk_is(struct core_fixture *fixture, const char *ids)
{
	char seen[64] = "";
	size_t count = 0;

	for (const struct entry *entry = entry_first(fixture->scheduler, NULL); entry;
	     entry = entry_next(fixture->scheduler, entry))
		seen[count++] = entry->job->id[0];
	cr_expect_str_eq(seen, ids);
	cr_expect(entry_check(fixture->scheduler));
}

static void put_each(struct core_fixture *fixture, const char *ids)
{
	for (; *ids; ids++)
		put(fixture, (const char[]){*ids, '\0'});
}

static void drop_each(struct core_fixture *fixture, const char *ids)
{
	for (; *ids; ids++)
		cr_assert_eq(core_remove(fixture, (const char[]){*ids, '\0'}), 0);
}

Test(entry_order, is_that_of_ids_however_they_came)
{
	static const struct {
		const char *first, *removed, *then, *removed_then, *walk;
	} rows[] = {
	    {"abc", "", "", "", "abc"},
	    {"abc", "", "def", "", "abcdef"},
	    {"cba", "", "", "", "abc"},
	    {"bdf", "", "ace", "", "abcdef"},
	    {"def", "", "abc", "", "abcdef"},
	    {"abc", "", "fed", "", "abcdef"},
	    {"abcd", "bd", "efg", "", "acefg"},
	    {"abcd", "bd", "dbx", "x", "abcd"},
	    {"abc", "", "dxe", "x", "abcde"},
	    {"abc", "", "dex", "x", "abcde"},
	    {"abc", "abc", "cde", "", "cde"},
	    {"", "", "", "", ""},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		/* With a walk between, and without. */
		for (int between = 0; between < 2; between++) {
			struct core_fixture fixture = {0};

			core_open(&fixture, NULL);
			put_each(&fixture, rows[i].first);
			if (between)
				walk_is(&fixture, rows[i].first[0] == 'c' ? "abc" : rows[i].first);
			drop_each(&fixture, rows[i].removed);
			put_each(&fixture, rows[i].then);
			drop_each(&fixture, rows[i].removed_then);
			walk_is(&fixture, rows[i].walk);
			put(&fixture, "z");
			drop_each(&fixture, "z");
			put(&fixture, "y");
			cr_expect(entry_check(fixture.scheduler));
			core_close(&fixture);
		}
	}
}
