/* SPDX-License-Identifier: MIT */
/*
 * Jobs that say where they may run, as a small model all of whose interleavings
 * are walked, as in test_share_model.c: a slot of a place lies with B, which it
 * does not suit, and A, which it suits, comes; meanwhile somebody moves the job
 * to a slot of C's. Each guard of lib/core/share/README.md, 8 to 11, can be
 * taken away, and then something goes wrong that does not with it.
 */
#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct rules {
	bool suits;  /* a node begins nothing of a place that it does not suit */
	bool owner;  /* a slot is given by its owner alone, when nothing of it is under way */
	bool anew;   /* who gets a slot reads the job behind the commit that gave it */
	bool idle;   /* a job comes to another slot only when none of its runs is open */
	bool locked; /* its row is locked from that look to the commit */
};

static const struct rules all_rules = {true, true, true, true, true};

enum { A, B, C, NODES };
#define RUNS 3 /* are claimed at most */

enum step {
	IDLE,
	WRITTEN, /* a claim is written, not committed */
	CLAIMED, /* stored: it may begin */
	BEGUN,
};

struct model {
	bool used;
	/* The store. */
	int stored;       /* the job's last run */
	int revision;
	int owner;        /* of the slot of the place */
	bool moved;       /* the job is in C's slot by now */
	int open;         /* runs that are not over */
	int rows[RUNS + 1];
	int looked;       /* the change: 0 not yet, 1 it has looked, 2 it has committed */
	int seen_run, seen_revision; /* by it */
	/* The nodes. */
	enum step step[NODES];
	int known[NODES], known_revision[NODES], claim[NODES];
	bool has[NODES];  /* it takes the job for its own */
	/* What came of it. */
	bool wrong;       /* begun where it does not suit */
	bool twice;       /* one number, two rows */
	bool beside;      /* two of its runs at a time, where one is allowed */
};

#define SEEN (1u << 18)

struct walk {
	struct rules rules;
	struct model *seen;
	unsigned long states, wrong, twice, beside;
};

static void walk(struct walk *walk, const struct model *m);

static bool known(struct walk *w, const struct model *m)
{
	const unsigned char *bytes = (const unsigned char *)m;
	unsigned hash = 2166136261u;

	for (size_t i = 0; i < sizeof(*m); i++)
		hash = (hash ^ bytes[i]) * 16777619u;
	for (hash &= SEEN - 1; w->seen[hash].used; hash = (hash + 1) & (SEEN - 1))
		if (memcmp(&w->seen[hash], m, sizeof(*m)) == 0)
			return true;
	w->seen[hash] = *m;
	cr_assert_lt(++w->states, SEEN / 2, "the model is too large to be walked");
	return false;
}

/* Claims are compared with the job's last run and revision by the store, as ever. */
static void step_node(struct walk *w, const struct model *from, int node)
{
	struct model m = *from;

	switch (m.step[node]) {
	case IDLE:
		/* max_instances is 1, and each counts the runs that it made itself. */
		if (!m.has[node] || m.known[node] >= RUNS || (node == B && w->rules.suits))
			return;
		m.claim[node] = m.known[node] + 1;
		m.step[node] = WRITTEN;
		break;
	case WRITTEN:
		if (w->rules.locked && m.looked == 1)
			return; /* the row is another's until his commit */
		if (m.stored != m.claim[node] - 1 || m.revision != m.known_revision[node]) {
			/* Lost: how the job is by now follows, and whose it is. */
			m.known[node] = m.stored;
			m.known_revision[node] = m.revision;
			m.has[node] = node == (m.moved ? C : m.owner);
			m.step[node] = IDLE;
			break;
		}
		m.stored = m.known[node] = m.claim[node];
		m.twice |= ++m.rows[m.stored] > 1;
		m.open++;
		m.step[node] = CLAIMED;
		break;
	case CLAIMED:
		m.wrong |= node == B;
		m.step[node] = BEGUN;
		for (int other = 0; other < NODES; other++)
			m.beside |= other != node && m.step[other] == BEGUN;
		break;
	case BEGUN:
		m.open--;
		m.step[node] = IDLE;
		break;
	}
	walk(w, &m);
}

/* B gives the slot to A; without the rule it is taken while B is at it. */
static void step_give(struct walk *w, const struct model *from)
{
	struct model m = *from;

	if (m.owner != B || m.moved)
		return;
	if (w->rules.owner && m.step[B] != IDLE)
		return;
	m.owner = A;
	if (w->rules.owner)
		m.has[B] = false;
	m.has[A] = true;
	m.known[A] = w->rules.anew ? m.stored : 0;
	m.known_revision[A] = m.revision;
	walk(w, &m);
}

/* Somebody gives the job another place, whose slot is C's. */
static void step_move(struct walk *w, const struct model *from)
{
	struct model m = *from;

	if (m.looked == 0) {
		if (w->rules.idle && m.open > 0)
			return;
		m.looked = 1;
		m.seen_run = m.stored;
		m.seen_revision = m.revision;
	} else if (m.looked == 1) {
		m.looked = 2;
		/* Unlocked it is compared as it was when it was looked at, not as it is. */
		if (w->rules.locked && (m.stored != m.seen_run || m.revision != m.seen_revision))
			return;
		m.revision++;
		m.moved = true;
		m.has[C] = true;
		m.known[C] = m.stored;
		m.known_revision[C] = m.revision;
	} else {
		return;
	}
	walk(w, &m);
}

/* The feed tells an owner that the job has left. */
static void step_told(struct walk *w, const struct model *from, int node)
{
	struct model m = *from;

	if (!m.moved || node == C || !m.has[node] || m.step[node] != IDLE)
		return;
	m.has[node] = false;
	walk(w, &m);
}

static void walk(struct walk *w, const struct model *m)
{
	if (known(w, m))
		return;
	w->wrong += m->wrong;
	w->twice += m->twice;
	w->beside += m->beside;
	if (m->wrong || m->twice || m->beside)
		return;
	for (int node = 0; node < NODES; node++) {
		step_node(w, m, node);
		step_told(w, m, node);
	}
	step_give(w, m);
	step_move(w, m);
}

static struct walk walk_all(struct rules rules)
{
	struct walk w = {.rules = rules, .seen = calloc(SEEN, sizeof(w.seen[0]))};
	struct model first;

	cr_assert(w.seen);
	memset(&first, 0, sizeof(first));
	first.used = true;
	first.owner = B;
	first.has[B] = true;
	walk(&w, &first);
	free(w.seen);
	return w;
}

Test(share_place_model, all_goes_well_by_all_rules, .timeout = 120)
{
	struct walk w = walk_all(all_rules);

	cr_expect_gt(w.states, 50ul);
	cr_log_info("%lu states", w.states);
	cr_expect_eq(w.wrong, 0ul);
	cr_expect_eq(w.twice, 0ul);
	cr_expect_eq(w.beside, 0ul);
}

Test(share_place_model, a_place_is_held_for_who_suits, .timeout = 120)
{
	struct rules rules = all_rules;

	rules.suits = false;
	cr_expect_gt(walk_all(rules).wrong, 0ul);
	cr_expect_eq(walk_all(rules).twice, 0ul);
}

Test(share_place_model, a_slot_is_given_when_nothing_of_it_is_under_way, .timeout = 120)
{
	struct rules rules = all_rules;

	rules.suits = rules.owner = false;
	cr_expect_gt(walk_all(rules).beside + walk_all(rules).wrong, 0ul);
	cr_expect_eq(walk_all(rules).twice, 0ul, "the comparison is enough for the numbers");
}

Test(share_place_model, who_gets_it_reads_it_anew_or_loses_its_claim, .timeout = 120)
{
	struct rules rules = all_rules;

	rules.anew = false;
	cr_expect_eq(walk_all(rules).twice, 0ul);
	cr_expect_eq(walk_all(rules).beside, 0ul);
}

Test(share_place_model, a_job_changes_its_slot_when_it_is_idle, .timeout = 120)
{
	struct rules rules = all_rules;

	rules.idle = false;
	cr_expect_gt(walk_all(rules).beside, 0ul);
}

Test(share_place_model, its_row_is_locked_meanwhile, .timeout = 120)
{
	struct rules rules = all_rules;

	rules.locked = false;
	cr_expect_gt(walk_all(rules).beside, 0ul);
	cr_expect_eq(walk_all(rules).twice, 0ul);
}
