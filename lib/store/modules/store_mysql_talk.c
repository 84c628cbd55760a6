/* SPDX-License-Identifier: MIT */
/*
 * libmariadb without its waiting: its calls come in two halves, one that begins
 * and one that goes on, and every wait between them is a poll() of ours until
 * the link's deadline. A call that is late is told so and unwinds.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/socket.h>
#include "store/modules/store_mysql.h"

/* A call that is told again and again that it is late ends sooner than this. */
#define TALK_UNWIND_MOST 100

/* ---- Waiting ---- */

/* What has happened of what the library waits for. */
static int talk_poll(struct store_link *link, int status)
{
	struct pollfd fd = {.fd = mysql_get_socket(my_of(link)->mysql)};

	my_of(link)->waited = status;
	if (status & MYSQL_WAIT_READ)
		fd.events |= POLLIN;
	if (status & MYSQL_WAIT_WRITE)
		fd.events |= POLLOUT;
	if (status & MYSQL_WAIT_EXCEPT)
		fd.events |= POLLPRI;
	for (;;) {
		int left = store_link_left(link), rc = left > 0 ? poll(&fd, 1, left) : 0;

		if (rc == 0 || (rc < 0 && errno != EINTR))
			return MYSQL_WAIT_TIMEOUT;
		if (rc > 0 && fd.revents & (POLLERR | POLLHUP | POLLNVAL))
			return status & (MYSQL_WAIT_READ | MYSQL_WAIT_WRITE);
		if (rc > 0)
			return (fd.revents & POLLIN ? MYSQL_WAIT_READ : 0) |
			       (fd.revents & POLLOUT ? MYSQL_WAIT_WRITE : 0) |
			       (fd.revents & POLLPRI ? MYSQL_WAIT_EXCEPT : 0);
	}
}

/* Goes on with a call until it is done; go is its second half. */
#define TALK_WAIT(link, status, go)                                                                \
	do {                                                                                       \
		int late_ = 0;                                                                     \
		while ((status) && late_ < TALK_UNWIND_MOST) {                                     \
			int happened_ = talk_poll(link, status);                                   \
			late_ += happened_ == MYSQL_WAIT_TIMEOUT;                                  \
			(status) = go(happened_);                                                  \
		}                                                                                  \
	} while (0)

static int talk_late(struct store_link *link, struct schedd_error *err)
{
	return store_link_left(link) == 0 && store_mysql_of_library(my_of(link))
		   ? store_mysql_gone(link, "the server does not answer", err)
		   : store_mysql_failed(link, err);
}

bool store_mysql_talk_open(struct store_link *link, const char *host, const char *user,
    const char *database, unsigned port, const char *socket)
{
	struct my_link *my = my_of(link);
	/* CLIENT_FOUND_ROWS: an UPDATE that changes nothing has found its row all the same. */
	const unsigned long flags = CLIENT_FOUND_ROWS | CLIENT_MULTI_STATEMENTS;
	MYSQL *done = NULL;
	int status;

	my->busy = true;
	status = mysql_real_connect_start(&done, my->mysql, host, user,
	    link->config->url.password, database, port, socket, flags);
#define TALK_GO(happened) mysql_real_connect_cont(&done, my->mysql, happened)
	TALK_WAIT(link, status, TALK_GO);
#undef TALK_GO
	my->busy = status != 0;
	return done && status == 0;
}

/* A server that stands still is not waited for: then nothing is said to it any more. */
void store_mysql_talk_close(struct store_link *link)
{
	struct my_link *my = my_of(link);

	if (!my->mysql)
		return;
	if (my->busy || my->sent || link->fault != STORE_FAULT_NONE) {
		my_socket fd = mysql_get_socket(my->mysql);

		if (fd >= 0)
			shutdown(fd, SHUT_RDWR);
	}
	mysql_close(my->mysql);
	my->mysql = NULL;
	my->busy = my->sent = false;
}

/* ---- One half and the other ---- */

static int talk_query(struct store_link *link, const struct strbuf *text, struct schedd_error *err)
{
	struct my_link *my = my_of(link);
	int failed = 0, status;

	if (strbuf_failed(text))
		return schedd_error_nomem(err);
	if (my->max_packet && text->length + 1 > my->max_packet)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "store '%s': %zu bytes do not fit into one statement, the server's "
		    "max_allowed_packet is %llu",
		    link->config->name, text->length, (unsigned long long)my->max_packet);
	my->busy = true;
	status = mysql_real_query_start(&failed, my->mysql, strbuf_peek(text), text->length);
#define TALK_GO(happened) mysql_real_query_cont(&failed, my->mysql, happened)
	TALK_WAIT(link, status, TALK_GO);
#undef TALK_GO
	if (status == 0 && !failed)
		return 0;
	my->busy = status != 0;
	return talk_late(link, err);
}

static int talk_store(struct store_link *link, MYSQL_RES **out, struct schedd_error *err)
{
	struct my_link *my = my_of(link);
	int status = mysql_store_result_start(out, my->mysql);

#define TALK_GO(happened) mysql_store_result_cont(out, my->mysql, happened)
	TALK_WAIT(link, status, TALK_GO);
#undef TALK_GO
	if (status == 0 && (*out || mysql_field_count(my->mysql) == 0))
		return 0;
	return talk_late(link, err);
}

/* *more: there is one. */
static int talk_next(struct store_link *link, bool *more, struct schedd_error *err)
{
	struct my_link *my = my_of(link);
	int next = 0, status = mysql_next_result_start(&next, my->mysql);

#define TALK_GO(happened) mysql_next_result_cont(&next, my->mysql, happened)
	TALK_WAIT(link, status, TALK_GO);
#undef TALK_GO
	*more = next == 0;
	return status == 0 && next <= 0 ? 0 : talk_late(link, err);
}

/* NULL in row->fields: the end. */
static int talk_row(
    struct store_link *link, MYSQL_RES *rows, struct my_row *row, struct schedd_error *err)
{
	struct my_link *my = my_of(link);
	int status = mysql_fetch_row_start(&row->fields, rows);

#define TALK_GO(happened) mysql_fetch_row_cont(&row->fields, rows, happened)
	TALK_WAIT(link, status, TALK_GO);
#undef TALK_GO
	if (status || (!row->fields && mysql_errno(my->mysql)))
		return talk_late(link, err);
	row->lengths = row->fields ? mysql_fetch_lengths(rows) : NULL;
	return 0;
}

/* ---- Asking ---- */

int store_mysql_talk_send(struct store_link *link, const struct strbuf *text, MYSQL_RES **out,
    struct schedd_error *err)
{
	MYSQL_RES *rows = NULL;
	int rc = talk_query(link, text, err);

	if (rc == 0)
		rc = talk_store(link, &rows, err);
	if (rc == 0)
		my_of(link)->busy = false;
	if (rc == 0 && out)
		*out = rows;
	else
		mysql_free_result(rows);
	return rc;
}

int store_mysql_talk_ask(struct store_link *link, MYSQL_RES **out, struct schedd_error *err,
    const char *format, ...)
{
	struct strbuf text = STRBUF_EMPTY;
	va_list args;
	int rc;

	va_start(args, format);
	my_vadd(&text, format, args);
	va_end(args);
	rc = store_mysql_talk_send(link, &text, out, err);
	strbuf_clear(&text);
	return rc;
}

int store_mysql_talk_number(struct store_link *link, int64_t *out, struct schedd_error *err,
    const char *format, ...)
{
	struct strbuf text = STRBUF_EMPTY;
	MYSQL_RES *rows = NULL;
	va_list args;
	int rc;

	va_start(args, format);
	my_vadd(&text, format, args);
	va_end(args);
	rc = store_mysql_talk_send(link, &text, &rows, err);
	strbuf_clear(&text);
	if (rc)
		return rc;
	*out = -1;
	if (rows && mysql_num_rows(rows)) {
		struct my_row row = {.fields = mysql_fetch_row(rows)};

		*out = my_row_number(&row, 0, -1);
	}
	mysql_free_result(rows);
	return 0;
}

int store_mysql_talk_rows(struct store_link *link, const struct strbuf *text, my_row_fn call,
    void *context, struct schedd_error *err)
{
	struct my_link *my = my_of(link);
	int rc = talk_query(link, text, err);
	struct my_row row = {NULL, NULL, my};
	bool wanted = true;
	MYSQL_RES *rows;

	if (rc)
		return rc;
	rows = mysql_use_result(my->mysql);
	if (!rows)
		return store_mysql_failed(link, err);
	while ((rc = talk_row(link, rows, &row, err)) == 0 && row.fields)
		if (wanted)
			wanted = call(&row, context);
	if (rc == 0) {
		my->busy = false;
		mysql_free_result(rows);
		return 0;
	}
	/* Freeing reads what is left, unless there is nothing to read from. */
	shutdown(mysql_get_socket(my->mysql), SHUT_RDWR);
	mysql_free_result(rows);
	if (link->fault == STORE_FAULT_NONE)
		link->fault = STORE_FAULT_GONE;
	return rc;
}

int store_mysql_talk_packet(struct store_link *link, const struct strbuf *text, my_done_fn call,
    void *context, uint32_t *done, struct schedd_error *err)
{
	struct my_link *my = my_of(link);
	int rc = talk_query(link, text, err);
	bool more = rc == 0;

	*done = 0;
	while (rc == 0 && more) {
		MYSQL_RES *rows = NULL;

		rc = talk_store(link, &rows, err);
		if (rc == 0)
			call((*done)++, rows, mysql_affected_rows(my->mysql), context);
		mysql_free_result(rows);
		if (rc == 0)
			rc = talk_next(link, &more, err);
	}
	/* A server that answers with an error has ended the packet. */
	my->busy = link->fault == STORE_FAULT_UNKNOWN || link->fault == STORE_FAULT_GONE;
	return rc;
}
