/* SPDX-License-Identifier: MIT */
/* What its request left goes on to its end, and its place in the line becomes free then. */
#include "server/http/http_aside.h"

#include <stdlib.h>
#include "server/http/http_request.h"

#define HTTP_ASIDE_MOST 2 /* at one time */
#define HTTP_ASIDE_TIDY 80000 /* bytes; beyond its 64 KiB, below what it maps */

static void aside_next(struct web *web);

/*
 * glibc puts together what was freed in small pieces when somebody asks for
 * something large, or frees it: a hundred thousand pieces, and it would be the loop.
 */
static void aside_tidy(void)
{
	void *volatile large = malloc(HTTP_ASIDE_TIDY);

	free(large);
}

static void aside_run(struct offloop_work *work)
{
	struct http_aside *aside = (struct http_aside *)work;

	aside->ops->run(aside);
	aside_tidy();
}

static void aside_tell(struct http_aside *aside)
{
	if (!aside->request)
		return;
	aside->request->aside = NULL;
	aside->ops->done(aside);
}

static void aside_done(struct offloop_work *work)
{
	struct http_aside *aside = (struct http_aside *)work;

	aside->web->asides.under_way--;
	aside_next(aside->web);
	aside_tell(aside);
}

/* It may be that there is no HTTP side any more. */
static void aside_drop(struct offloop_work *work)
{
	struct http_aside *aside = (struct http_aside *)work;

	aside->ops->drop(aside);
}

static const struct offloop_ops aside_work_ops = {
    .run = aside_run,
    .done = aside_done,
    .drop = aside_drop,
};

static struct http_aside *aside_take(struct http_aside_line *line)
{
	struct http_aside *aside = line->first;

	line->first = aside->next;
	if (!line->first)
		line->last = NULL;
	aside->next = NULL;
	return aside;
}

static void aside_next(struct web *web)
{
	struct http_aside_line *line = &web->asides;

	while (line->first && line->under_way < HTTP_ASIDE_MOST) {
		struct http_aside *aside = line->first;

		if (web->host->work(web->host->context, &aside->work)) {
			aside_take(line);
			line->under_way++;
			continue;
		}
		/* When one ends there is a thread again; without any there would be no such time. */
		if (line->under_way)
			return;
		aside_take(line);
		aside->failed = true;
		aside_tell(aside);
		aside->ops->drop(aside);
	}
}

void http_aside_begin(
    struct http_request *request, struct http_aside *aside, const struct http_aside_ops *ops)
{
	struct http_aside_line *line = &request->web->asides;

	aside->work.ops = &aside_work_ops;
	aside->ops = ops;
	aside->web = request->web;
	aside->request = request;
	request->aside = aside;
	if (line->last)
		line->last->next = aside;
	else
		line->first = aside;
	line->last = aside;
	aside_next(request->web);
}

void http_aside_leave(struct http_aside *aside)
{
	struct http_aside_line *line = &aside->web->asides;
	struct http_aside **link = &line->first, *before = NULL;

	aside->request = NULL;
	while (*link && *link != aside) {
		before = *link;
		link = &before->next;
	}
	if (!*link)
		return; /* it is under way */
	*link = aside->next;
	if (line->last == aside)
		line->last = before;
	aside->ops->drop(aside);
}
