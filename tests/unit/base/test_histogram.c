/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include "base/histogram.h"

Test(histogram, counts_up_to_each_bound)
{
	struct histogram histogram = {0};
	struct arena arena;
	struct value map;
	const struct value *buckets;

	histogram_add(&histogram, -5);
	histogram_add(&histogram, 1000);
	histogram_add(&histogram, 1001);
	histogram_add(&histogram, 40 * SCHEDD_DAY);
	arena_init(&arena);
	map = histogram_value(&histogram, &arena);
	buckets = value_get(&map, "buckets");
	cr_assert_eq(value_get_int(&map, "count", 0), 4);
	cr_assert_eq(buckets->array.count, HISTOGRAM_BUCKETS);
	cr_assert_eq(buckets->array.items[0].array.items[1].integer, 2);
	cr_assert_eq(buckets->array.items[1].array.items[1].integer, 3);
	cr_assert_eq(buckets->array.items[HISTOGRAM_BUCKETS - 1].array.items[1].integer, 3);
	for (int i = 1; i < HISTOGRAM_BUCKETS; i++)
		cr_assert_gt(histogram_bound(i), histogram_bound(i - 1));
	arena_clear(&arena);
}
