/* SPDX-License-Identifier: MIT */
#include "executor/worker_circuit.h"

#include <criterion/criterion.h>

static const struct schedd_mono start = {5 * SCHEDD_SECOND};

Test(worker_circuit, opens_with_the_fifth_failure_in_a_row)
{
	struct worker_circuit circuit = {0};

	for (int i = 0; i < WORKER_CIRCUIT_FAILURES - 1; i++)
		cr_assert_not(worker_circuit_fail(&circuit, start, "why", false));
	cr_assert_not(worker_circuit_open(&circuit));
	cr_assert(worker_circuit_fail(&circuit, start, "the last one", false));
	cr_assert(worker_circuit_open(&circuit));
	cr_assert_str_eq(circuit.reason, "the last one");
	cr_assert_not(worker_circuit_fail(&circuit, start, "once is enough", false));
	cr_assert(worker_circuit_work(&circuit));
	cr_assert_not(worker_circuit_open(&circuit));
	cr_assert_not(worker_circuit_work(&circuit));
	cr_assert_str_eq(circuit.reason, "");
}

Test(worker_circuit, opens_at_once_where_it_is_told_to)
{
	struct worker_circuit circuit = {0};

	cr_assert(worker_circuit_fail(&circuit, start, "late", true));
	cr_assert(worker_circuit_open(&circuit));
}

Test(worker_circuit, waits_longer_from_try_to_try_up_to_half_a_minute)
{
	struct worker_circuit circuit = {0};
	int64_t last = 0;

	cr_assert(worker_circuit_allows(&circuit, start, 7));
	for (int i = 0; i < 20; i++) {
		(void)worker_circuit_fail(&circuit, start, "why", false);
		cr_assert_geq(circuit.retry.us, last);
		last = circuit.retry.us;
		cr_assert_not(worker_circuit_allows(&circuit, start, 0));
		cr_assert(worker_circuit_allows(&circuit, circuit.retry, 0));
		cr_assert_not(worker_circuit_allows(&circuit, circuit.retry, 1),
		    "one is tried, not several");
	}
	cr_assert_eq(last, start.us + 30 * SCHEDD_SECOND);
}
