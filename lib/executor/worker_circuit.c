/* SPDX-License-Identifier: MIT */
#include "executor/worker_circuit.h"

#include <stdio.h>

#define CIRCUIT_PAUSE (SCHEDD_SECOND / 10) /* times failures, while it is closed */
#define CIRCUIT_FIRST SCHEDD_SECOND
#define CIRCUIT_LONGEST (30 * SCHEDD_SECOND)

bool worker_circuit_open(const struct worker_circuit *circuit)
{
	return circuit->failures >= WORKER_CIRCUIT_FAILURES;
}

bool worker_circuit_fail(
    struct worker_circuit *circuit, struct schedd_mono now, const char *reason, bool at_once)
{
	bool was_open = worker_circuit_open(circuit);
	schedd_span pause = CIRCUIT_FIRST;

	circuit->failures++;
	if (at_once && circuit->failures < WORKER_CIRCUIT_FAILURES)
		circuit->failures = WORKER_CIRCUIT_FAILURES;
	snprintf(circuit->reason, sizeof(circuit->reason), "%s", reason);
	if (!worker_circuit_open(circuit))
		pause = CIRCUIT_PAUSE * circuit->failures;
	for (uint32_t i = WORKER_CIRCUIT_FAILURES; i < circuit->failures && pause < CIRCUIT_LONGEST;
	     i++)
		pause *= 2;
	if (pause > CIRCUIT_LONGEST)
		pause = CIRCUIT_LONGEST;
	circuit->retry.us = now.us + pause;
	return !was_open && worker_circuit_open(circuit);
}

bool worker_circuit_work(struct worker_circuit *circuit)
{
	bool was_open = worker_circuit_open(circuit);

	*circuit = (struct worker_circuit){0};
	return was_open;
}

bool worker_circuit_allows(
    const struct worker_circuit *circuit, struct schedd_mono now, uint32_t starting)
{
	if (now.us < circuit->retry.us)
		return false;
	return !circuit->failures || starting == 0;
}
