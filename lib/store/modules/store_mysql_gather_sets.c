/* SPDX-License-Identifier: MIT */
/* Statements in their packets, and rows that are gathered into statements over sets of them. */
#include <stdlib.h>
#include <string.h>
#include "store/modules/store_mysql_gather.h"

#define COMMIT_BYTES (2u * 1024 * 1024) /* of rows in one statement, but for a single one */

/* ---- Statements ---- */

struct commit_packet *store_mysql_new_packet(struct commit *commit)
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
		packet = store_mysql_new_packet(commit);
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

struct commit_sent *store_mysql_say(struct commit *commit, const char *format, ...)
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

struct commit_sent *store_mysql_add_text(struct commit *commit, const struct strbuf *text)
{
	struct commit_sent *sent =
	    strbuf_failed(text) ? NULL : commit_add(commit, strbuf_peek(text), text->length);

	if (!sent)
		commit->rc = schedd_error_nomem(&commit->err);
	return sent;
}

/* For a statement that says MY_RAISE. */
void store_mysql_because(struct commit_sent *sent, enum commit_reason reason, const char *id)
{
	if (!sent)
		return;
	sent->reason = reason;
	sent->id = id;
}

/* ---- Rows ---- */

static struct my_set_text commit_set(const struct commit *commit, enum my_set set)
{
	const struct my_set_text *shared = &my_set_texts_shared[set];

	return commit->link->config->shared && shared->before ? *shared : my_set_texts[set];
}

static struct strbuf *row_next(struct commit *commit, enum my_set set)
{
	struct commit_rows *rows = &commit->sets[set];

	if (rows->column++)
		strbuf_add_char(&rows->text, ',');
	else if (commit_set(commit, set).table && !my_of(commit->link)->mariadb)
		strbuf_add(&rows->text, rows->count ? ",ROW(" : "ROW(");
	else
		strbuf_add(&rows->text, rows->count ? ",(" : "(");
	return &rows->text;
}

void store_mysql_row_text(struct commit *commit, enum my_set set, const char *text)
{
	my_add_text(row_next(commit, set), text);
}

void store_mysql_row_number(struct commit *commit, enum my_set set, int64_t number)
{
	my_add_number(row_next(commit, set), number);
}

void store_mysql_row_unless(struct commit *commit, enum my_set set, int64_t number, int64_t nothing)
{
	if (number == nothing)
		store_mysql_row_text(commit, set, NULL);
	else
		store_mysql_row_number(commit, set, number);
}

void store_mysql_row_time(struct commit *commit, enum my_set set, schedd_time when)
{
	store_mysql_row_unless(commit, set, when, SCHEDD_TIME_NONE);
}

void store_mysql_row_end(struct commit *commit, enum my_set set)
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
		store_mysql_because(store_mysql_say(commit, MY_RAISE "row_count() <> 1)"), REASON_LOST,
		    op->claim.id);
	commit->claim_count = 0;
	commit->ticket = ++my_of(commit->link)->ticket;
}

/* Another may have added it meanwhile: then it has not our ticket. */
static void commit_check_adds(struct commit *commit)
{
	for (uint32_t i = 0; i < commit->add_count; i++) {
		const char *id = commit->adds[i]->put_job.job->id;

		store_mysql_because(store_mysql_say(commit,
					MY_RAISE "NOT EXISTS (SELECT 1 FROM schedd_jobs WHERE id = ?t AND claim = ?n))",
					id, commit->ticket),
		    REASON_THERE, id);
	}
	commit->ticket = ++my_of(commit->link)->ticket;
}

static void commit_send_set(struct commit *commit, enum my_set set)
{
	struct commit_rows *rows = &commit->sets[set];
	struct strbuf text = STRBUF_EMPTY;
	struct commit_sent *sent = NULL;

	if (rows->count == 0 || commit->rc)
		return;
	strbuf_add(&text, commit_set(commit, set).before);
	strbuf_add_n(&text, strbuf_peek(&rows->text), rows->text.length);
	strbuf_add(&text, commit_set(commit, set).after);
	if (!strbuf_failed(&text) && !strbuf_failed(&rows->text))
		sent = commit_add(commit, strbuf_peek(&text), text.length);
	strbuf_clear(&text);
	strbuf_reset(&rows->text);
	rows->count = 0;
	if (!sent)
		commit->rc = schedd_error_nomem(&commit->err);
	else if (set == MY_SET_CLAIMS)
		commit_after_claims(commit, sent);
	else if (set == MY_SET_ADDS && commit->link->config->shared)
		commit_check_adds(commit);
	if (sent && set == MY_SET_ADDS)
		commit_ask_adds(commit);
}

/* In an order in which each finds what it needs. */
void store_mysql_flush(struct commit *commit)
{
	for (int set = 0; set < MY_SETS; set++)
		commit_send_set(commit, (enum my_set)set);
	strmap_clear(&commit->seen);
	strmap_init(&commit->seen, commit->seen.key);
}

void store_mysql_room(struct commit *commit, enum my_set set)
{
	uint64_t most = my_of(commit->link)->max_packet / 4;
	size_t length = commit->sets[set].text.length;

	if (commit->sets[set].count >= COMMIT_ROWS || length > COMMIT_BYTES ||
	    (most && length > most))
		store_mysql_flush(commit);
}

bool store_mysql_note(struct commit *commit, const char *text)
{
	struct commit_key *key = arena_alloc(&commit->arena, sizeof(*key));

	if (!key)
		return true;
	key->text = text;
	return strmap_put(&commit->seen, key) != SCHEDD_ECONFLICT;
}

/* Flushes if that stands in the sets already: a statement must not touch a row twice. */
void store_mysql_once(struct commit *commit, const char *text)
{
	if (store_mysql_note(commit, text))
		return;
	store_mysql_flush(commit);
	(void)!store_mysql_note(commit, text);
}
