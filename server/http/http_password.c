/* SPDX-License-Identifier: MIT */
/*
 * One queue under one lock. A check belongs to the loop until it is queued, to
 * a thread while that computes, and to the loop again once it is in done.
 */
#include "server/http/http_password.h"

#include <crypt.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct http_password {
	struct http_password *next;
	char *text; /* owned */
	char *hash; /* owned */
	bool right;
	void (*call)(bool right, void *context); /* NULL: cancelled; the loop's alone */
	void *context;                           /* passed back, not owned */
};

struct http_passwords {
	struct event *done_event;
	int wake; /* eventfd: something is in done */
	unsigned threads;
	unsigned waiting; /* checks queued or being computed; the loop's alone */
	pthread_t thread[HTTP_PASSWORD_THREADS];
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t work;
	struct http_password *queue, **queue_end;
	struct http_password *done;
	bool stopping;
};

static void http_password_free(struct http_password *password)
{
	if (password->text)
		explicit_bzero(password->text, strlen(password->text));
	free(password->text);
	free(password->hash);
	free(password);
}

/* ---- On a thread ---- */

static void http_password_compute(struct http_password *password, struct crypt_data *data)
{
	/* Not crypt_r(): sanitizers look for that before this module's library is loaded. */
	const char *made = crypt_rn(password->text, password->hash, data, (int)sizeof(*data));
	size_t length = strlen(password->hash);
	unsigned char difference = 0;

	password->right = false;
	if (!made || strlen(made) != length)
		return;
	for (size_t i = 0; i < length; i++)
		difference |= (unsigned char)(made[i] ^ password->hash[i]);
	password->right = difference == 0;
}

static struct http_password *http_password_take(struct http_passwords *passwords)
{
	struct http_password *password;

	pthread_mutex_lock(&passwords->lock);
	while (!passwords->queue && !passwords->stopping)
		pthread_cond_wait(&passwords->work, &passwords->lock);
	password = passwords->stopping ? NULL : passwords->queue;
	if (password)
		passwords->queue = password->next;
	if (!passwords->queue)
		passwords->queue_end = &passwords->queue;
	pthread_mutex_unlock(&passwords->lock);
	return password;
}

static void *http_password_main(void *context)
{
	struct http_passwords *passwords = context;
	struct crypt_data *data = calloc(1, sizeof(*data));
	struct http_password *password;
	uint64_t one = 1;

	while (data && (password = http_password_take(passwords))) {
		http_password_compute(password, data);
		pthread_mutex_lock(&passwords->lock);
		password->next = passwords->done;
		passwords->done = password;
		pthread_mutex_unlock(&passwords->lock);
		if (write(passwords->wake, &one, sizeof(one)) < 0)
			break; /* cannot be: the counter does not overflow */
	}
	if (data)
		explicit_bzero(data, sizeof(*data));
	free(data);
	return NULL;
}

/* ---- On the loop ---- */

static void http_password_done(evutil_socket_t fd, short what, void *context)
{
	struct http_passwords *passwords = context;
	struct http_password *password, *next;
	uint64_t count;

	(void)what;
	if (read(fd, &count, sizeof(count)) < 0)
		return;
	pthread_mutex_lock(&passwords->lock);
	password = passwords->done;
	passwords->done = NULL;
	pthread_mutex_unlock(&passwords->lock);
	for (; password; password = next) {
		next = password->next;
		passwords->waiting--;
		if (password->call)
			password->call(password->right, password->context);
		http_password_free(password);
	}
}

struct http_passwords *http_passwords_new(struct event_base *base)
{
	struct http_passwords *passwords = calloc(1, sizeof(*passwords));

	if (!passwords)
		return NULL;
	passwords->queue_end = &passwords->queue;
	passwords->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&passwords->lock, NULL);
	pthread_cond_init(&passwords->work, NULL);
	if (passwords->wake >= 0)
		passwords->done_event = event_new(
		    base, passwords->wake, EV_READ | EV_PERSIST, http_password_done, passwords);
	if (passwords->done_event && event_add(passwords->done_event, NULL) == 0)
		return passwords;
	http_passwords_free(passwords);
	return NULL;
}

static void http_passwords_drop(struct http_password *password)
{
	struct http_password *next;

	for (; password; password = next) {
		next = password->next;
		http_password_free(password);
	}
}

void http_passwords_free(struct http_passwords *passwords)
{
	if (!passwords)
		return;
	pthread_mutex_lock(&passwords->lock);
	passwords->stopping = true;
	pthread_cond_broadcast(&passwords->work);
	pthread_mutex_unlock(&passwords->lock);
	for (unsigned i = 0; i < passwords->threads; i++)
		pthread_join(passwords->thread[i], NULL);
	http_passwords_drop(passwords->queue);
	http_passwords_drop(passwords->done);
	if (passwords->done_event)
		event_free(passwords->done_event);
	if (passwords->wake >= 0)
		close(passwords->wake);
	pthread_cond_destroy(&passwords->work);
	pthread_mutex_destroy(&passwords->lock);
	free(passwords);
}

/* Signals are the daemon's business: none is delivered on these threads. */
static bool http_passwords_start(struct http_passwords *passwords)
{
	sigset_t all, old;
	int rc;

	if (passwords->threads == HTTP_PASSWORD_THREADS)
		return true;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(
	    &passwords->thread[passwords->threads], NULL, http_password_main, passwords);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	passwords->threads += rc == 0;
	return passwords->threads > 0;
}

struct http_password *http_password_check(struct http_passwords *passwords, const char *text,
    const char *hash, void (*call)(bool right, void *context), void *context)
{
	struct http_password *password;

	if (passwords->waiting == HTTP_PASSWORD_QUEUE || !http_passwords_start(passwords))
		return NULL;
	password = calloc(1, sizeof(*password));
	if (!password)
		return NULL;
	password->text = strdup(text);
	password->hash = strdup(hash);
	if (!password->text || !password->hash) {
		http_password_free(password);
		return NULL;
	}
	password->call = call;
	password->context = context;
	passwords->waiting++;
	pthread_mutex_lock(&passwords->lock);
	*passwords->queue_end = password;
	passwords->queue_end = &password->next;
	pthread_cond_signal(&passwords->work);
	pthread_mutex_unlock(&passwords->lock);
	return password;
}

void http_password_cancel(struct http_password *password)
{
	password->call = NULL;
}
