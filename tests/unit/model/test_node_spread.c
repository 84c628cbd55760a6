/* SPDX-License-Identifier: MIT */
/*
 * Whose a slot becomes, by weight, jobs and load: as single decisions, then in
 * a small cluster whose nodes each see the others as they were a while ago.
 * There every change must come to rest, and stay so whatever loads do.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include "model/node.h"
#include "model/node_spread.h"

#define SLOTS 24
#define NODES 6

/* ---- Single decisions ---- */

static struct spread_node node(uint32_t number, const char *name, const char *labels, double load)
{
	return (struct spread_node){
	    .number = number, .name = name, .labels = labels, .may = true, .urgent = true, .load = load};
}

/* Slots with a job each, those of "from" ours and to be placed; counts what each node is given. */
static void place(struct spread_node *nodes, uint32_t count, uint32_t from, uint32_t owned, enum spread_how how,
    int *given)
{
	struct spread_slot slots[SLOTS];
	struct spread spread = {nodes, count, slots, 0, 1, 0};

	for (uint32_t i = 0; i < SLOTS; i++) {
		uint32_t owner = i < from ? 1 : 1 + i % owned;

		slots[spread.slot_count++] = (struct spread_slot){
		    .slot = i, .owner = owner, .jobs = 1, .how = i < from ? how : SPREAD_OTHERS};
	}
	node_spread(&spread);
	memset(given, 0, (count + 1) * sizeof(given[0]));
	for (uint32_t i = 0; i < SLOTS; i++)
		if (slots[i].how == how)
			given[slots[i].wanted]++;
}

Test(node_spread, a_busy_machine_gets_fewer_of_a_dead_node_s_slots)
{
	struct spread_node nodes[] = {node(1, "a", "", 0.1), node(2, "b", "", 0.1)};
	int given[3], less[3];

	place(nodes, 2, 12, 2, SPREAD_ANEW, given);
	cr_expect_eq(given[1], 6, "%d", given[1]);
	cr_expect_eq(given[2], 6, "%d", given[2]);
	nodes[1].load = 1.0;
	place(nodes, 2, 12, 2, SPREAD_ANEW, less);
	cr_expect(less[2] < given[2] && less[2] > 0, "%d", less[2]);
	nodes[1].load = 100;
	place(nodes, 2, 12, 2, SPREAD_ANEW, given);
	cr_expect(given[2] < less[2], "%d", given[2]);
	/* What no machine says counts for nothing. */
	nodes[0].load = nodes[1].load = -1;
	place(nodes, 2, 12, 2, SPREAD_ANEW, given);
	cr_expect_eq(given[2], 6);
}

Test(node_spread, one_with_more_jobs_gets_fewer_and_one_of_more_weight_more)
{
	struct spread_node nodes[] = {node(1, "a", "", 0), node(2, "b", "", 0)};
	struct spread_slot slots[SLOTS + 1];
	struct spread spread = {nodes, 2, slots, SLOTS + 1, 1, 0};
	int b = 0;

	for (uint32_t i = 0; i < SLOTS; i++)
		slots[i] = (struct spread_slot){.slot = i, .owner = 1, .jobs = 1, .how = SPREAD_ANEW};
	slots[SLOTS] = (struct spread_slot){
	    .slot = NODE_SLOTS + 7, .owner = 2, .jobs = 20, .place = "b", .how = SPREAD_OTHERS};
	node_spread(&spread);
	for (uint32_t i = 0; i <= SLOTS; i++)
		b += slots[i].slot < NODE_SLOTS && slots[i].wanted == 2;
	cr_expect_eq(b, 2, "22 jobs each: %d", b);

	nodes[1].labels = "weight=3";
	for (uint32_t i = 0; i <= SLOTS; i++)
		slots[i] = (struct spread_slot){.slot = i, .owner = 1, .jobs = i == SLOTS ? 0 : 1, .how = SPREAD_ANEW};
	node_spread(&spread);
	b = 0;
	for (uint32_t i = 0; i < SLOTS; i++)
		b += slots[i].wanted == 2;
	cr_expect_eq(b, 18, "%d", b);
}

Test(node_spread, who_leaves_gives_to_one_that_has_just_come_and_a_dead_node_s_taker_does_not)
{
	struct spread_node nodes[] = {node(1, "a", "", 0), node(2, "b", "", 0)};
	int given[3];

	nodes[1].may = false;
	place(nodes, 2, 12, 1, SPREAD_ANEW, given);
	cr_expect_eq(given[1], 12);
	nodes[0].may = nodes[0].urgent = false;
	place(nodes, 2, 12, 1, SPREAD_MUST, given);
	cr_expect_eq(given[2], 12);
	nodes[1].urgent = false;
	place(nodes, 2, 12, 1, SPREAD_MUST, given);
	cr_expect_eq(given[0], 12, "nobody may have them");
	/* A taker that may not be given any keeps a dead node's until somebody may. */
	place(nodes, 2, 12, 1, SPREAD_ANEW, given);
	cr_expect_eq(given[1], 12);
}

Test(node_spread, a_place_s_slot_goes_to_a_node_that_suits)
{
	struct spread_node nodes[] = {node(1, "a", "", 0), node(2, "b", "gpu=yes", 9), node(3, "c", "", 0)};
	struct spread_slot slots[] = {
	    {.slot = NODE_SLOTS + 1, .owner = 1, .jobs = 3, .place = "gpu", .how = SPREAD_MUST},
	    {.slot = NODE_SLOTS + 2, .owner = 1, .jobs = 3, .place = "spot", .how = SPREAD_MUST},
	    {.slot = NODE_SLOTS + 3, .owner = 1, .jobs = 3, .place = NULL, .how = SPREAD_MUST},
	};
	struct spread spread = {nodes, 3, slots, 3, 1, 0};

	node_spread(&spread);
	for (int i = 0; i < 3; i++)
		cr_expect_eq(slots[i].wanted, slots[i].slot == NODE_SLOTS + 1 ? 2 : 0);
}

#define PLACES 3000

/* Of the slots of ours that suit, that which it would want most, among those whose jobs are not too many. */
static int most_wanted(const struct spread_slot *slots, const struct spread_node *to, double most)
{
	int best = -1;

	for (int i = 0; i < PLACES; i++)
		if (slots[i].wanted == 1 && slots[i].jobs >= 1 && slots[i].jobs < most && i % 3 &&
		    (best < 0 || node_wants(to->name, to->labels, slots[i].slot) >
				     node_wants(to->name, to->labels, slots[best].slot)))
			best = i;
	return best;
}

/* Of thousands of places some at a time go, and they are those that would one by one. */
Test(node_spread, gives_of_many_places_what_is_wanted_most)
{
	static struct spread_slot slots[PLACES], plan[PLACES];
	char places[PLACES][16];

	for (int few = 0; few < 2; few++) {
		struct spread_node nodes[] = {node(1, "a", "", 0), node(2, "b", "zone=1", 0)};
		struct spread spread = {.nodes = nodes, .node_count = 2, .slots = slots, .slot_count = PLACES, .own = 1};
		double jobs = 0;
		int given = 0, next;

		nodes[1].due = true;
		for (int i = 0; i < PLACES; i++) {
			snprintf(places[i], sizeof(places[i]), i % 3 ? "zone=1" : "zone=2");
			/* Few: a handful holds most of what there is, and mostly too much to go. */
			slots[i] = (struct spread_slot){.slot = (uint32_t)(NODE_SLOTS + 7 * i), .owner = 1,
			    .jobs = few ? (i < 100 ? (uint32_t)(1 + i * i % 701) : 0) : (uint32_t)(1 + i % 5),
			    .place = places[i], .how = SPREAD_FREE, .wanted = 1};
			jobs += slots[i].jobs;
		}
		memcpy(plan, slots, sizeof(plan));
		node_spread(&spread);
		/* Its share is a half. */
		for (jobs /= 2; jobs > 0 && given < 64 && (next = most_wanted(plan, &nodes[1], 2 * jobs)) >= 0; given++) {
			plan[next].wanted = 2;
			jobs -= plan[next].jobs;
		}
		cr_expect(few ? given > 10 && given < 64 : given == 64, "%d", given);
		for (int i = 0; i < PLACES; i++)
			for (int j = 0; j < PLACES; j++)
				if (slots[j].slot == plan[i].slot)
					cr_expect_eq(slots[j].wanted, plan[i].wanted, "place %d", i);
	}
}

Test(node_spread, who_comes_gets_its_share_first_from_the_busiest)
{
	struct spread_node nodes[] = {node(1, "a", "", 0), node(2, "b", "", 0), node(3, "c", "", 0)};
	struct spread_slot slots[SLOTS];
	struct spread spread = {nodes, 3, slots, SLOTS, 1, 0};
	int jobs[2] = {0}, gone[2] = {0};

	nodes[2].due = true;
	for (int busy = 0; busy < 2; busy++) {
		nodes[0].load = busy ? 4 : 0;
		for (uint32_t i = 0; i < SLOTS; i++)
			slots[i] = (struct spread_slot){.slot = i,
			    .owner = 1 + i % 2,
			    .jobs = i < 12,
			    .how = i % 2 ? SPREAD_OTHERS : SPREAD_FREE,
			    .wanted = i % 2 ? 0 : 1};
		node_spread(&spread);
		for (uint32_t i = 0; i < SLOTS; i++) {
			gone[busy] += slots[i].wanted == 3;
			jobs[busy] += slots[i].wanted == 3 ? (int)slots[i].jobs : 0;
		}
	}
	cr_expect_eq(gone[0], 4);
	cr_expect_eq(gone[1], 4);
	cr_expect_eq(jobs[0], 2, "%d", jobs[0]);
	cr_expect(jobs[1] > jobs[0], "%d", jobs[1]);
}

Test(node_spread, what_runs_stays_and_is_waited_for)
{
	struct spread_node nodes[] = {node(1, "a", "", 0), node(2, "b", "", 0)};
	struct spread_slot slots[SLOTS];
	struct spread spread = {nodes, 2, slots, SLOTS, 1, 0};
	int gone = 0;

	nodes[1].due = true;
	for (uint32_t i = 0; i < SLOTS; i++)
		slots[i] = (struct spread_slot){
		    .slot = i, .owner = 1, .jobs = 1, .how = i < 20 ? SPREAD_HELD : SPREAD_FREE, .wanted = 1};
	node_spread(&spread);
	for (uint32_t i = 0; i < SLOTS; i++)
		gone += slots[i].wanted == 2;
	cr_expect_eq(gone, 4);
	cr_expect(nodes[1].waits);
}

/* ---- A cluster ---- */

static const char *const names[NODES] = {"a", "b", "c", "d", "e", "f"};

/* One node, and what it has seen. */
struct one {
	bool lives, stays, old; /* stays: for a lease */
	const char *labels;
	double load;
	uint32_t owners[SLOTS]; /* as it saw them */
	bool saw[NODES], may[NODES], olds[NODES]; /* nodes likewise: who lives, who may be given slots */
	bool due[NODES];
	bool anew[SLOTS];
};

struct cluster {
	struct one nodes[NODES];
	uint32_t owners[SLOTS]; /* as stored */
	uint32_t jobs[SLOTS];
	unsigned long moves;
	unsigned random;
};

static unsigned draw(struct cluster *c, unsigned below)
{
	c->random = c->random * 1103515245u + 12345u;
	return c->random >> 16 & 0x7fff ? (c->random >> 16 & 0x7fff) % below : 0;
}

static void describe(const struct cluster *c, int who, struct spread *spread)
{
	const struct one *one = &c->nodes[who];

	spread->own = (uint32_t)who + 1;
	spread->node_count = 0;
	for (int i = 0; i < NODES; i++)
		if (one->saw[i])
			spread->nodes[spread->node_count++] = (struct spread_node){.number = (uint32_t)i + 1,
			    .name = names[i],
			    .labels = c->nodes[i].labels,
			    .may = one->may[i],
			    .urgent = true,
			    .due = one->due[i],
			    .load = c->nodes[i].load};
	spread->slot_count = SLOTS;
	for (uint32_t i = 0; i < SLOTS; i++)
		spread->slots[i] =
		    (struct spread_slot){.slot = i, .owner = one->owners[i], .jobs = c->jobs[i]};
}

/* It is told who has what, and who lives. */
static void look(struct cluster *c, int who)
{
	struct one *one = &c->nodes[who];
	struct spread_node nodes[NODES];
	struct spread_slot slots[SLOTS];
	struct spread spread = {.nodes = nodes, .slots = slots};

	for (uint32_t i = 0; i < SLOTS; i++)
		one->anew[i] &= c->owners[i] == (uint32_t)who + 1;
	memcpy(one->owners, c->owners, sizeof(one->owners));
	for (int i = 0; i < NODES; i++) {
		one->saw[i] = c->nodes[i].lives;
		one->may[i] = c->nodes[i].lives && (c->nodes[i].stays || i == who);
		one->olds[i] = c->nodes[i].old;
	}
	describe(c, who, &spread);
	for (int i = 0; i < NODES; i++)
		one->due[i] |= one->saw[i] && (!c->nodes[i].stays || node_spread_lacks(&spread, (uint32_t)i + 1));
}

/* The rule of before: the node that wants it most has it, wherever it is. */
static uint32_t most(const struct cluster *c, int who, uint32_t slot)
{
	uint64_t wants = 0;
	uint32_t best = 0;

	for (int i = 0; i < NODES; i++) {
		uint64_t its = node_wants(names[i], c->nodes[i].labels, slot);

		if (c->nodes[who].may[i] && (!best || its > wants)) {
			best = (uint32_t)i + 1;
			wants = its;
		}
	}
	return best;
}

static void give(struct cluster *c, uint32_t slot, int from, uint32_t to)
{
	if (c->owners[slot] != (uint32_t)from + 1 || to == (uint32_t)from + 1 || to == 0)
		return;
	c->owners[slot] = to;
	/* That it goes is known to who gives it. */
	c->nodes[from].owners[slot] = to;
	c->moves++;
}

/* It gives away what it sees to be another's, as the store lets it. */
static void act(struct cluster *c, int who)
{
	struct one *one = &c->nodes[who];
	struct spread_node nodes[NODES];
	struct spread_slot slots[SLOTS];
	struct spread spread = {.nodes = nodes, .slots = slots};
	bool hash = one->old;

	for (int i = 0; i < NODES; i++)
		hash |= one->saw[i] && one->olds[i];
	describe(c, who, &spread);
	for (uint32_t i = 0; i < SLOTS; i++) {
		slots[i].how = slots[i].owner != spread.own ? SPREAD_OTHERS : one->anew[i] ? SPREAD_ANEW : SPREAD_FREE;
		slots[i].wanted = slots[i].how == SPREAD_FREE ? spread.own : 0;
	}
	if (!hash)
		node_spread(&spread);
	for (uint32_t i = 0; i < SLOTS; i++)
		if (slots[i].owner == spread.own)
			give(c, slots[i].slot, who, hash ? most(c, who, slots[i].slot) : slots[i].wanted);
	if (hash)
		return;
	memset(one->anew, 0, sizeof(one->anew));
	for (uint32_t i = 0; i < spread.node_count; i++) {
		uint32_t number = nodes[i].number;
		bool goes = nodes[i].waits;

		for (uint32_t k = 0; k < SLOTS; k++)
			goes |= slots[k].owner == spread.own && slots[k].wanted == number && number != spread.own;
		if (!goes)
			one->due[number - 1] = false;
	}
}

/* Who takes a dead node's slots has them all at first. */
static void take(struct cluster *c, int who, int from)
{
	for (uint32_t i = 0; i < SLOTS; i++)
		if (c->owners[i] == (uint32_t)from + 1) {
			c->owners[i] = (uint32_t)who + 1;
			c->nodes[who].anew[i] = true;
		}
}

/* Loads change all the time. */
static void stir(struct cluster *c)
{
	for (int i = 0; i < NODES; i++)
		c->nodes[i].load = draw(c, 40) / 10.0;
}

/* All look and act, in any order and with views of any age, until nothing moves; false: it does not end. */
static bool settles(struct cluster *c)
{
	for (int round = 0; round < 12; round++) {
		unsigned long before = c->moves;

		for (int i = 0; i < 4 * NODES; i++) {
			int who = (int)draw(c, NODES);

			if (!c->nodes[who].lives)
				continue;
			if (draw(c, 2))
				look(c, who);
			else
				act(c, who);
			stir(c);
		}
		for (int i = 0; i < NODES; i++)
			if (c->nodes[i].lives)
				look(c, i);
		for (int i = 0; i < NODES; i++)
			if (c->nodes[i].lives)
				act(c, i);
		if (c->moves == before)
			return true;
	}
	return false;
}

static int has(const struct cluster *c, int who)
{
	int slots = 0;

	for (uint32_t i = 0; i < SLOTS; i++)
		slots += c->owners[i] == (uint32_t)who + 1;
	return slots;
}

/* All have seen it when it has stayed for a lease, as each looks thrice in one. */
static void join(struct cluster *c, int who, const char *labels, bool old)
{
	c->nodes[who] = (struct one){.lives = true, .old = old, .labels = labels};
	for (int i = 0; i < NODES; i++)
		if (c->nodes[i].lives)
			look(c, i);
	c->nodes[who].stays = true;
}

static void begin(struct cluster *c, unsigned seed)
{
	memset(c, 0, sizeof(*c));
	c->random = seed * 2654435761u;
	for (int i = 0; i < NODES; i++)
		c->nodes[i].labels = "";
	join(c, 0, "", false);
	for (uint32_t i = 0; i < SLOTS; i++) {
		c->owners[i] = 1;
		c->jobs[i] = draw(c, 4);
	}
}

Test(node_spread, whatever_comes_and_goes_it_comes_to_rest)
{
	static const char *const weights[] = {"", "weight=2", "weight=3", "zone=a"};
	struct cluster c;

	for (unsigned seed = 1; seed <= 40; seed++) {
		begin(&c, seed);
		for (int event = 0; event < 12; event++) {
			int who = (int)draw(&c, NODES), taker = (int)draw(&c, NODES);

			if (!c.nodes[who].lives) {
				join(&c, who, weights[draw(&c, 4)], false);
			} else if (who != taker && c.nodes[taker].lives) {
				c.nodes[who].lives = false;
				take(&c, taker, who);
			}
			cr_assert(settles(&c), "seed %u, event %d", seed, event);
			for (int i = 0; i < NODES; i++)
				cr_expect(!c.nodes[i].lives || has(&c, i) > 0, "seed %u: node %d has none", seed, i);
		}
	}
}

Test(node_spread, nothing_moves_as_loads_and_jobs_change)
{
	struct cluster c;
	unsigned long before;

	for (unsigned seed = 1; seed <= 20; seed++) {
		begin(&c, seed);
		join(&c, 1, "", false);
		join(&c, 2, "", false);
		cr_assert(settles(&c));
		for (int i = 0; i < 3; i++)
			cr_expect(has(&c, i) >= 6 && has(&c, i) <= 10, "seed %u: %d", seed, has(&c, i));
		before = c.moves;
		for (int i = 0; i < 50; i++) {
			c.jobs[draw(&c, SLOTS)] = draw(&c, 100);
			cr_assert(settles(&c));
		}
		cr_expect_eq(c.moves, before, "seed %u", seed);
	}
}

/* A node that does not know of it gives its slots by the hash alone: then all do. */
Test(node_spread, beside_a_node_of_before_it_comes_to_rest_as_well)
{
	struct cluster c;

	for (unsigned seed = 1; seed <= 40; seed++) {
		begin(&c, seed);
		join(&c, 1, "weight=2", false);
		cr_assert(settles(&c));
		join(&c, 2, "", true);
		join(&c, 3, "", seed % 2);
		cr_assert(settles(&c), "seed %u", seed);
		for (uint32_t i = 0; i < SLOTS; i++)
			cr_expect_eq(c.owners[i], most(&c, 0, i), "where one is old, all go by the hash");
		/* One after the other is upgraded: it leaves, then comes anew. */
		for (int i = 2; i < 4; i++) {
			c.nodes[i].lives = false;
			take(&c, 0, i);
			cr_assert(settles(&c), "seed %u", seed);
			join(&c, i, "", false);
			cr_assert(settles(&c), "seed %u", seed);
		}
		for (int i = 0; i < 4; i++)
			cr_expect(has(&c, i) >= 2, "seed %u: node %d has %d", seed, i, has(&c, i));
	}
}

/* ---- All orders of two owners and one that comes ---- */

#define STEPS 5

static void walk(const struct cluster *c, int depth, unsigned long *ends)
{
	struct cluster next = *c;

	if (depth == 0) {
		unsigned long moves;

		/* What they saw last, each of them goes on by. */
		for (int round = 0; round < 3; round++)
			for (int i = 0; i < 3; i++) {
				look(&next, i);
				act(&next, i);
			}
		moves = next.moves;
		for (int i = 0; i < 3; i++) {
			look(&next, i);
			act(&next, i);
		}
		cr_assert_eq(next.moves, moves, "something moves still");
		cr_assert(next.moves <= SLOTS, "slots went to and fro: %lu moves", next.moves);
		for (int i = 0; i < 3; i++)
			cr_assert(has(&next, i) >= 6 && has(&next, i) <= 10, "node %d has %d", i, has(&next, i));
		++*ends;
		return;
	}
	for (int step = 0; step < 6; step++) {
		next = *c;
		if (step < 3)
			look(&next, step);
		else
			act(&next, step - 3);
		walk(&next, depth - 1, ends);
	}
}

Test(node_spread, two_that_see_one_come_at_different_times_do_not_give_it_too_much)
{
	struct cluster c;
	unsigned long ends = 0;

	begin(&c, 5);
	join(&c, 1, "", false);
	cr_assert(settles(&c));
	c.moves = 0;
	join(&c, 2, "", false);
	walk(&c, STEPS, &ends);
	cr_expect_eq(ends, 7776);
}
