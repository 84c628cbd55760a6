/* SPDX-License-Identifier: MIT */
/* What a link says of itself: how long it has, why it failed, and its news for the loop. */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "store/store_remote_parts.h"

int64_t store_remote_mono(void)
{
	const struct schedd_clock *clock = schedd_clock_system();

	return clock->mono(clock->context).us;
}

int store_link_left(const struct store_link *link)
{
	int64_t left = (link->deadline - store_remote_mono() + 999) / 1000;

	return left <= 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

/* Every occurrence, whatever a library put it into. */
static void remote_hide(char *text, const char *secret)
{
	size_t length = secret ? strlen(secret) : 0;

	if (length == 0)
		return;
	for (char *at = text; (at = strstr(at, secret));) {
		size_t rest = strlen(at + length);

		if (length >= 3) {
			memcpy(at, "***", 3);
			memmove(at + 3, at + length, rest + 1);
			at += 3;
		} else {
			memset(at, '*', length);
			at += length;
		}
	}
}

int store_link_fail(struct store_link *link, enum store_fault fault, struct schedd_error *err,
    const char *format, ...)
{
	char text[SCHEDD_ERROR_MESSAGE_MAX];
	va_list args;
	size_t length;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	remote_hide(text, link->config->url.password);
	length = strlen(text);
	while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == ' '))
		text[--length] = '\0';
	/* One line, whatever the library wrote. */
	length = 0;
	for (const char *at = text; *at; at++) {
		char c = *at == '\n' || *at == '\t' ? ' ' : *at;

		if (c != ' ' || length == 0 || text[length - 1] != ' ')
			text[length++] = c;
	}
	text[length] = '\0';
	link->fault = fault;
	return schedd_error_set(
	    err, SCHEDD_EFAILED, "store '%s': %s", link->config->name, text);
}

/* ---- News for the loop ---- */

struct remote_news {
	struct mailbox_letter letter; /* first */
	struct remote_store *remote;
	enum store_state state;
	struct schedd_error why;
	uint64_t epoch;
	uint64_t behind;
	uint64_t unsure;
	char durability[STORE_DURABILITY_MAX];
	schedd_span round_trip;
};

static void remote_news_open(struct mailbox_letter *letter)
{
	struct remote_news *news = (struct remote_news *)letter;
	struct remote_store *remote = news->remote;

	if (news->state == STORE_OK) {
		remote->base.epoch = news->epoch;
		remote->base.behind = news->behind;
		remote->base.unsure = news->unsure;
		memcpy(remote->durability, news->durability, sizeof(remote->durability));
	}
	if (news->round_trip >= 0)
		remote->round_trip = news->round_trip;
	store_set_state(&remote->base, news->state, news->state == STORE_OK ? NULL : &news->why);
	free(news);
}

void store_remote_tell_state(struct remote_end *end, schedd_span round_trip)
{
	struct remote_news *news = end->link.writer ? calloc(1, sizeof(*news)) : NULL;

	if (!news)
		return;
	news->letter.open = remote_news_open;
	news->remote = end->remote;
	news->state = end->state;
	news->why = end->why;
	news->epoch = end->link.epoch;
	news->behind = end->link.behind;
	news->unsure = end->link.unsure;
	memcpy(news->durability, end->link.durability, sizeof(news->durability));
	news->round_trip = round_trip;
	mailbox_post(end->remote->base.mailbox, &news->letter);
}

struct remote_doubt {
	struct mailbox_letter letter; /* first */
	struct store_batch *batch;
	struct schedd_error err;
};

static void remote_doubt_open(struct mailbox_letter *letter)
{
	struct remote_doubt *doubt = (struct remote_doubt *)letter;

	store_batch_unknown(doubt->batch, &doubt->err);
	free(doubt);
}

/* Before its answer, which is posted later to the same box. */
void store_remote_tell_doubt(struct remote_end *end, struct store_batch *batch,
    const struct schedd_error *err)
{
	struct remote_doubt *doubt = batch->unknown ? calloc(1, sizeof(*doubt)) : NULL;

	if (!doubt)
		return;
	doubt->letter.open = remote_doubt_open;
	doubt->batch = batch;
	doubt->err = *err;
	mailbox_post(end->remote->base.mailbox, &doubt->letter);
}
