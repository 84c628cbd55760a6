/* SPDX-License-Identifier: MIT */
/*
 * How often in a row workers of a pool have failed, and until when no other is
 * started: a moment at first, and with the fifth failure (or at once, where
 * one does not get ready) the circuit is open: a second, two, four, up to
 * half a minute; then one is tried.
 */
#ifndef SCHEDD_EXECUTOR_WORKER_CIRCUIT_H
#define SCHEDD_EXECUTOR_WORKER_CIRCUIT_H

#include <stdbool.h>
#include <stdint.h>
#include <schedd/clock.h>

#define WORKER_CIRCUIT_FAILURES 5

struct worker_circuit {
	uint32_t failures;         /* in a row */
	struct schedd_mono retry;  /* nothing is started before; us 0: at any time */
	char reason[256];          /* of the latest failure */
};

/* True: this failure opened it. at_once: whatever the number. */
bool worker_circuit_fail(
    struct worker_circuit *circuit, struct schedd_mono now, const char *reason, bool at_once);
/* True: it was open. */
bool worker_circuit_work(struct worker_circuit *circuit);
bool worker_circuit_open(const struct worker_circuit *circuit);
/* May a worker be started now, with so many that are not ready yet? */
bool worker_circuit_allows(
    const struct worker_circuit *circuit, struct schedd_mono now, uint32_t starting);

#endif
