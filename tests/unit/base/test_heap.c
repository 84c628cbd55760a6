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
