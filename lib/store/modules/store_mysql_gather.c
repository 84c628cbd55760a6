/* SPDX-License-Identifier: MIT */
/*
 * A group of batches becomes one packet of statements, which is one transaction
 * and one round trip: so a daemon that is stopped in the middle holds no lock.
 * Its first statement is the owner's guard. Entries of a kind are gathered into
 * statements over sets of rows. What must not be makes a statement fail, for
 * there is no looking before the commit; what stands in its place says why.
 */
#include <stdlib.h>
#include <string.h>
#include "store/modules/store_mysql_gather.h"

#define COMMIT_ROWS 5000                /* in one statement */
#define COMMIT_BYTES (2u * 1024 * 1024) /* likewise, but for a single row */

struct commit_key {
	const char *text;
};

/* ---- Statements ---- */

static struct commit_packet *commit_new_packet(struct commit *commit)
{
	struct commit_packet *packet = arena_alloc(&commit->arena, sizeof(*packet));

	if (!packet)
		return NULL;
	memset(packet, 0, sizeof(*packet));
	if (commit->packet)
		commit->packet->next = packet;
	else
		commit->packets = packet;
	commit->packet = packet;
	commit->last = &packet->first;
	return packet;
}

/* Another packet begins where the server would not take one so long. */
static struct commit_sent *commit_add(struct commit *commit, const char *bytes, size_t length)
{
	uint64_t most = my_of(commit->link)->max_packet;
	struct commit_packet *packet = commit->packet;
	struct commit_sent *sent = arena_alloc(&commit->arena, sizeof(*sent));

	if (packet && most && packet->text.length && packet->text.length + length + 2 >= most)
		packet = commit_new_packet(commit);
	if (!sent || !packet)
		return NULL;
	memset(sent, 0, sizeof(*sent));
	if (packet->text.length)
		strbuf_add_char(&packet->text, ';');
	strbuf_add_n(&packet->text, bytes, length);
	*commit->last = sent;
	commit->last = &sent->next;
	return sent;
}

static struct commit_sent *commit_say(struct commit *commit, const char *format, ...)
{
	struct strbuf text = STRBUF_EMPTY;
	struct commit_sent *sent = NULL;
	va_list args;

	va_start(args, format);
	my_vadd(&text, format, args);
	va_end(args);
	if (!strbuf_failed(&text))
		sent = commit_add(commit, strbuf_peek(&text), text.length);
	if (!sent)
		commit->rc = schedd_error_nomem(&commit->err);
	strbuf_clear(&text);
	return sent;
}

/* For a statement that says MY_RAISE. */
static void commit_because(struct commit_sent *sent, enum commit_reason reason, const char *id)
{
	if (!sent)
		return;
	sent->reason = reason;
	sent->id = id;
}

/* ---- Rows ---- */

static struct strbuf *row_next(struct commit *commit, enum my_set set)
{
	struct commit_rows *rows = &commit->sets[set];

	if (rows->column++)
		strbuf_add_char(&rows->text, ',');
	else if (my_set_texts[set].table && !my_of(commit->link)->mariadb)
		strbuf_add(&rows->text, rows->count ? ",ROW(" : "ROW(");
	else
		strbuf_add(&rows->text, rows->count ? ",(" : "(");
	return &rows->text;
}

static void row_text(struct commit *commit, enum my_set set, const char *text)
{
	my_add_text(row_next(commit, set), text);
}

static void row_number(struct commit *commit, enum my_set set, int64_t number)
{
	my_add_number(row_next(commit, set), number);
}

static void row_unless(struct commit *commit, enum my_set set, int64_t number, int64_t nothing)
{
	if (number == nothing)
		row_text(commit, set, NULL);
	else
		row_number(commit, set, number);
}

static void row_time(struct commit *commit, enum my_set set, schedd_time when)
{
	row_unless(commit, set, when, SCHEDD_TIME_NONE);
}

static void row_end(struct commit *commit, enum my_set set)
{
	strbuf_add_char(&commit->sets[set].text, ')');
	commit->sets[set].column = 0;
	commit->sets[set].count++;
}

/* ---- Sets ---- */

/* Those that did not hold are asked for when all is stored: nearly always there is none. */
static void commit_take_claims(struct commit_sent *sent, MYSQL_RES *rows, uint64_t changed)
{
	(void)rows;
	for (uint32_t i = 0; i < sent->count; i++)
		sent->ops[i]->claim.given = STORE_CLAIM_DONE;
	sent->partly = changed != sent->count;
}

static void commit_take_adds(struct commit_sent *sent, MYSQL_RES *rows, uint64_t changed)
{
	struct my_row row;
	uint32_t at = 0;

	(void)changed;
	while (rows && (row.fields = mysql_fetch_row(rows)))
		for (uint32_t tries = 0; tries < sent->count; tries++, at++) {
			struct store_op *op = sent->ops[at % sent->count];

			if (strcmp(op->put_job.job->id, row.fields[0]) != 0)
				continue;
			op->put_job.given = (uint32_t)my_row_number(&row, 1, 0);
			break;
		}
}

static struct store_op **commit_keep(
    struct commit *commit, struct store_op **ops, uint32_t count)
{
	struct store_op **kept = arena_alloc(&commit->arena, (count + 1) * sizeof(kept[0]));

	if (kept && count)
		memcpy(kept, ops, count * sizeof(kept[0]));
	return kept;
}

/* What numbers they got, in the same transaction. */
static void commit_ask_adds(struct commit *commit)
{
	struct strbuf text = STRBUF_EMPTY;
	struct commit_sent *sent = NULL;

	strbuf_add(&text, "SELECT id, last_run FROM schedd_jobs WHERE id IN (");
	for (uint32_t i = 0; i < commit->add_count; i++) {
		if (i)
			strbuf_add_char(&text, ',');
		my_add_text(&text, commit->adds[i]->put_job.job->id);
	}
	strbuf_add_char(&text, ')');
	if (!strbuf_failed(&text))
		sent = commit_add(commit, strbuf_peek(&text), text.length);
	if (sent) {
		sent->take = commit_take_adds;
		sent->ops = commit_keep(commit, commit->adds, commit->add_count);
		sent->count = sent->ops ? commit->add_count : 0;
	} else {
		commit->rc = schedd_error_nomem(&commit->err);
	}
	strbuf_clear(&text);
	commit->add_count = 0;
}

static void commit_after_claims(struct commit *commit, struct commit_sent *sent)
{
	const struct store_op *op = commit->claims[0];

	sent->take = commit_take_claims;
	sent->ops = commit_keep(commit, commit->claims, commit->claim_count);
	sent->count = sent->ops ? commit->claim_count : 0;
	sent->ticket = commit->ticket;
	/* One that nobody takes the verdict of stands alone. */
	if (!op->claim.verdict)
		commit_because(commit_say(commit, MY_RAISE "row_count() <> 1)"), REASON_LOST,
		    op->claim.id);
	commit->claim_count = 0;
	commit->ticket = ++my_of(commit->link)->ticket;
}

static void commit_send_set(struct commit *commit, enum my_set set)
{
	struct commit_rows *rows = &commit->sets[set];
	struct strbuf text = STRBUF_EMPTY;
	struct commit_sent *sent = NULL;

	if (rows->count == 0 || commit->rc)
		return;
	strbuf_add(&text, my_set_texts[set].before);
	strbuf_add_n(&text, strbuf_peek(&rows->text), rows->text.length);
	strbuf_add(&text, my_set_texts[set].after);
	if (!strbuf_failed(&text) && !strbuf_failed(&rows->text))
		sent = commit_add(commit, strbuf_peek(&text), text.length);
	strbuf_clear(&text);
	strbuf_reset(&rows->text);
	rows->count = 0;
	if (!sent)
		commit->rc = schedd_error_nomem(&commit->err);
	else if (set == MY_SET_CLAIMS)
		commit_after_claims(commit, sent);
	else if (set == MY_SET_ADDS)
		commit_ask_adds(commit);
}

/* In an order in which each finds what it needs. */
static void commit_flush(struct commit *commit)
{
	for (int set = 0; set < MY_SETS; set++)
		commit_send_set(commit, (enum my_set)set);
	strmap_clear(&commit->seen);
	strmap_init(&commit->seen, commit->seen.key);
}

static void commit_room(struct commit *commit, enum my_set set)
{
	uint64_t most = my_of(commit->link)->max_packet / 4;
	size_t length = commit->sets[set].text.length;

	if (commit->sets[set].count >= COMMIT_ROWS || length > COMMIT_BYTES ||
	    (most && length > most))
		commit_flush(commit);
}

static bool commit_note(struct commit *commit, const char *text)
{
	struct commit_key *key = arena_alloc(&commit->arena, sizeof(*key));

	if (!key)
		return true;
	key->text = text;
	return strmap_put(&commit->seen, key) != SCHEDD_ECONFLICT;
}

/* Flushes if that stands in the sets already: a statement must not touch a row twice. */
static void commit_once(struct commit *commit, const char *text)
{
	if (commit_note(commit, text))
		return;
	commit_flush(commit);
	(void)!commit_note(commit, text);
}

/* ---- Entries ---- */

static void commit_job(struct commit *commit, struct store_op *op)
{
	bool add = op->kind == STORE_OP_ADD_JOB;
	enum my_set set = add ? MY_SET_ADDS : MY_SET_PUTS;
	const struct job_state *state = &op->put_job.state;
	struct strbuf text = STRBUF_EMPTY;

	if (commit->link->host->encode(op->put_job.job, state, &text, &commit->err)) {
		commit->rc = SCHEDD_EFAILED;
		return;
	}
	if (commit->sets[MY_SET_CLAIMS].count)
		commit_flush(commit);
	commit_room(commit, set);
	commit_once(commit, arena_printf(&commit->arena, "j%s", op->put_job.job->id));
	if (add)
		commit->adds[commit->add_count++] = op;
	row_text(commit, set, op->put_job.job->id);
	row_text(commit, set, strbuf_peek(&text));
	row_time(commit, set, state->next_fire);
	row_time(commit, set, state->next_run_time);
	row_number(commit, set, (int64_t)state->run_count);
	row_number(commit, set, state->last_run);
	row_number(commit, set, state->revision);
	row_end(commit, set);
	strbuf_clear(&text);
}

static void commit_claim(struct commit *commit, struct store_op *op)
{
	if (!op->claim.verdict || (commit->claim_count && !commit->claims[0]->claim.verdict))
		commit_flush(commit);
	commit_room(commit, MY_SET_CLAIMS);
	commit_once(commit, arena_printf(&commit->arena, "c%s", op->claim.id));
	op->prepared = arena_alloc(&commit->arena, sizeof(commit->ticket));
	if (op->prepared)
		*(int64_t *)op->prepared = commit->ticket;
	op->claim.given = STORE_CLAIM_DONE;
	commit->claims[commit->claim_count++] = op;
	row_text(commit, MY_SET_CLAIMS, op->claim.id);
	row_number(commit, MY_SET_CLAIMS, op->claim.expected);
	row_number(commit, MY_SET_CLAIMS, commit->ticket);
	row_time(commit, MY_SET_CLAIMS, op->claim.next_fire);
	row_time(commit, MY_SET_CLAIMS, op->claim.next_run_time);
	row_number(commit, MY_SET_CLAIMS, (int64_t)op->claim.run_count);
	row_number(commit, MY_SET_CLAIMS, op->claim.last_run);
	row_end(commit, MY_SET_CLAIMS);
}

static void commit_ensure_id(struct commit *commit, const char *id)
{
	row_text(commit, MY_SET_ENSURE, id);
	row_end(commit, MY_SET_ENSURE);
}

static void commit_run_rest(struct commit *commit, const struct run *run)
{
	const enum my_set set = MY_SET_RUNS;

	row_unless(commit, set, run->attempt, 1);
	row_time(commit, set, run->scheduled_at);
	row_time(commit, set, run->started_at);
	row_time(commit, set, run->ended_at);
	row_time(commit, set, store_query_done_at(run));
	row_time(commit, set, run->until);
	row_unless(commit, set, (int64_t)run->count, 1);
	row_unless(commit, set, (int64_t)run->coalesced, 0);
	row_unless(commit, set, run->exit_code, -1);
	row_unless(commit, set, run->signal, 0);
	row_text(commit, set, run->reason);
	row_unless(commit, set, run->max_rss, 0);
	row_unless(commit, set, run->cpu_us, 0);
	row_unless(commit, set, (int64_t)run->output_bytes, 0);
	row_unless(commit, set, (int64_t)run->output_dropped, 0);
	row_unless(commit, set, run->pid, 0);
	row_unless(commit, set, (int64_t)run->pid_start, 0);
	row_text(commit, set, run->attempts);
	row_text(commit, set, run->actor);
	row_text(commit, set, run->result);
	row_end(commit, set);
}

static void commit_run(struct commit *commit, struct store_op *op)
{
	const struct run *run = &op->run.run;
	const enum my_set set = MY_SET_RUNS;

	commit_room(commit, set);
	commit_once(commit,
	    arena_printf(&commit->arena, "r%s/%u", run->job, (unsigned)run->number));
	/* Another claim of the job must not be stored before this one's run was. */
	if (op->run.claim)
		(void)commit_note(commit, arena_printf(&commit->arena, "c%s", run->job));
	else
		commit_ensure_id(commit, run->job);
	row_number(commit, set, (int64_t)commit->order++);
	row_number(commit, set,
	    op->run.claim && op->run.claim->prepared ? *(int64_t *)op->run.claim->prepared : 0);
	row_text(commit, set, run->job);
	row_number(commit, set, run->number);
	row_text(commit, set, run_state_name(run->state));
	row_text(commit, set, run_trigger_name(run->trigger));
	commit_run_rest(commit, run);
}

static void commit_change(struct commit *commit, struct store_op *op)
{
	const enum my_set set = MY_SET_CHANGES;

	commit_room(commit, set);
	if (op->change.job)
		commit_ensure_id(commit, op->change.job);
	row_number(commit, set, (int64_t)commit->order++);
	row_number(commit, set, op->change.when);
	row_text(commit, set, op->change.job);
	row_text(commit, set, op->change.json);
	row_end(commit, set);
}

static void commit_meta_row(
    struct commit *commit, const char *key, const char *text, int64_t number)
{
	commit_room(commit, MY_SET_META);
	commit_once(commit, arena_printf(&commit->arena, "m%s", key));
	row_text(commit, MY_SET_META, key);
	if (text)
		row_text(commit, MY_SET_META, NULL);
	else
		row_number(commit, MY_SET_META, number);
	row_text(commit, MY_SET_META, text);
	row_end(commit, MY_SET_META);
}

static void commit_number(struct commit *commit, struct store_op *op)
{
	commit_meta_row(commit, op->number.key, NULL, op->number.number);
}

static void commit_text(struct commit *commit, struct store_op *op)
{
	if (op->text.text) {
		commit_meta_row(commit, op->text.key, op->text.text, 0);
		return;
	}
	commit_flush(commit);
	commit_say(commit, "DELETE FROM schedd_meta WHERE `key` = ?t", op->text.key);
}

/* The row stays, to remember. */
static void commit_delete_job(struct commit *commit, struct store_op *op)
{
	int64_t last = op->delete_job.last_run;
	const char *id = op->delete_job.id;

	commit_flush(commit);
	commit_say(commit,
	    "UPDATE schedd_jobs SET definition = NULL, next_fire = NULL, next_run_time = NULL, run_count "
	    "= 0, revision = 0, last_run = if(?n = 0, 0, greatest(last_run, ?n)) WHERE id = ?t",
	    last, last, id);
	if (last)
		commit_say(commit,
		    "INSERT INTO schedd_jobs (id, last_run, revision) VALUES (?t, ?n, 0) ON DUPLICATE "
		    "KEY UPDATE last_run = greatest(last_run, VALUES(last_run))",
		    id, last);
}

static void commit_expect_job(struct commit *commit, struct store_op *op)
{
	const char *id = op->expect.id;

	commit_flush(commit);
	commit_because(commit_say(commit,
			   MY_RAISE "NOT EXISTS (SELECT 1 FROM schedd_jobs WHERE id = ?t AND "
				    "definition IS NOT NULL))",
			   id),
	    REASON_REMOVED, id);
	commit_because(commit_say(commit,
			   MY_RAISE "EXISTS (SELECT 1 FROM schedd_jobs WHERE id = ?t AND revision <> "
				    "?n))",
			   id, (int64_t)op->expect.revision),
	    REASON_CHANGED, id);
}

/* The numbers of the old id are not given twice. */
static void commit_rename_job(struct commit *commit, struct store_op *op)
{
	const char *from = op->rename.id, *to = op->rename.to;

	commit_ensure_id(commit, from);
	commit_flush(commit);
	commit_because(commit_say(commit,
			   MY_RAISE "EXISTS (SELECT 1 FROM schedd_jobs k JOIN schedd_runs r ON r.job = "
				    "k.`key` WHERE k.id = ?t))",
			   to),
	    REASON_RUNS, to);
	commit_say(commit, "DELETE FROM schedd_jobs WHERE id = ?t", to);
	commit_say(commit, "UPDATE schedd_jobs SET id = ?t WHERE id = ?t", to, from);
	commit_say(commit,
	    "INSERT INTO schedd_jobs (id, last_run, revision) SELECT ?t, greatest(j.last_run, "
	    "coalesce((SELECT max(number) FROM schedd_runs r WHERE r.job = j.`key`), 0)), 0 FROM "
	    "schedd_jobs j WHERE j.id = ?t",
	    from, to);
}

static void commit_purge_runs(struct commit *commit, struct store_op *op)
{
	int64_t number = op->purge.number;

	commit_flush(commit);
	if (op->purge.job)
		commit_say(commit,
		    "DELETE FROM schedd_runs WHERE job = (SELECT `key` FROM schedd_jobs WHERE id = ?t) "
		    "AND (?n = 0 OR number = ?n)",
		    op->purge.job, number, number);
	else
		commit_say(commit, "DELETE FROM schedd_runs WHERE ?n = 0 OR number = ?n", number,
		    number);
}

static void (*const commit_verbs[STORE_OP_COUNT])(struct commit *, struct store_op *) = {
    [STORE_OP_PUT_JOB] = commit_job,
    [STORE_OP_ADD_JOB] = commit_job,
    [STORE_OP_EXPECT] = commit_expect_job,
    [STORE_OP_CLAIM] = commit_claim,
    [STORE_OP_DELETE_JOB] = commit_delete_job,
    [STORE_OP_PUT_RUN] = commit_run,
    [STORE_OP_PURGE_RUNS] = commit_purge_runs,
    [STORE_OP_RENAME] = commit_rename_job,
    [STORE_OP_PUT_NUMBER] = commit_number,
    [STORE_OP_PUT_TEXT] = commit_text,
    [STORE_OP_PUT_CHANGE] = commit_change,
};

/* ---- A group ---- */

static const char *commit_seen_key(const void *item)
{
	return ((const struct commit_key *)item)->text;
}

static int gather_begin(struct commit *commit, const struct store_batch *first)
{
	struct store_link *link = commit->link;

	if (!commit_new_packet(commit))
		return schedd_error_nomem(&commit->err);
	commit_say(commit, "START TRANSACTION");
	commit_say(commit,
	    "UPDATE schedd_owner SET batch = ?n WHERE one = 1 AND epoch = ?n AND life = ?t",
	    (int64_t)first->serial, (int64_t)link->epoch, link->config->life);
	commit_because(commit_say(commit, MY_RAISE "row_count() <> 1)"), REASON_FENCED, NULL);
	return commit->rc;
}

int store_mysql_gather(struct commit *commit, struct store_link *link, struct store_batch *first,
    struct store_batch *end, struct schedd_error *err)
{
	memset(commit, 0, sizeof(*commit));
	commit->link = link;
	strmap_init(&commit->seen, commit_seen_key);
	arena_init(&commit->arena);
	commit->claims = arena_alloc(&commit->arena, (COMMIT_ROWS + 1) * sizeof(commit->claims[0]));
	commit->adds = arena_alloc(&commit->arena, (COMMIT_ROWS + 1) * sizeof(commit->adds[0]));
	commit->ticket = ++my_of(link)->ticket;
	commit->order = 1;
	if (arena_failed(&commit->arena))
		return schedd_error_nomem(err);
	commit->rc = gather_begin(commit, first);
	for (struct store_batch *batch = first; batch != end; batch = batch->next)
		for (struct store_op *op = batch->first; op && commit->rc == 0; op = op->next)
			commit_verbs[op->kind](commit, op);
	commit_flush(commit);
	commit_say(commit, "COMMIT");
	if (commit->rc == 0 && arena_failed(&commit->arena))
		commit->rc = schedd_error_nomem(&commit->err);
	if (commit->rc)
		*err = commit->err;
	return commit->rc;
}

void store_mysql_gather_clear(struct commit *commit)
{
	for (struct commit_packet *packet = commit->packets; packet; packet = packet->next)
		strbuf_clear(&packet->text);
	for (int set = 0; set < MY_SETS; set++)
		strbuf_clear(&commit->sets[set].text);
	strmap_clear(&commit->seen);
	arena_clear(&commit->arena);
}
