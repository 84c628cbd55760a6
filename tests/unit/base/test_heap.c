/* SPDX-License-Identifier: MIT */
#include "base/heap.h"

#include <criterion/criterion.h>
#include <stdlib.h>

Test(heap, keeps_its_invariants_under_random_changes)
{
	enum { NODES = 200, STEPS = 20000 };
	struct heap_node nodes[NODES];
	struct heap heap;
	unsigned seed = 42;

	heap_init(&heap);
	for (int i = 0; i < NODES; i++)
		heap_node_init(&nodes[i]);
	for (int step = 0; step < STEPS; step++) {
		struct heap_node *node = &nodes[rand_r(&seed) % NODES];

		if (rand_r(&seed) % 3 == 0)
			heap_remove(&heap, node);
		else
			cr_assert_eq(heap_set(&heap, node, rand_r(&seed) % 1000), 0);
		cr_assert(heap_check(&heap), "broken at step %d", step);
	}
	heap_clear(&heap);
	for (int i = 0; i < NODES; i++)
		cr_assert_not(heap_queued(&nodes[i]));
}

Test(heap, pops_in_order)
{
	struct heap_node nodes[100];
	struct heap heap;
	int64_t key, last = INT64_MIN;
	unsigned seed = 7;

	heap_init(&heap);
	for (int i = 0; i < 100; i++) {
		heap_node_init(&nodes[i]);
		cr_assert_eq(heap_set(&heap, &nodes[i], rand_r(&seed) % 50 - 25), 0);
	}
	while (heap_pop(&heap, &key)) {
		cr_assert_geq(key, last);
		last = key;
	}
	cr_assert_null(heap_peek(&heap, NULL));
	heap_clear(&heap);
}

/* Keys that rise, as jobs of some intervals give them, between those that do not. */
Test(heap, keeps_its_invariants_where_keys_rise)
{
	enum { NODES = 400, STEPS = 20000 };
	static struct heap_node nodes[NODES];
	static int64_t keys[NODES];
	struct heap heap;
	int64_t now = 0, key;
	unsigned seed = 3;

	heap_init(&heap);
	for (int i = 0; i < NODES; i++)
		heap_node_init(&nodes[i]);
	for (int step = 0; step < STEPS; step++) {
		int i = rand_r(&seed) % NODES;
		struct heap_node *first = heap_peek(&heap, &key);

		if (first && rand_r(&seed) % 2) {
			cr_assert_eq(keys[first - nodes], key);
			cr_assert_eq(heap_pop(&heap, NULL), first);
			now = key > now ? key : now;
			i = (int)(first - nodes);
		}
		if (rand_r(&seed) % 8 == 0) {
			heap_remove(&heap, &nodes[i]);
		} else {
			/* One in some lies far ahead, and one before all others. */
			keys[i] = now + (i % 5 + 1) * 10;
			if (rand_r(&seed) % 16 == 0)
				keys[i] = rand_r(&seed) % 2 ? now - 50 : now + 1000000 - step;
			cr_assert_eq(heap_set(&heap, &nodes[i], keys[i]), 0);
			cr_assert_eq(heap_key(&heap, &nodes[i]), keys[i]);
		}
		cr_assert(heap_check(&heap), "broken at step %d", step);
	}
	for (int64_t last = INT64_MIN; heap_pop(&heap, &key); last = key)
		cr_assert_geq(key, last);
	cr_assert_eq(heap.count, 0);
	heap_clear(&heap);
}

/* A few that are far ahead take no lane from the many that come one after the other. */
Test(heap, gives_up_lanes_of_few)
{
	enum { FAR = HEAP_LANES, MANY = 2000 };
	static struct heap_node nodes[FAR + MANY];
	struct heap heap;
	int64_t key;

	heap_init(&heap);
	for (int i = 0; i < FAR + MANY; i++) {
		heap_node_init(&nodes[i]);
		cr_assert_eq(heap_set(&heap, &nodes[i], i < FAR ? 1000000 - i : i), 0);
	}
	cr_assert(heap_check(&heap));
	cr_assert_lt(heap.size, MANY / 4, "%u are in the heap", heap.size);
	for (int i = FAR; i < FAR + MANY; i++) {
		cr_assert_eq(heap_pop(&heap, &key), &nodes[i]);
		cr_assert_eq(key, i);
	}
	cr_assert_eq(heap.count, FAR);
	heap_clear(&heap);
	cr_assert_not(heap_queued(&nodes[0]));
}
