/* SPDX-License-Identifier: MIT */
#include "model/node_spread.h"

#include <stdlib.h>
#include "model/node.h"

/* Load by processor, in quarters, above which a machine is not told from one that is busier. */
#define SPREAD_BUSIEST 12
/* So many slots of places go at one time: there may be thousands. */
#define SPREAD_PLACES 64

static bool spread_any(const struct spread_slot *slot)
{
	return slot->slot < NODE_SLOTS;
}

static bool spread_fits(const struct spread_slot *slot, const struct spread_node *node)
{
	return spread_any(slot) || (slot->place && node_place_matches(slot->place, node->name, node->labels));
}

static struct spread_node *spread_node(const struct spread *spread, uint32_t number)
{
	for (uint32_t i = 0; i < spread->node_count; i++)
		if (spread->nodes[i].number == number)
			return &spread->nodes[i];
	return NULL;
}

/* A node whose processors are all busy is as one with twice the jobs. */
static double spread_strain(const struct spread_node *node)
{
	double quarters = node->load * 4;

	if (!(quarters > 0))
		return 4;
	return quarters < SPREAD_BUSIEST ? 4 + (double)(int)quarters : 4 + SPREAD_BUSIEST;
}

static void spread_add(struct spread_node *node, const struct spread_slot *slot, int by)
{
	if (!node)
		return;
	node->slots += spread_any(slot) ? by : 0;
	node->jobs += (int64_t)slot->jobs * by;
}

static void spread_count(struct spread *spread)
{
	for (uint32_t i = 0; i < spread->node_count; i++) {
		struct spread_node *node = &spread->nodes[i];

		node->weight = node_weight(node->labels);
		node->slots = node->jobs = 0;
		node->waits = false;
	}
	for (uint32_t i = 0; i < spread->slot_count; i++) {
		const struct spread_slot *slot = &spread->slots[i];

		if (slot->how != SPREAD_ANEW && slot->how != SPREAD_MUST)
			spread_add(spread_node(spread, slot->how == SPREAD_GOES ? slot->wanted : slot->owner), slot, 1);
	}
}

/* ---- Slots that are placed anew ---- */

static bool spread_takes(const struct spread_slot *slot, const struct spread_node *node)
{
	return (node->may || (node->urgent && slot->how == SPREAD_MUST)) && spread_fits(slot, node);
}

/* How full it would be with it. */
static double spread_cost(const struct spread_slot *slot, const struct spread_node *node)
{
	double has = slot->jobs ? (double)(node->jobs + slot->jobs) : (double)(node->slots + 1);

	return has * spread_strain(node) / node->weight;
}

static bool spread_better(
    const struct spread_slot *slot, const struct spread_node *node, const struct spread_node *best)
{
	double cost = spread_cost(slot, node), least = spread_cost(slot, best);
	double slots = (double)node->slots / node->weight, fewest = (double)best->slots / best->weight;

	if (cost < least || cost > least)
		return cost < least;
	if (slots < fewest || slots > fewest)
		return slots < fewest;
	return node_wants(node->name, node->labels, slot->slot) > node_wants(best->name, best->labels, slot->slot);
}

static void spread_place(struct spread *spread, struct spread_slot *slot)
{
	struct spread_node *best = NULL;

	for (uint32_t i = 0; i < spread->node_count; i++) {
		struct spread_node *node = &spread->nodes[i];

		if (spread_takes(slot, node) && (!best || spread_better(slot, node, best)))
			best = node;
	}
	slot->wanted = best ? best->number : slot->how == SPREAD_ANEW ? spread->own : 0;
	spread_add(best, slot, 1);
}

/* Those to be placed first, of these those of most jobs: the small ones level out what these leave. */
static int spread_compare(const void *a, const void *b)
{
	const struct spread_slot *left = a, *right = b;
	bool one = left->how == SPREAD_ANEW || left->how == SPREAD_MUST;
	bool other = right->how == SPREAD_ANEW || right->how == SPREAD_MUST;

	if (one != other)
		return one ? -1 : 1;
	if (left->jobs != right->jobs)
		return left->jobs > right->jobs ? -1 : 1;
	return left->slot < right->slot ? -1 : left->slot > right->slot;
}

static void spread_place_all(struct spread *spread)
{
	qsort(spread->slots, spread->slot_count, sizeof(spread->slots[0]), spread_compare);
	for (uint32_t i = 0; i < spread->slot_count; i++) {
		struct spread_slot *slot = &spread->slots[i];

		if (slot->how != SPREAD_ANEW && slot->how != SPREAD_MUST)
			return;
		spread_place(spread, slot);
	}
}

/* ---- The share of one that has come ---- */

/* Of slots it counts what a node weighs alone; of jobs how busy it is, too. */
static double spread_weight(const struct spread_node *node, bool jobs)
{
	return jobs ? node->weight / spread_strain(node) : node->weight;
}

/* What those have who may have some, and what they weigh together. */
struct spread_sum {
	double all;
	double weight;
};

static struct spread_sum spread_sum(const struct spread *spread, bool jobs)
{
	struct spread_sum sum = {0, 0};

	for (uint32_t i = 0; i < spread->node_count; i++) {
		const struct spread_node *node = &spread->nodes[i];

		if (!node->may)
			continue;
		sum.all += (double)(jobs ? node->jobs : node->slots);
		sum.weight += spread_weight(node, jobs);
	}
	return sum;
}

/* What it has beyond its share; less than 0: it lacks that. */
static double spread_beyond(const struct spread_node *node, struct spread_sum sum, bool jobs)
{
	double has = (double)(jobs ? node->jobs : node->slots);

	return has - sum.all * spread_weight(node, jobs) / sum.weight;
}

/*
 * How much of what it lacks is ours to give: each gives of what it has beyond
 * its own share, in proportion. As much is said by who has not seen yet that
 * others gave theirs.
 */
static double spread_part(const struct spread *spread, const struct spread_node *to, bool jobs)
{
	struct spread_sum sum = spread_sum(spread, jobs);
	double lacks = -spread_beyond(to, sum, jobs), all = 0, own = 0, part;

	for (uint32_t i = 0; i < spread->node_count; i++) {
		const struct spread_node *node = &spread->nodes[i];
		double beyond = node->may ? spread_beyond(node, sum, jobs) : 0;

		if (!(beyond > 0))
			continue;
		all += beyond;
		if (node->number == spread->own)
			own = beyond;
	}
	if (!(lacks > 0) || !(own > 0))
		return 0;
	part = lacks * own / all;
	return part < own ? part : own;
}

/* Those of places may be thousands: the others come first, and none is looked at again and again. */
static void spread_order(struct spread *spread)
{
	spread->any_count = 0;
	for (uint32_t i = 0; i < spread->slot_count; i++) {
		struct spread_slot slot = spread->slots[i];

		if (!spread_any(&slot))
			continue;
		spread->slots[i] = spread->slots[spread->any_count];
		spread->slots[spread->any_count++] = slot;
	}
}

/* Which of ours may go to it, and how much it would want each. That which it would want is what it had before, mostly. */
static void spread_look(struct spread *spread, const struct spread_node *to)
{
	for (uint32_t i = 0; i < spread->slot_count; i++) {
		struct spread_slot *slot = &spread->slots[i];

		slot->fits = slot->how == SPREAD_FREE && slot->wanted == spread->own && spread_fits(slot, to);
		slot->wants = slot->fits ? node_wants(to->name, to->labels, slot->slot) : 0;
	}
}

static bool spread_holds(const struct spread_slot *slot, double least, double most)
{
	return slot->fits && slot->jobs >= least && slot->jobs < most;
}

/* The slot that would go next, of those that may be anybody's and hold from least to most jobs; NULL: none. */
static struct spread_slot *spread_next(const struct spread *spread, double least, double most)
{
	struct spread_slot *next = NULL;

	for (uint32_t i = 0; i < spread->any_count; i++) {
		struct spread_slot *slot = &spread->slots[i];

		if (spread_holds(slot, least, most) && (!next || slot->wants > next->wants))
			next = slot;
	}
	return next;
}

/* Those of places that would go next, in their order, up to so many; how many. */
static uint32_t spread_next_places(
    const struct spread *spread, double most, struct spread_slot *next[SPREAD_PLACES], uint32_t limit)
{
	uint32_t count = 0;

	for (uint32_t i = spread->any_count; i < spread->slot_count; i++) {
		struct spread_slot *slot = &spread->slots[i];
		uint32_t at;

		if (!spread_holds(slot, 1, most) || (count == limit && slot->wants <= next[count - 1]->wants))
			continue;
		count += count < limit;
		for (at = count - 1; at > 0 && slot->wants > next[at - 1]->wants; at--)
			next[at] = next[at - 1];
		next[at] = slot;
	}
	return count;
}

/* Of ours, that with the fewest jobs. */
static double spread_fewest(const struct spread *spread)
{
	double fewest = (double)UINT32_MAX + 1;

	for (uint32_t i = 0; i < spread->any_count; i++) {
		const struct spread_slot *slot = &spread->slots[i];

		if (slot->how == SPREAD_FREE && slot->wanted == spread->own && slot->jobs < fewest)
			fewest = slot->jobs;
	}
	return fewest;
}

static void spread_hand(struct spread *spread, struct spread_slot *slot, struct spread_node *to)
{
	spread_add(spread_node(spread, spread->own), slot, -1);
	spread_add(to, slot, 1);
	slot->wanted = to->number;
	slot->fits = false;
}

/* So many jobs by slots of places, but not all of these at one time. A slot that holds too many now does so later, too. */
static void spread_fill_places(struct spread *spread, struct spread_node *to, double jobs)
{
	struct spread_slot *next[SPREAD_PLACES];
	uint32_t places = 0, count;

	while (jobs > 0 && places < SPREAD_PLACES &&
	       (count = spread_next_places(spread, 2 * jobs, next, SPREAD_PLACES - places)) > 0)
		for (uint32_t i = 0; i < count && jobs > 0; i++) {
			if (!spread_holds(next[i], 1, 2 * jobs))
				continue;
			jobs -= next[i]->jobs;
			places++;
			spread_hand(spread, next[i], to);
		}
}

/*
 * As many slots as are our part, and among these as many jobs. A slot goes only
 * where that brings both nearer to their shares, so it is not wanted back.
 */
static void spread_fill(struct spread *spread, struct spread_node *to)
{
	/* Half a slot is nobody's lack: it would go to and fro. */
	int64_t slots = (int64_t)(spread_part(spread, to, false) + 0.49);
	double jobs = spread_part(spread, to, true);
	struct spread_slot *slot;

	if (slots <= 0 && !(jobs > 0))
		return;
	spread_look(spread, to);
	while (slots > 0 && (slot = spread_next(spread, 1, 2 * jobs))) {
		jobs -= slot->jobs;
		slots--;
		spread_hand(spread, slot, to);
	}
	while (slots > 0) {
		double fewest = spread_fewest(spread);

		slot = spread_next(spread, fewest, fewest + 1);
		if (!slot)
			break;
		jobs -= slot->jobs;
		slots--;
		spread_hand(spread, slot, to);
	}
	spread_fill_places(spread, to, jobs);
}

/* ---- */

bool node_spread_lacks(const struct spread *spread, uint32_t number)
{
	double weight = 0, own = 0;
	int64_t slots = 0, all = 0;

	for (uint32_t i = 0; i < spread->node_count; i++) {
		const struct spread_node *node = &spread->nodes[i];

		if (node->number == number)
			own = node_weight(node->labels);
		if (node->may || node->number == number)
			weight += node_weight(node->labels);
	}
	for (uint32_t i = 0; i < spread->slot_count; i++) {
		all += spread_any(&spread->slots[i]);
		slots += spread_any(&spread->slots[i]) && spread->slots[i].owner == number;
	}
	return own > 0 && (double)slots * 2 * weight < (double)all * own;
}

void node_spread(struct spread *spread)
{
	struct spread_sum sum;
	int count = 0;

	spread_count(spread);
	spread_place_all(spread);
	spread_order(spread);
	for (uint32_t i = 0; i < spread->node_count; i++) {
		struct spread_node *node = &spread->nodes[i];

		count += node->may;
		if (node->due && node->may && node->number != spread->own)
			spread_fill(spread, node);
	}
	sum = spread_sum(spread, false);
	for (uint32_t i = 0; i < spread->node_count; i++) {
		struct spread_node *node = &spread->nodes[i];

		/* Less than half a slot of each is what rounding leaves. */
		node->waits = !node->may || -spread_beyond(node, sum, false) >= count * 0.5;
	}
}
