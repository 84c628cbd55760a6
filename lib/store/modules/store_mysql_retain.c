/* SPDX-License-Identifier: MIT */
/* What is too old goes, oldest first, and how much there is. */
#include "store/modules/store_mysql.h"

/* Runs of which job, or of all that have no rule of their own. */
static void retain_whose(struct strbuf *out, const struct store_rules *rules, bool except)
{
	if (rules->job)
		my_add(out, " AND r.job = (SELECT `key` FROM schedd_jobs WHERE id = ?t)", rules->job);
	if (!except || rules->except_count == 0)
		return;
	strbuf_add(out, " AND r.job NOT IN (SELECT `key` FROM schedd_jobs WHERE id IN (");
	for (size_t i = 0; i < rules->except_count; i++)
		my_add(out, i ? ",?t" : "?t", rules->retention.except[i]);
	strbuf_add(out, "))");
}

/*
 * text selects "serial"s in their order; a table cannot be deleted from and be
 * read in one statement but by a sub-select with a limit.
 */
static int retain_delete(struct store_link *link, struct strbuf *text, uint32_t budget,
    uint32_t *deleted, struct schedd_error *err)
{
	struct strbuf whole = STRBUF_EMPTY;
	int rc;

	my_add(&whole, "DELETE r FROM schedd_runs r JOIN (");
	strbuf_add_n(&whole, strbuf_peek(text), text->length);
	my_add(&whole, " LIMIT ?n) d ON d.serial = r.serial", (int64_t)(budget - *deleted));
	rc = strbuf_failed(text) ? schedd_error_nomem(err)
				 : store_mysql_talk_send(link, &whole, NULL, err);
	if (rc == 0)
		*deleted += (uint32_t)mysql_affected_rows(my_of(link)->mysql);
	strbuf_clear(&whole);
	strbuf_clear(text);
	return rc;
}

static int retain_total(struct store_link *link, const struct store_rules *rules, uint32_t budget,
    uint32_t *deleted, struct schedd_error *err)
{
	struct strbuf text = STRBUF_EMPTY;
	int64_t serial = -1;
	int rc = store_mysql_talk_number(link, &serial, err,
	    "SELECT serial FROM schedd_runs ORDER BY serial DESC LIMIT 1 OFFSET ?n",
	    (int64_t)rules->retention.max_runs);

	if (rc || serial < 0)
		return rc;
	my_add(&text, "SELECT r.serial FROM schedd_runs r WHERE r.done_at IS NOT NULL AND r.serial <= ?n",
	    serial);
	retain_whose(&text, rules, false);
	strbuf_add(&text, " ORDER BY r.serial");
	return retain_delete(link, &text, budget, deleted, err);
}

static int retain_age(struct store_link *link, const struct store_rules *rules, uint32_t budget,
    schedd_time now, uint32_t *deleted, struct schedd_error *err)
{
	struct strbuf text = STRBUF_EMPTY;

	my_add(&text, "SELECT r.serial FROM schedd_runs r WHERE r.done_at < ?n",
	    now - rules->retention.keep_for);
	retain_whose(&text, rules, true);
	strbuf_add(&text, " ORDER BY r.serial");
	return retain_delete(link, &text, budget, deleted, err);
}

static int retain_runs(struct store_link *link, const struct store_rules *rules, uint32_t budget,
    uint32_t *deleted, struct schedd_error *err)
{
	struct strbuf text = STRBUF_EMPTY;

	strbuf_add(&text,
	    "SELECT p.serial FROM (SELECT r.serial, r.done_at, row_number() OVER (PARTITION BY r.job ORDER "
	    "BY r.number DESC) AS place FROM schedd_runs r WHERE 1 = 1");
	retain_whose(&text, rules, true);
	my_add(&text, ") p WHERE p.place > ?n AND p.done_at IS NOT NULL ORDER BY p.serial",
	    (int64_t)rules->retention.keep_runs);
	return retain_delete(link, &text, budget, deleted, err);
}

static int retain_changes(struct store_link *link, const struct store_retention *retention,
    schedd_time now, struct schedd_error *err)
{
	int64_t last = -1;
	int rc = 0;

	if (retention->keep_for != SCHEDD_SPAN_NONE)
		rc = store_mysql_talk_ask(link, NULL, err, "DELETE FROM schedd_changes WHERE at < ?n",
		    now - retention->keep_for);
	if (rc == 0 && retention->max_changes > 0)
		rc = store_mysql_talk_number(link, &last, err,
		    "SELECT id FROM schedd_changes ORDER BY id DESC LIMIT 1 OFFSET ?n",
		    (int64_t)retention->max_changes);
	if (rc == 0 && last >= 0)
		rc = store_mysql_talk_ask(
		    link, NULL, err, "DELETE FROM schedd_changes WHERE id <= ?n", last);
	return rc;
}

int store_mysql_retain(struct store_link *link, const struct store_rules *rules, uint32_t budget,
    schedd_time now, uint32_t *deleted, struct schedd_error *err)
{
	const struct store_retention *retention = &rules->retention;
	int rc = 0;

	*deleted = 0;
	if (retention->max_runs >= 0)
		rc = retain_total(link, rules, budget, deleted, err);
	if (rc == 0 && retention->keep_for != SCHEDD_SPAN_NONE && *deleted < budget)
		rc = retain_age(link, rules, budget, now, deleted, err);
	if (rc == 0 && retention->keep_runs >= 0 && *deleted < budget)
		rc = retain_runs(link, rules, budget, deleted, err);
	if (rc == 0 && !rules->job)
		rc = retain_changes(link, retention, now, err);
	return rc;
}

int store_mysql_sizes(
    struct store_link *link, int64_t *runs, int64_t *bytes, struct schedd_error *err)
{
	int rc = store_mysql_talk_number(link, runs, err, "SELECT count(*) FROM schedd_runs");

	if (rc)
		return rc;
	return store_mysql_talk_number(link, bytes, err,
	    "SELECT cast(sum(data_length + index_length) AS signed) FROM information_schema.tables WHERE "
	    "table_schema = database() AND table_name IN ('schedd_meta', 'schedd_owner', 'schedd_jobs', "
	    "'schedd_runs', 'schedd_changes')");
}
