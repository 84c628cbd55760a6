/* SPDX-License-Identifier: MIT */
#include "base/strmap.h"

#include <criterion/criterion.h>
#include <schedd/error.h>
#include <stdio.h>
#include <stdlib.h>

struct item {
	char key[16];
	bool in;
};

static const char *item_key(const void *item)
{
	return ((const struct item *)item)->key;
}

Test(strmap, finds_exactly_what_is_in_it_under_random_changes)
{
	enum { ITEMS = 500, STEPS = 20000 };
	static struct item items[ITEMS];
	struct strmap map;
	unsigned seed = 1;

	strmap_init(&map, item_key);
	for (int i = 0; i < ITEMS; i++)
		snprintf(items[i].key, sizeof(items[i].key), "job-%d", i);
	for (int step = 0; step < STEPS; step++) {
		struct item *item = &items[rand_r(&seed) % ITEMS];

		cr_assert_eq(strmap_get(&map, item->key), item->in ? item : NULL);
		if (item->in)
			cr_assert_eq(strmap_remove(&map, item->key), item);
		else
			cr_assert_eq(strmap_put(&map, item), 0);
		item->in = !item->in;
		if (step % 500 == 0)
			cr_assert(strmap_check(&map));
	}
	strmap_clear(&map);
}

Test(strmap, refuses_a_second_item_of_the_same_key)
{
	struct item a = {"same", false}, b = {"same", false};
	struct strmap map;

	strmap_init(&map, item_key);
	cr_assert_eq(strmap_put(&map, &a), 0);
	cr_assert_eq(strmap_put(&map, &b), SCHEDD_ECONFLICT);
	cr_assert_eq(strmap_get(&map, "same"), &a);
	strmap_clear(&map);
}
