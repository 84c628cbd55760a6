/* SPDX-License-Identifier: MIT */
/*
 * kill -9 at random moments: what was acknowledged is there, nothing is there
 * by halves. Each generation of children goes on with the same database.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include "support/store_case.h"

#define KILLS 60
#define IN_FLIGHT 16

/* What a child tells its parent of: the last number of a batch that was acknowledged. */
struct killed {
	struct store_case *sc;
	int pipe;
	uint32_t next;     /* batch to commit */
	uint32_t answered; /* of this child */
	uint32_t first;
};

struct killed_batch {
	struct killed *killed;
	uint32_t number;
};

static void killed_done(int rc, const struct schedd_error *err, void *context)
{
	struct killed_batch *batch = context;

	if (rc < 0) {
		fprintf(stderr, "%s\n", err->message);
		_exit(3);
	}
	batch->killed->answered++;
	if (write(batch->killed->pipe, &batch->number, sizeof(batch->number)) < 0)
		_exit(4);
	free(batch);
}

/* A batch is a job, its claim, a run and a number: all of the same n. */
static void killed_commit(struct killed *killed)
{
	struct store_batch *batch = store_batch_new(killed->sc->store);
	struct killed_batch *context = malloc(sizeof(*context));
	struct job_state state;
	char id[32], json[96];

	context->killed = killed;
	context->number = killed->next++;
	snprintf(id, sizeof(id), "job-%u", context->number);
	snprintf(json, sizeof(json), "{\"id\":\"%s\",\"shell\":\"true\"}", id);
	store_case_put_job(killed->sc, batch, json);
	job_state_init(&state);
	state.last_run = context->number;
	store_batch_claim(batch, id, 0, &state, NULL);
	store_case_put_run(batch, id, context->number, RUN_RUNNING, 0);
	store_batch_put_number(batch, "n", context->number);
	if (context->number % 3 == 0) {
		snprintf(id, sizeof(id), "job-%u", context->number - 1);
		store_batch_delete_job(batch, id, context->number - 1);
	}
	store_commit(killed->sc->store, batch, killed_done, context);
}

static void killed_child(struct store_case *sc, int pipe, uint32_t first)
{
	struct killed killed = {.sc = sc, .pipe = pipe, .next = first, .first = first};

	if (store_case_open(sc) < 0) {
		fprintf(stderr, "%s\n", sc->err.message);
		_exit(5);
	}
	for (;;) {
		while (killed.next - killed.first - killed.answered < IN_FLIGHT)
			killed_commit(&killed);
		mailbox_wait(sc->config.mailbox);
	}
}

/* Starts a child and kills it after so many acknowledgements and a moment; the last one it sent. */
static uint32_t killed_round(struct store_case *sc, uint32_t first, unsigned *seed)
{
	uint32_t last = first - 1, number;
	unsigned quota = 1 + (unsigned)rand_r(seed) % 80;
	int ends[2], status;
	pid_t child;

	cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
	child = fork();
	if (child == 0) {
		close(ends[0]);
		killed_child(sc, ends[1], first);
		_exit(0);
	}
	close(ends[1]);
	for (unsigned i = 0; i < quota && read(ends[0], &number, sizeof(number)) > 0; i++)
		last = number;
	kill(child, SIGKILL);
	while (read(ends[0], &number, sizeof(number)) > 0)
		last = number;
	close(ends[0]);
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "status %x", status);
	return last;
}

/* Jobs and runs up to and with the last committed batch, and nothing else. */
static uint32_t killed_check(struct store_case *sc, uint32_t acknowledged)
{
	struct store_run_query query = STORE_CASE_ALL;
	uint32_t committed, deleted;

	cr_assert_eq(store_case_open(sc), 0, "%s", sc->err.message);
	committed = (uint32_t)store_case_number(sc, "n", 0);
	cr_assert_geq(committed, acknowledged);
	deleted = committed / 3;
	cr_assert_eq(store_case_load(sc), committed - deleted);
	for (size_t i = 0; i < sc->record_count; i++) {
		const struct job_record *record = &sc->records[i];

		cr_assert_null(record->state.invalid);
		cr_assert_leq(record->state.last_run, committed);
		cr_assert_eq(record->state.last_run, (uint32_t)atoi(record->job->id + 4));
	}
	query.limit = committed + 1000;
	cr_assert_eq(store_case_query(sc, &query), 0);
	cr_assert_eq(sc->run_count, committed);
	if (deleted)
		cr_assert_eq(store_case_last_run(sc, "job-2"), 2u);
	store_case_forget(sc);
	store_close(sc->store);
	sc->store = NULL;
	return committed;
}

Test(store_kill, loses_nothing_that_was_acknowledged, .timeout = 500)
{
	struct store_case sc;
	uint32_t committed = 0;
	unsigned seed = (unsigned)getpid();

	store_case_prepare(&sc, "sqlite");
	for (int i = 0; i < KILLS; i++) {
		uint32_t acknowledged = killed_round(&sc, committed + 1, &seed);

		committed = killed_check(&sc, acknowledged);
	}
	cr_assert_gt(committed, KILLS);
	store_case_clear(&sc);
}
