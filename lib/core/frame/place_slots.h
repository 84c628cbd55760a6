/* SPDX-License-Identifier: MIT */
/*
 * Slots of a store that is shared, for jobs that say where they may run: few of
 * very many numbers, in the order of these. Rooms below share look whether a
 * job is another node's, and count jobs; the rest is share's business.
 */
#ifndef SCHEDD_CORE_FRAME_PLACE_SLOTS_H
#define SCHEDD_CORE_FRAME_PLACE_SLOTS_H

#include <stdbool.h>
#include <stdint.h>
#include "model/node.h"

/* Slots of one store at most: each is compared with each node at every beat. */
#define PLACE_SLOTS_MAX 4096

/* One slot; also of those that jobs of any node have. */
struct place_slot {
	uint32_t slot;   /* as node_job_slot() */
	uint32_t owner;  /* number of its node, as it was told; 0: nobody */
	uint32_t wanted; /* of the node that should have it; 0: none can */
	uint32_t jobs;   /* that are in it; of a place */
	char *place;     /* where these may run; owned; NULL: none is known */
	uint8_t hold;    /* what keeps it here; see share_give.c */
	bool anew;       /* ours, as its node has died: it is to be placed among all */
	bool elsewhere;  /* nothing of it is due here */
	bool closing;    /* ours, to be given away: nothing of it is due any more */
	bool giving;     /* that it is another's is on the way to the store */
	bool homeless;   /* no node that lives may have it */
};

struct place_slots {
	struct place_slot *items;
	uint32_t count, capacity;
	uint32_t any[NODE_SLOTS]; /* jobs that may run on any node, by their slot */
	bool changed; /* the first job of one has come, or its last has gone */
	bool orphans; /* parts without a whole are left that may become this node's business */
	bool parts;   /* jobs on all nodes, or their parts, have changed */
};

/* NULL: there is none of that number. */
struct place_slot *place_slots_find(const struct place_slots *places, uint32_t slot);
/* The same, made where there is none, as nobody's; NULL: no memory, or there are too many. */
struct place_slot *place_slots_get(struct place_slots *places, uint32_t slot);
/* Jobs of that place have come to that slot, or gone (by -1). */
void place_slots_count(struct place_slots *places, uint32_t slot, const char *place, int by);
void place_slots_clear(struct place_slots *places);

#endif
