/* SPDX-License-Identifier: MIT */
/*
 * Slow password hashes, computed on threads of their own, two at a time; the
 * answers come on the loop's thread.
 */
#ifndef SCHEDD_SERVER_HTTP_HTTP_PASSWORD_H
#define SCHEDD_SERVER_HTTP_HTTP_PASSWORD_H

#include <stdbool.h>
#include <event2/event.h>

struct http_passwords;
struct http_password; /* one that is being checked */

#define HTTP_PASSWORD_THREADS 2
#define HTTP_PASSWORD_QUEUE 64 /* beyond: refused at once */

/* NULL: no memory, or no descriptor. Threads start when there is work and end with it. */
struct http_passwords *http_passwords_new(struct event_base *base);
/* Waits for what is being computed; nothing is answered any more. */
void http_passwords_free(struct http_passwords *passwords);
/* Is text the password of that hash? call is called once, unless it is cancelled. NULL: too many
 * wait, or no memory. */
struct http_password *http_password_check(struct http_passwords *passwords, const char *text,
    const char *hash, void (*call)(bool right, void *context), void *context);
/* Nobody wants to know any more. */
void http_password_cancel(struct http_password *password);

#endif
