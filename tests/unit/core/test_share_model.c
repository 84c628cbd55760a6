/* SPDX-License-Identifier: MIT */
/*
 * A small model of two nodes and one store, all of whose interleavings are
 * walked: node A claims a fire time and begins it, its lease ends at any
 * moment, node B takes over at any moment after that, reads the state and
 * claims what it finds due. Each guard of lib/core/share/README.md can be taken
 * away, and then something must go wrong that does not with it.
 */
#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* What is done as it should be. */
struct rules {
	bool lock;    /* a commit locks the node's row; else it only looks at its epoch */
	bool fence;   /* the epoch is ended, and waited for, before the state is read */
	bool compare; /* a claim compares the job's last run, and numbers are unique */
	bool durable; /* a run begins when its claim was answered; else when it was sent */
	bool resolve; /* a claim whose answer was lost is looked for before the next one */
	bool look;    /* the lease is looked at before a run begins */
};

static const struct rules all_rules = {true, true, true, true, true, true};

enum { A, B, NODES };
#define FIRES 3 /* fire times 0, 1, 2; run n + 1 stands for fire time n */

enum step {
	IDLE,
	GUARDED, /* its transaction has passed the guard */
	WRITTEN, /* and has written the claim, not committed */
	SENT,    /* committed, its answer is on the way */
	CLAIMED, /* answered: the run may begin */
	OVER,
};

struct model {
	bool used; /* in walk.seen */
	/* The store. */
	int epoch;            /* of A's row */
	int stored;           /* the job's last run */
	int rows[FIRES + 2];  /* by run: how many rows of that number are stored */
	int batch;            /* the last claim of A's that was stored, as it stands beside it */
	bool locked;          /* A's row, by A's transaction */
	bool taken;           /* B's take-over has committed */
	/* The nodes. */
	enum step step[NODES];
	int known[NODES];     /* last run, as the node has it */
	int claim[NODES];     /* the run that is being claimed */
	bool doubt;           /* A does not know whether its claim was stored */
	int begun_early;      /* a run that A began before its claim was answered */
	int takeover;         /* B: 0 not yet, 1 has ended the epoch, 2 has read the state, 3 has committed */
	int read;             /* what B's take-over has read */
	/* Time. */
	bool deadline;        /* A's own, a fifth before */
	bool expired;         /* the lease, by the store's clock */
	/* What came of it. */
	int began[FIRES + 1]; /* by fire time */
	bool late;            /* A began a run behind the take-over */
};

#define SEEN (1u << 18) /* states that can be told apart; a power of two */

struct walk {
	struct rules rules;
	struct model *seen; /* SEEN places, by hash */
	unsigned long states;
	unsigned long doubles; /* a fire time began twice, or a number was stored twice */
	unsigned long late;
};

static void walk(struct walk *walk, const struct model *from);

/* Was it walked from already? By whatever way it was reached, what can follow is the same. */
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

static void begin(struct model *m, int node, int run)
{
	if (run <= FIRES)
		m->began[run - 1]++;
	if (node == A && m->taken)
		m->late = true;
}

/* One more state that can be reached. */
static void visit(struct walk *w, const struct model *m)
{
	for (int run = 1; run <= FIRES; run++)
		if (m->began[run - 1] > 1 || m->rows[run] > 1) {
			w->doubles++;
			return;
		}
	if (m->late)
		w->late++;
	walk(w, m);
}

/* A: passes the guard, in its transaction. */
static void step_guard(struct walk *w, const struct model *from, int node)
{
	struct model m = *from;

	if (m.known[node] >= FIRES)
		return;
	m.claim[node] = m.known[node] + 1;
	if (node == A) {
		/* Behind one who has ended the epoch and not committed it waits. */
		if (w->rules.lock && m.takeover > 0 && !m.taken)
			return;
		if (m.epoch != 1) {
			m.step[A] = OVER; /* fenced: it claims nothing more */
			visit(w, &m);
			return;
		}
		m.locked = w->rules.lock;
		if (!w->rules.durable && !m.begun_early) {
			m.begun_early = m.claim[A];
			begin(&m, A, m.claim[A]);
		}
	}
	m.step[node] = GUARDED;
	visit(w, &m);
}

static void step_write(struct walk *w, const struct model *from, int node)
{
	struct model m = *from;

	if (w->rules.compare && m.stored != m.claim[node] - 1) {
		/* The claim is lost: the job is read anew. */
		m.known[node] = m.stored;
		m.locked = node == A ? false : m.locked;
		m.step[node] = IDLE;
	} else {
		m.step[node] = WRITTEN;
	}
	visit(w, &m);
}

static void step_commit(struct walk *w, const struct model *from, int node)
{
	struct model m = *from;

	/* The row of the job was locked since it was written: who wrote first commits first. */
	if (w->rules.compare && m.stored != m.claim[node] - 1) {
		m.known[node] = m.stored;
		m.locked = node == A ? false : m.locked;
		m.step[node] = IDLE;
		visit(w, &m);
		return;
	}
	m.stored = m.claim[node];
	m.rows[m.claim[node]]++;
	if (node == A) {
		m.locked = false;
		m.batch = m.claim[A];
	}
	m.step[node] = SENT;
	visit(w, &m);
	/* Or the connection ends first, and nothing of it is stored. */
	if (node != A)
		return;
	m = *from;
	m.locked = false;
	m.doubt = true;
	m.step[A] = IDLE;
	visit(w, &m);
}

static void step_answer(struct walk *w, const struct model *from, int node)
{
	struct model m = *from;

	m.known[node] = m.claim[node];
	m.step[node] = CLAIMED;
	visit(w, &m);
	/* Or the connection ends before the answer. */
	if (node != A)
		return;
	m = *from;
	m.doubt = true;
	m.step[A] = IDLE;
	visit(w, &m);
}

static void step_begin(struct walk *w, const struct model *from, int node)
{
	struct model m = *from;

	m.step[node] = IDLE;
	if (node == A && w->rules.look && m.deadline)
		m.step[A] = OVER; /* it waits until it knows */
	else if (node != A || m.begun_early != m.claim[A])
		begin(&m, node, m.claim[node]);
	visit(w, &m);
}

/* A asks on a new connection what became of its claim; under an epoch that is over it is told so. */
static void step_resolve(struct walk *w, const struct model *from)
{
	struct model m = *from;

	m.doubt = false;
	if (!w->rules.resolve) {
		/* Blindly once more: as if nothing were stored. */
		m.step[A] = IDLE;
	} else if (m.batch == m.claim[A]) {
		m.known[A] = m.claim[A];
		m.step[A] = CLAIMED;
	} else if (m.epoch != 1) {
		m.step[A] = OVER;
	}
	visit(w, &m);
}

static void step_take(struct walk *w, const struct model *from)
{
	struct model m = *from;
	bool fences = w->rules.fence;

	switch (m.takeover) {
	case 0:
		if (fences && m.locked)
			return; /* it waits for the commit */
		if (fences)
			m.epoch = 2;
		else
			m.read = m.stored;
		break;
	case 1:
		if (!fences && m.locked)
			return;
		if (fences)
			m.read = m.stored;
		else
			m.epoch = 2;
		break;
	default:
		m.taken = true;
		m.known[B] = m.read;
	}
	m.takeover++;
	visit(w, &m);
}

static void step_node(struct walk *w, const struct model *m, int node)
{
	switch (m->step[node]) {
	case IDLE:
		if (node == A && m->doubt)
			step_resolve(w, m);
		else
			step_guard(w, m, node);
		break;
	case GUARDED:
		step_write(w, m, node);
		break;
	case WRITTEN:
		step_commit(w, m, node);
		break;
	case SENT:
		step_answer(w, m, node);
		break;
	case CLAIMED:
		step_begin(w, m, node);
		break;
	case OVER:
		break;
	}
}

static void walk(struct walk *w, const struct model *from)
{
	struct model m = *from;

	if (known(w, from))
		return;
	step_node(w, from, A);
	if (from->taken)
		step_node(w, from, B);
	else if (from->expired)
		step_take(w, from);
	/* The node's own deadline comes first, then the lease is over; both at any moment. */
	if (!from->deadline) {
		m.deadline = true;
		visit(w, &m);
	} else if (!from->expired) {
		m.expired = true;
		visit(w, &m);
	}
}

static struct walk walk_all(struct rules rules)
{
	struct walk w = {.rules = rules, .seen = calloc(SEEN, sizeof(w.seen[0]))};
	struct model first;

	cr_assert(w.seen);
	/* Compared by its bytes, those between the members too. */
	memset(&first, 0, sizeof(first));
	first.used = true;
	first.epoch = 1;
	walk(&w, &first);
	free(w.seen);
	return w;
}

Test(share_model, nothing_begins_twice_by_all_rules, .timeout = 120)
{
	struct walk w = walk_all(all_rules);

	cr_expect_gt(w.states, 100ul);
	cr_log_info("%lu states", w.states);
	cr_expect_eq(w.doubles, 0ul);
	cr_expect_eq(w.late, 0ul);
}

Test(share_model, the_guard_is_a_lock_and_not_a_look, .timeout = 120)
{
	struct rules rules = all_rules;

	rules.compare = false;
	cr_expect_eq(walk_all(rules).doubles, 0ul, "the lock is enough by itself");
	rules.lock = false;
	cr_expect_gt(walk_all(rules).doubles, 0ul, "a look lets a claim pass behind a take-over");
}

Test(share_model, the_epoch_ends_before_the_state_is_read, .timeout = 120)
{
	struct rules rules = all_rules;

	rules.compare = false;
	rules.fence = false;
	cr_expect_gt(walk_all(rules).doubles, 0ul);
}

Test(share_model, the_number_is_compared, .timeout = 120)
{
	struct rules rules = all_rules;

	rules.lock = rules.fence = false;
	cr_expect_eq(walk_all(rules).doubles, 0ul, "comparing is enough by itself");
	rules.compare = false;
	cr_expect_gt(walk_all(rules).doubles, 0ul);
}

Test(share_model, a_run_needs_its_claim, .timeout = 120)
{
	struct rules rules = all_rules;

	rules.durable = false;
	cr_expect_gt(walk_all(rules).doubles, 0ul);
}

Test(share_model, what_is_in_doubt_is_looked_for, .timeout = 120)
{
	struct rules rules = all_rules;

	rules.compare = false;
	cr_expect_eq(walk_all(rules).doubles, 0ul);
	rules.resolve = false;
	cr_expect_gt(walk_all(rules).doubles, 0ul);
}

Test(share_model, a_lease_is_looked_at_before_the_start, .timeout = 120)
{
	struct rules rules = all_rules;

	rules.look = false;
	cr_expect_gt(walk_all(rules).late, 0ul);
	cr_expect_eq(walk_all(rules).doubles, 0ul, "time alone decides nothing");
}
