/* SPDX-License-Identifier: MIT */
/* Signals as calls on the loop's thread. */
#ifndef SCHEDD_SERVER_SIGNALS_H
#define SCHEDD_SERVER_SIGNALS_H

#include <schedd/error.h>

struct event_base;
struct signals;

typedef void (*signals_fn)(int signo, void *context);

/* Calls for TERM, INT, HUP and USR2; a broken pipe ends nothing any more. */
/* What write(2) says of a reader that left, or of a file over its limit, is enough: nobody ends of it. */
void signals_begin(void);
int signals_new(struct event_base *base, signals_fn call, void *context, struct signals **out,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* From here on they do nothing: what is being closed is closed to its end. NULL is fine. */
void signals_free(struct signals *signals);
/* For what is run anew in this process: those that come from here on wait for it. */
void signals_hold(void);
/* There: they are remembered until signals_new(), which has them come once more. */
void signals_take_up(void);

#endif
