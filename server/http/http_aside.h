/* SPDX-License-Identifier: MIT */
/*
 * Long work of requests, done beside the loop: large bodies are read, and long
 * answers written, on threads. Few are under way at one time, as each may take a
 * hundred megabytes; the others stand in line.
 */
#ifndef SCHEDD_SERVER_HTTP_HTTP_ASIDE_H
#define SCHEDD_SERVER_HTTP_HTTP_ASIDE_H

#include "base/value.h"
#include "loop/offloop.h"

#define HTTP_ASIDE_BYTES 32768 /* what is longer is worth a thread */

struct http_aside;
struct http_request;
struct web;

struct http_aside_ops {
	/* On a thread: touches nothing but the aside. */
	void (*run)(struct http_aside *aside);
	/* On the loop, afterwards; the request is not over. It may not have run: see failed. */
	void (*done)(struct http_aside *aside);
	/* Frees it, after done or instead. */
	void (*drop)(struct http_aside *aside);
};

/* First member of what is worked on; to be all zero. */
struct http_aside {
	struct offloop_work work;
	const struct http_aside_ops *ops;
	struct web *web;
	struct http_request *request; /* NULL: it is over */
	struct http_aside *next;      /* in the line */
	bool failed;                  /* there is no thread for it: run was not called */
};

/* Those of an HTTP side. All zero: none. */
struct http_aside_line {
	struct http_aside *first, *last;
	unsigned under_way;
};

/*
 * The request is worked for, and by nothing else, until done, which may be called
 * before this returns. Takes the aside over.
 */
void http_aside_begin(
    struct http_request *request, struct http_aside *aside, const struct http_aside_ops *ops);
/* Its request is over. */
void http_aside_leave(struct http_aside *aside);

#endif
