/* SPDX-License-Identifier: MIT */
#include "base/heap.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include "support/alloc_fault.h"

/* What is queued has its place whatever its key becomes. */
Test(heap, moves_what_is_queued_without_memory)
{
	enum { NODES = 64 };
	static struct heap_node nodes[NODES];
	struct heap heap;
	unsigned seed = 11;
	int64_t key, last = INT64_MIN;

	heap_init(&heap);
	for (int i = 0; i < NODES; i++) {
		heap_node_init(&nodes[i]);
		cr_assert_eq(heap_set(&heap, &nodes[i], i), 0);
	}
	for (int step = 0; step < 2000; step++) {
		alloc_fault_arm(1);
		cr_assert_eq(heap_set(&heap, &nodes[rand_r(&seed) % NODES], rand_r(&seed) % 100), 0);
		alloc_fault_disarm();
		cr_assert(heap_check(&heap), "broken at step %d", step);
	}
	for (; heap_pop(&heap, &key); last = key)
		cr_assert_geq(key, last);
	heap_clear(&heap);
}
