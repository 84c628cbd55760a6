/* SPDX-License-Identifier: MIT */
/*
 * Questions to the system that may hang for long: its databases of accounts may be a server's. Each is
 * put on a thread of its own and waited for a moment; so the loop may ask, and a silent server costs it that
 * moment once, not once a question. What comes later is what the next one who asks is told, if there is
 * nothing newer in time.
 */
#ifndef SCHEDD_BASE_SLOW_ASK_H
#define SCHEDD_BASE_SLOW_ASK_H

#include <stdbool.h>

struct slow_answer;

struct slow_kind {
	/* On its own thread; may take for ever. NULL: the system could not say; *nomem: for want of memory. */
	void *(*ask)(const char *key, bool *nomem);
	void (*drop)(void *told);
};

/*
 * NULL: nobody has said it yet, or *nomem: there was no memory for that. Otherwise to be given back. From any
 * thread.
 */
struct slow_answer *slow_ask(const struct slow_kind *kind, const char *key, bool *nomem);
/* What ask() returned: valid until it is given back. */
const void *slow_answer(const struct slow_answer *answer);
/* NULL is fine. */
void slow_answer_free(struct slow_answer *answer);

/*
 * Does something on another thread and waits for it a moment, likewise. True: it is done, and context is the
 * caller's. False: it goes on, and drop frees context when it is done.
 */
bool slow_do(void (*act)(void *context), void (*drop)(void *context), void *context);

#endif
