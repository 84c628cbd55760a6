/* SPDX-License-Identifier: MIT */
#include "store/modules/store_postgresql_array.h"

#include <stdint.h>
#include <string.h>

static struct strbuf *rows_next(struct pg_rows *rows)
{
	struct strbuf *column = &rows->columns[rows->column++];

	strbuf_add_char(column, rows->count ? ',' : '{');
	return column;
}

void pg_rows_text(struct pg_rows *rows, const char *text)
{
	struct strbuf *column = rows_next(rows);

	if (!text) {
		strbuf_add(column, "NULL");
		return;
	}
	rows->filled[rows->column - 1] = true;
	strbuf_add_char(column, '"');
	while (*text) {
		size_t plain = strcspn(text, "\"\\");

		strbuf_add_n(column, text, plain);
		text += plain;
		if (*text) {
			strbuf_add_char(column, '\\');
			strbuf_add_char(column, *text++);
		}
	}
	strbuf_add_char(column, '"');
}

void pg_rows_bytes(struct pg_rows *rows, const char *bytes, size_t length)
{
	static const char digits[] = "0123456789abcdef";
	struct strbuf *column = rows_next(rows);

	rows->filled[rows->column - 1] = true;
	strbuf_add(column, "\"\\\\x");
	for (size_t i = 0; i < length; i++) {
		const unsigned char byte = (unsigned char)bytes[i];
		const char pair[] = {digits[byte >> 4], digits[byte & 15]};

		strbuf_add_n(column, pair, sizeof(pair));
	}
	strbuf_add_char(column, '"');
}

void pg_rows_number(struct pg_rows *rows, int64_t number)
{
	char text[24], *at = text + sizeof(text);
	uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
	struct strbuf *column = rows_next(rows);

	do
		*--at = (char)('0' + left % 10);
	while (left /= 10);
	if (number < 0)
		*--at = '-';
	rows->filled[rows->column - 1] = true;
	strbuf_add_n(column, at, (size_t)(text + sizeof(text) - at));
}

void pg_rows_unless(struct pg_rows *rows, int64_t number, int64_t nothing)
{
	if (number == nothing)
		strbuf_add(rows_next(rows), "NULL");
	else
		pg_rows_number(rows, number);
}

void pg_rows_time(struct pg_rows *rows, schedd_time when)
{
	pg_rows_unless(rows, when, SCHEDD_TIME_NONE);
}

void pg_rows_end(struct pg_rows *rows)
{
	rows->column = 0;
	rows->count++;
}

int pg_rows_send(
    struct pg_rows *rows, struct store_link *link, const char *text, struct schedd_error *err)
{
	struct pg_params params;
	bool failed = false;
	int rc;

	pg_params_init(&params);
	for (int i = 0; i < PG_ROWS_COLUMNS && (rows->columns[i].length || i == 0); i++) {
		strbuf_add_char(&rows->columns[i], '}');
		failed = failed || strbuf_failed(&rows->columns[i]);
		pg_params_text(&params, rows->filled[i] ? strbuf_peek(&rows->columns[i]) : NULL);
	}
	rc = failed ? schedd_error_nomem(err) : store_postgresql_talk_send(link, text, &params, err);
	pg_params_clear(&params);
	for (int i = 0; i < PG_ROWS_COLUMNS; i++)
		strbuf_reset(&rows->columns[i]);
	memset(rows->filled, 0, sizeof(rows->filled));
	rows->count = 0;
	return rc;
}

void pg_rows_clear(struct pg_rows *rows)
{
	for (int i = 0; i < PG_ROWS_COLUMNS; i++)
		strbuf_clear(&rows->columns[i]);
}

void pg_rows_run(struct pg_rows *rows, const struct run *run)
{
	pg_rows_number(rows, run->number);
	pg_rows_text(rows, run_state_name(run->state));
	pg_rows_text(rows, run_trigger_name(run->trigger));
	pg_rows_unless(rows, run->attempt, 1);
	pg_rows_time(rows, run->scheduled_at);
	pg_rows_time(rows, run->started_at);
	pg_rows_time(rows, run->ended_at);
	pg_rows_time(rows, store_query_done_at(run));
	pg_rows_time(rows, run->until);
	pg_rows_unless(rows, (int64_t)run->count, 1);
	pg_rows_unless(rows, (int64_t)run->coalesced, 0);
	pg_rows_unless(rows, run->exit_code, -1);
	pg_rows_unless(rows, run->signal, 0);
	pg_rows_text(rows, run->reason);
	pg_rows_unless(rows, run->max_rss, 0);
	pg_rows_unless(rows, run->cpu_us, 0);
	pg_rows_unless(rows, (int64_t)run->output_bytes, 0);
	pg_rows_unless(rows, (int64_t)run->output_dropped, 0);
	pg_rows_unless(rows, run->pid, 0);
	pg_rows_unless(rows, (int64_t)run->pid_start, 0);
	pg_rows_text(rows, run->attempts);
	pg_rows_text(rows, run->actor);
	pg_rows_text(rows, run->result);
	pg_rows_end(rows);
}
