/* SPDX-License-Identifier: MIT */
/*
 * A claim whose exchange with the server is cut after N bytes, for every N, on
 * the way there and on the way back: it is stored once, and its answer says so.
 * Of an exchange that is long every seventh, with SCHEDD_TEST_CUT_STEP=1 every single one.
 */
#include "support/cut_proxy.h"
#include "support/store_case.h"

struct cut_case {
	struct store_case sc;
	struct cut_proxy proxy;
	struct store_option options[4];
	uint32_t claims; /* stored, each with its run */
};

static bool cut_prepare(struct cut_case *cc)
{
	struct store_batch *batch;
	int count = 0;

	if (!store_case_has("server"))
		return false;
	memset(cc, 0, sizeof(*cc));
	store_case_prepare(&cc->sc, "server");
	cut_proxy_start(&cc->proxy, getenv("SCHEDD_TEST_PROXY_SOCKET"),
	    getenv("SCHEDD_TEST_SERVER_SOCKET"));
	cc->options[count++] = (struct store_option){"timeout", "20s"};
	if (geteuid() == 0)
		cc->options[count++] = (struct store_option){"run_as", "root"};
	cc->sc.config.url = getenv("SCHEDD_TEST_PROXY_URL");
	cc->sc.config.options = cc->options;
	cr_assert_eq(store_case_open(&cc->sc), 0, "%s", cc->sc.err.message);
	batch = store_batch_new(cc->sc.store);
	store_case_put_job(&cc->sc, batch, "{\"id\":\"a\",\"shell\":\"true\"}");
	cr_assert_eq(store_case_commit(&cc->sc, batch), 0);
	return true;
}

static void cut_clear(struct cut_case *cc)
{
	store_close(cc->sc.store);
	cc->sc.store = NULL;
	cut_proxy_stop(&cc->proxy);
	store_case_clear(&cc->sc);
}

/* One claim of the next number; its answer. */
static enum store_verdict cut_claim(struct cut_case *cc)
{
	enum store_verdict verdict = STORE_CLAIM_REFUSED;
	struct store_batch *batch = store_batch_new(cc->sc.store);
	struct job_state state;

	job_state_init(&state);
	state.run_count = state.last_run = cc->claims + 1;
	state.next_fire = state.next_run_time = STORE_CASE_NOW + cc->claims;
	store_batch_claim(batch, "a", cc->claims, &state, &verdict);
	store_case_put_run(batch, "a", cc->claims + 1, RUN_RUNNING, 0);
	cr_assert_eq(store_case_commit(&cc->sc, batch), 0, "%s", cc->sc.err.message);
	cc->claims++;
	return verdict;
}

/* Everything that was answered is there, and nothing else. */
static void cut_check(struct cut_case *cc)
{
	struct store_run_query query = STORE_CASE_ALL;

	query.limit = cc->claims + 10;
	cr_assert_eq(store_case_query(&cc->sc, &query), 0, "%s", cc->sc.err.message);
	cr_assert_eq(cc->sc.run_count, cc->claims);
	cr_assert_eq(cc->sc.runs[0].number, cc->claims);
	cr_assert_eq(store_case_load(&cc->sc), 1u);
	cr_assert_eq(cc->sc.records[0].state.last_run, cc->claims);
	cr_assert_eq(cc->sc.records[0].state.run_count, cc->claims);
	cr_assert_eq(store_epoch(cc->sc.store), 1u);
}

/*
 * Each byte, where a cut costs little. Elsewhere every so many: which of them it is changes from run to run, so
 * that all have their turn; SCHEDD_TEST_CUT_STEP=1 cuts at all of them.
 */
static long cut_step(long length)
{
	const char *text = getenv("SCHEDD_TEST_CUT_STEP"), *type = getenv("SCHEDD_TEST_STORE_TYPE");
	bool dear = strcmp(type, "etcd") == 0 || strcmp(type, "zookeeper") == 0 ||
		    strcmp(type, "mongodb") == 0;

	return text ? atol(text) : dear ? length / 80 + 1 : length > 1000 ? 7 : 1;
}

static void cut_way(int way)
{
	static struct cut_case cc;
	long length, step;

	if (!cut_prepare(&cc))
		return;
	/* As long as with numbers of that many digits. */
	for (int i = 0; i < 10; i++)
		cut_claim(&cc);
	length = atomic_load(&cc.proxy.moved[way]);
	cut_claim(&cc);
	length = atomic_load(&cc.proxy.moved[way]) - length + 8;
	step = cut_step(length);
	for (long bytes = getpid() % step; bytes <= length; bytes += step) {
		cut_proxy_arm(&cc.proxy, way, bytes);
		cr_assert_eq(cut_claim(&cc), STORE_CLAIM_DONE, "cut after %ld bytes of way %d", bytes,
		    way);
		cut_proxy_arm(&cc.proxy, way, -1);
		cr_assert_lt(store_epoch(cc.sc.store), 2u);
	}
	cr_expect_gt(atomic_load(&cc.proxy.cuts), length / step / 2);
	fprintf(stderr, "cut %d times on the way %s, of %ld bytes\n", atomic_load(&cc.proxy.cuts),
	    way ? "back" : "there", length);
	cut_check(&cc);
	cut_clear(&cc);
}

Test(store_server, stores_a_claim_once_though_its_request_is_cut)
{
	cut_way(0);
}

Test(store_server, stores_a_claim_once_though_its_answer_is_cut)
{
	cut_way(1);
}
