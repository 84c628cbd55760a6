/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include "model/job.h"
#include "model/node.h"
#include "model/run.h"

Test(node, names_are_words_and_not_any_or_all)
{
	static const char *const good[] = {"web1", "a", "node-1.example.org", "_x", "9"};
	static const char *const bad[] = {"", "-a", ".a", "a b", "a,b", "a=b", "!a", "any", "all", "a/b", "é",
	    "a@b"};
	char longest[NODE_NAME_MAX + 2];
	struct schedd_error err;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		cr_expect_eq(node_name_check(good[i], &err), 0, "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_eq(node_name_check(bad[i], &err), SCHEDD_EINVAL, "%s", bad[i]);
	memset(longest, 'a', sizeof(longest));
	longest[NODE_NAME_MAX + 1] = '\0';
	cr_expect_eq(node_name_check(longest, &err), SCHEDD_EINVAL);
	longest[NODE_NAME_MAX] = '\0';
	cr_expect_eq(node_name_check(longest, &err), 0);
}

static const char *labels_of(struct arena *arena, const char *k1, struct value v1, const char *k2, struct value v2)
{
	struct value map = value_map();
	struct schedd_error err;
	const char *text = NULL;

	value_put(arena, &map, k1, v1);
	value_put(arena, &map, k2, v2);
	return node_labels_read(&map, arena, &text, &err) ? NULL : text;
}

Test(node, labels_become_text_and_back)
{
	struct value back, list = value_array();
	struct schedd_error err;
	struct arena arena;
	const char *text;

	arena_init(&arena);
	text = labels_of(&arena, "zone", value_string_ref("a"), "gpu", value_string_ref("yes"));
	cr_assert_str_eq(text, "gpu=yes,zone=a");
	back = node_labels_value(text, &arena);
	cr_expect_eq(back.map.count, 2);
	cr_expect_str_eq(value_get_string(&back, "zone"), "a");
	cr_expect_str_eq(labels_of(&arena, "b", value_string_ref(""), "a", value_string_ref("")), "a=,b=");
	cr_expect_null(labels_of(&arena, "b", value_string_ref("x,y"), "a", value_string_ref("")));
	cr_expect_null(labels_of(&arena, "b=", value_string_ref("x"), "a", value_string_ref("")));
	cr_expect_null(labels_of(&arena, "b", value_map(), "a", value_string_ref("")));
	cr_expect_eq(node_labels_read(&list, &arena, &text, &err), SCHEDD_EINVAL);
	arena_clear(&arena);
}

Test(node, terms_match_by_name_or_by_labels)
{
	static const struct {
		const char *term, *name, *labels;
		bool matches;
	} rows[] = {
	    {"web1", "web1", "", true},
	    {"web1", "web2", "", false},
	    {"web1", "web2", "web1=", true},
	    {"zone=a", "web1", "gpu=yes,zone=a", true},
	    {"zone=a", "web1", "gpu=yes,zone=ab", false},
	    {"zone=ab", "web1", "gpu=yes,zone=a", false},
	    {"zone=a,!spot", "web1", "zone=a", true},
	    {"zone=a,!spot", "web1", "spot=,zone=a", false},
	    {"zone=a,gpu", "web1", "gpu=yes,zone=a", true},
	    {"zone=a,gpu", "web1", "zone=a", false},
	    {"!zone=a", "web1", "zone=b", true},
	    {"!zone=a", "web1", "", true},
	    {"!zone=a", "web1", "zone=a", false},
	    {"zon", "web1", "zone=a", false},
	    {"!web1", "web1", "zone=a", false},
	    {"!web1", "web2", "zone=a", true},
	    {"zone=a,web1", "web1", "zone=a", true},
	    {"web1,web2", "web1", "", false},
	    {"web", "web1", "", false},
	    {"zone=", "web1", "zone=", true},
	};
	static const char *const bad[] = {"", ",", "a,", "!", "=a", "a=b=c", "a b", "a,,b", "!!a", "zone=a,!"};
	struct schedd_error err;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(node_term_check(rows[i].term, &err), 0, "%s", rows[i].term);
		cr_expect_eq(node_term_matches(rows[i].term, rows[i].name, rows[i].labels), rows[i].matches,
		    "%s of %s (%s)", rows[i].term, rows[i].name, rows[i].labels);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_eq(node_term_check(bad[i], &err), SCHEDD_EINVAL, "%s", bad[i]);
}

Test(node, jobs_of_a_group_share_a_slot)
{
	/* Kept in stores: it must never change. */
	cr_expect_eq(node_slot(NULL, "backup"), node_slot("backup", "other"));
	cr_expect_eq(node_slot("g", "a"), node_slot("g", "b"));
	cr_expect_eq(node_slot(NULL, "a"), 91);
}

Test(node, a_place_holds_where_one_of_its_terms_does)
{
	static const struct {
		const char *place, *name, *labels;
		bool matches;
	} rows[] = {
	    {NULL, "web1", "", true},
	    {"all", "web1", "", true},
	    {"web1", "web1", "", true},
	    {"web1", "web2", "", false},
	    {"web1|web2", "web2", "", true},
	    {"web1|web2", "web3", "", false},
	    {"web1|zone=a,!spot", "x", "zone=a", true},
	    {"web1|zone=a,!spot", "x", "spot=,zone=a", false},
	    {"zone=a,!spot|web1", "web1", "spot=,zone=a", true},
	    {"@web1", "web1", "", true},
	    {"@web1", "web2", "web1=", false},
	    {"a|b", "x", "a=,b=", true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_eq(node_place_matches(rows[i].place, rows[i].name, rows[i].labels), rows[i].matches,
		    "%s of %s (%s)", rows[i].place, rows[i].name, rows[i].labels);
}

/* The slot of a job of that place, group and id. */
static uint32_t job_slot(const char *place, const char *group, const char *id)
{
	struct schedd_job *job = job_new();
	struct job_details *details = job_details_edit(job);
	uint32_t slot;

	job->id = strdup(id);
	details->nodes = place ? strdup(place) : NULL;
	details->group = group ? strdup(group) : NULL;
	slot = node_job_slot(job);
	job_unref(job);
	return slot;
}

Test(node, a_part_of_a_job_bears_its_node)
{
	static const struct {
		const char *id, *whole, *node;
	} rows[] = {
	    {"backup@web1", "backup", "web1"},
	    {"backup", "backup", NULL},
	    {"al:backup@web1", "al:backup", "web1"},
	    {"al@x:backup", "al@x:backup", NULL},
	    {"al@x:backup@web1", "al@x:backup", "web1"},
	};
	static const char *const bad[] = {"@web1", "backup@", "backup@a@b", "backup@a b", "al:@web1"};
	char whole[JOB_ID_MAX + 1], id[JOB_ID_MAX + 1];
	uint32_t number = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect(job_id_known(rows[i].id), "%s", rows[i].id);
		cr_expect_eq(job_id_valid(rows[i].id), rows[i].node == NULL);
		job_id_whole(rows[i].id, whole);
		cr_expect_str_eq(whole, rows[i].whole);
		if (rows[i].node)
			cr_expect_str_eq(job_id_node(rows[i].id), rows[i].node);
		else
			cr_expect_null(job_id_node(rows[i].id));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_not(job_id_known(bad[i]), "%s", bad[i]);
	cr_expect(run_parse_id("backup/42@web1", id, &number));
	cr_expect_str_eq(id, "backup@web1");
	cr_expect_eq(number, 42u);
	cr_expect(run_parse_id("backup@web1/42", id, &number));
	cr_expect_str_eq(id, "backup@web1");
	cr_expect_not(run_parse_id("backup/42@", id, &number));
	cr_expect_not(run_parse_id("backup@a/42@b", id, &number));
	cr_expect_not(run_parse_id("backup/4@a/2", id, &number));
}

Test(node, a_place_has_slots_of_its_own)
{
	bool seen[17] = {false};
	uint32_t slots[17] = {0}, count = 0;

	cr_expect_eq(job_slot(NULL, NULL, "a"), node_slot(NULL, "a"));
	cr_expect_eq(job_slot("all", "g", "a"), node_slot("g", "a"));
	cr_expect_eq(job_slot("web1", "g", "a"), job_slot("web1", "g", "b"));
	cr_expect_neq(job_slot("web1", NULL, "a"), job_slot("web2", NULL, "a"));
	/* Kept in stores: it must never change. */
	cr_expect_eq(job_slot("zone=a", NULL, "a"), 965820986u);
	for (int i = 0; i < 400; i++) {
		char id[16];
		uint32_t slot, at = 0;

		snprintf(id, sizeof(id), "job%d", i);
		slot = job_slot("zone=a|zone=b", NULL, id);
		cr_expect(slot >= NODE_SLOTS && slot <= INT32_MAX);
		while (at < count && slots[at] != slot)
			at++;
		cr_assert_lt(at, 16u, "a place has 16 slots");
		slots[at] = slot;
		seen[at] = true;
		count = at == count ? count + 1 : count;
	}
	cr_expect_eq(count, 16u);
	cr_expect(seen[15]);
}

Test(node, slots_spread_evenly_and_move_to_a_new_node_alone)
{
	char names[4][16];
	int has[4] = {0}, moved = 0, wrong = 0;

	for (int i = 0; i < 4; i++)
		snprintf(names[i], sizeof(names[i]), "web%d", i);
	for (uint32_t slot = 0; slot < NODE_SLOTS; slot++) {
		int before = 0, after = 0;

		for (int i = 1; i < 4; i++) {
			if (i < 3 && node_wants(names[i], "", slot) > node_wants(names[before], "", slot))
				before = i;
			if (node_wants(names[i], "", slot) > node_wants(names[after], "", slot))
				after = i;
		}
		has[after]++;
		moved += before != after;
		wrong += before != after && after != 3;
	}
	for (int i = 0; i < 4; i++)
		cr_expect(has[i] > 40 && has[i] < 90, "node %d has %d slots", i, has[i]);
	cr_expect_eq(wrong, 0);
	cr_expect(moved > 40 && moved < 90);
}

Test(node, gives_those_of_more_weight_more)
{
	int has[3] = {0};

	for (uint32_t slot = 0; slot < NODE_SLOTS; slot++) {
		uint64_t wants[3] = {node_wants("web1", "weight=2,zone=a", slot), node_wants("web2", "", slot),
		    node_wants("web3", "weight=1", slot)};
		int most = wants[0] > wants[1] ? 0 : 1;

		most = wants[2] > wants[most] ? 2 : most;
		has[most]++;
		cr_expect_eq(node_wants("web1", "weight=x", slot), node_wants("web1", "", slot));
		cr_expect_eq(node_wants("web1", NULL, slot), node_wants("web1", "", slot));
	}
	cr_expect(has[0] > 100 && has[0] < 156, "%d", has[0]);
	cr_expect(has[1] > 40 && has[1] < 90, "%d", has[1]);
	cr_expect(has[2] > 40 && has[2] < 90, "%d", has[2]);
}

Test(node, reads_a_weight_as_a_number)
{
	static const struct {
		struct value value;
		const char *text; /* NULL: refused */
	} rows[] = {
	    {{.type = VALUE_INT, .integer = 1}, "weight=1"},
	    {{.type = VALUE_INT, .integer = 16}, "weight=16"},
	    {{.type = VALUE_INT, .integer = 0}, NULL},
	    {{.type = VALUE_INT, .integer = 17}, NULL},
	    {{.type = VALUE_INT, .integer = -3}, NULL},
	    {{.type = VALUE_STRING, .string = {"3", 1}}, "weight=3"},
	    {{.type = VALUE_STRING, .string = {"0", 1}}, NULL},
	    {{.type = VALUE_STRING, .string = {"", 0}}, NULL},
	    {{.type = VALUE_STRING, .string = {"2x", 2}}, NULL},
	    {{.type = VALUE_STRING, .string = {"100", 3}}, NULL},
	    {{.type = VALUE_REAL, .real = 1.5}, NULL},
	    {{.type = VALUE_BOOL, .boolean = true}, NULL},
	};
	struct arena arena;

	arena_init(&arena);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct value map = value_map();
		struct schedd_error err = {0};
		const char *text;
		int rc;

		value_put(&arena, &map, "weight", rows[i].value);
		rc = node_labels_read(&map, &arena, &text, &err);
		cr_expect_eq(rc == 0, rows[i].text != NULL, "%zu", i);
		if (rc == 0 && rows[i].text)
			cr_expect_str_eq(text, rows[i].text);
		else if (rc)
			cr_expect(strstr(err.message, "from 1 to 16"), "%s", err.message);
	}
	arena_clear(&arena);
}
