/* SPDX-License-Identifier: MIT */
/*
 * To whom a node gives its slots: by weight, by how many jobs a node has, and by
 * how busy its machine is. Who has a slot keeps it: it is placed anew when its
 * node goes, and a node that has come, or is back, is given its share once.
 *
 * Each node decides on its own slots alone, as it sees the others just then;
 * nobody has to see the same. What is placed by load is not moved as loads
 * change, so nothing goes to and fro.
 */
#ifndef SCHEDD_MODEL_NODE_SPREAD_H
#define SCHEDD_MODEL_NODE_SPREAD_H

#include <stdbool.h>
#include <stdint.h>

struct spread_node {
	uint32_t number;
	const char *name;
	const char *labels;
	bool may;     /* slots may be given to it */
	bool urgent;  /* those may that have to go, though it has just come */
	bool due;     /* its share is to be given to it */
	double load;  /* of its machine, by processor */
	/* Worked out. */
	unsigned weight;
	int64_t slots, jobs; /* that it will have */
	bool waits;          /* it lacks something of its share still */
};

enum spread_how {
	SPREAD_OTHERS, /* another's */
	SPREAD_HELD,   /* ours, as one of its jobs runs */
	SPREAD_FREE,   /* ours, and could go */
	SPREAD_ANEW,   /* ours, to be placed among all: it was a dead node's */
	SPREAD_MUST,   /* ours, and may not stay */
	SPREAD_GOES,   /* ours, on its way to the one that is wanted */
};

struct spread_slot {
	uint32_t slot;     /* as node_job_slot() */
	uint32_t owner;    /* 0: nobody */
	uint32_t jobs;     /* that are in it */
	const char *place; /* where these may run; NULL: anywhere */
	enum spread_how how;
	uint32_t wanted;   /* node that is to have it; ours: as it was, or is to stay; 0: none can */
	/* Worked out. */
	bool fits;         /* it may go to the node that is given its share just now */
	uint64_t wants;    /* how much that one would want it */
};

struct spread {
	struct spread_node *nodes;
	uint32_t node_count;
	struct spread_slot *slots;
	uint32_t slot_count;
	uint32_t own; /* number of the node that decides */
	/* Worked out. */
	uint32_t any_count; /* slots whose jobs may run anywhere, which come first */
};

/* Has it less than half its share of the slots that are any node's? */
bool node_spread_lacks(const struct spread *spread, uint32_t number);
/* Counts what each has, then sets wanted of our own slots, and puts them into another order. */
void node_spread(struct spread *spread);

#endif
