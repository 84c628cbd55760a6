/* SPDX-License-Identifier: MIT */
/* New jobs of a large batch are written some at a time, but for those that are no new ones after all. */
#include "support/sql_case.h"
#include "support/store_case.h"

/* Sixteen new jobs, each with a change that tells of it. */
static void add_sixteen(struct store_case *sc)
{
	struct store_batch *batch = store_batch_new(sc->store);
	char json[64], id[8];

	for (int i = 0; i < 16; i++) {
		struct job_record record;

		snprintf(id, sizeof(id), "j%02d", i);
		snprintf(json, sizeof(json), "{\"id\":\"%s\",\"shell\":\"true\"}", id);
		record = store_case_job(sc, json);
		store_batch_add_job(batch, record.job, &record.state, NULL);
		store_case_drop(&record);
		snprintf(json, sizeof(json), "{\"pid\":%d}", i);
		store_batch_put_change(batch, i, id, json);
	}
	cr_assert_eq(store_case_commit(sc, batch), 0, "%s", sc->err.message);
}

Test(store_sqlite_many, adds_many_jobs_where_rows_came_by_hand)
{
	static const char *const rows[] = {
	    "INSERT INTO jobs (id, shell) VALUES ('j03', 'false')",
	    "INSERT INTO ids (id) VALUES ('j09')",
	    "INSERT INTO ids (key, id) VALUES (9223372036854775807, 'the last')",
	};

	for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
		struct store_case sc;
		char id[8];

		store_case_init(&sc, "sqlite");
		sql_case_exec(sc.path, rows[row]);
		add_sixteen(&sc);
		cr_assert_eq(store_case_load(&sc), 16u, "%s", rows[row]);
		for (int i = 0; i < 16; i++) {
			snprintf(id, sizeof(id), "j%02d", i);
			cr_expect_str_eq(store_case_record(&sc, id)->job->shell, "true", "%s: %s", rows[row], id);
			store_query_changes(sc.store, id, SCHEDD_TIME_NONE, 10, store_case_take_value, &sc);
			store_case_flush(&sc);
			cr_assert_eq(sc.value.array.count, 1u, "%s: %s", rows[row], id);
			cr_expect_eq(value_get_int(&sc.value.array.items[0], "pid", -1), i);
		}
		store_case_clear(&sc);
	}
}
