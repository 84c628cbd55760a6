/* SPDX-License-Identifier: MIT */
/* Few questions are known at a time: they are in a list, the newest first. */
#include "base/slow_ask.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <schedd/clock.h>

#define SLOW_STACK ((size_t)256 * 1024) /* look-ups load libraries and have buffers */
#define SLOW_MOST 16                    /* under way at one time */
#define SLOW_KNOWN 64                   /* questions that are remembered */
#define SLOW_MOMENT (100 * (schedd_span)1000)
#define SLOW_SHORT (5 * (schedd_span)1000) /* while somebody is silent */
#define SLOW_DEED (SCHEDD_SECOND / 2)      /* a disk needs some time on a busy machine */
#define SLOW_SILENCE (10 * SCHEDD_SECOND)  /* so long that is */
#define SLOW_LIFE (5 * SCHEDD_SECOND)      /* of an answer that nothing newer replaces */

struct slow_answer {
	const struct slow_kind *kind;
	void *told;
	unsigned holders;
};

struct slow_question {
	struct slow_question *next;
	const struct slow_kind *kind;
	struct slow_answer *answer; /* NULL: none has come, or it is too old */
	int64_t came;               /* when */
	int64_t begun;              /* when it was asked last */
	uint64_t answers;           /* how often something came */
	unsigned waiters;
	bool under_way;
	bool nomem; /* the last one ran out of it */
	char key[];
};

struct slow_deed {
	void (*act)(void *context);
	void (*drop)(void *context);
	void *context;
	bool done;
	bool left; /* nobody waits for it any more */
};

static pthread_mutex_t slow_lock = PTHREAD_MUTEX_INITIALIZER; /* of all below */
static pthread_cond_t slow_changed;
static pthread_once_t slow_once = PTHREAD_ONCE_INIT;
static struct slow_question *slow_questions;
static unsigned slow_under_way;
/* Questions and deeds each for themselves: a silent server says nothing of the disk. */
static struct slow_patience {
	schedd_span moment, brief;
	int64_t silent; /* until then nobody is waited for but for a brief time */
} slow_questioned = {SLOW_MOMENT, SLOW_SHORT, 0}, slow_done = {SLOW_DEED, SLOW_MOMENT, 0};

static void slow_begin(void)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&slow_changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

static int64_t slow_now(void)
{
	const struct schedd_clock *clock = schedd_clock_system();

	return clock->mono(clock->context).us;
}

/* Until something has come, under the lock. False: that moment is over. */
static bool slow_wait(int64_t until)
{
	struct timespec end = {.tv_sec = (time_t)(until / SCHEDD_SECOND),
	    .tv_nsec = (long)(until % SCHEDD_SECOND) * 1000};

	return slow_now() < until && pthread_cond_timedwait(&slow_changed, &slow_lock, &end) == 0;
}

static int64_t slow_limit(const struct slow_patience *patience)
{
	int64_t now = slow_now();

	return now + (now < patience->silent ? patience->brief : patience->moment);
}

static void slow_is_silent(struct slow_patience *patience)
{
	int64_t now = slow_now();

	if (now >= patience->silent)
		patience->silent = now + SLOW_SILENCE;
}

static bool slow_start(void *(*run)(void *context), void *context)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	pthread_t thread;
	int rc;

	if (slow_under_way >= SLOW_MOST || pthread_attr_init(&attributes) != 0)
		return false;
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, SLOW_STACK);
	/* Signals are the loop's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&thread, &attributes, run, context);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	slow_under_way += rc == 0;
	return rc == 0;
}

/* ---- Answers ---- */

static void slow_release(struct slow_answer *answer)
{
	if (!answer || --answer->holders)
		return;
	answer->kind->drop(answer->told);
	free(answer);
}

const void *slow_answer(const struct slow_answer *answer)
{
	return answer->told;
}

void slow_answer_free(struct slow_answer *answer)
{
	pthread_mutex_lock(&slow_lock);
	slow_release(answer);
	pthread_mutex_unlock(&slow_lock);
}

/* ---- Questions ---- */

static void slow_forget(struct slow_question **link)
{
	struct slow_question *question = *link;

	*link = question->next;
	slow_release(question->answer);
	free(question);
}

/* Those that are too many are forgotten, the oldest first. */
static struct slow_question *slow_find(const struct slow_kind *kind, const char *key)
{
	struct slow_question **link = &slow_questions, *question = NULL;
	unsigned count = 0;

	while (*link) {
		if ((*link)->kind == kind && strcmp((*link)->key, key) == 0)
			question = *link;
		else if (++count > SLOW_KNOWN && !(*link)->under_way && !(*link)->waiters) {
			slow_forget(link);
			continue;
		}
		link = &(*link)->next;
	}
	if (question)
		return question;
	question = calloc(1, sizeof(*question) + strlen(key) + 1);
	if (!question)
		return NULL;
	question->kind = kind;
	memcpy(question->key, key, strlen(key) + 1);
	question->next = slow_questions;
	return slow_questions = question;
}

static void *slow_run(void *context)
{
	struct slow_question *question = context;
	struct slow_answer *answer = calloc(1, sizeof(*answer));
	bool nomem = !answer;
	void *told = answer ? question->kind->ask(question->key, &nomem) : NULL;

	pthread_mutex_lock(&slow_lock);
	slow_under_way--;
	question->under_way = false;
	question->answers++;
	question->nomem = nomem;
	if (slow_now() - question->begun < SLOW_MOMENT)
		slow_questioned.silent = 0;
	if (told) {
		question->came = slow_now();
		*answer = (struct slow_answer){question->kind, told, 1};
		slow_release(question->answer);
		question->answer = answer;
	} else {
		free(answer);
	}
	pthread_cond_broadcast(&slow_changed);
	pthread_mutex_unlock(&slow_lock);
	return NULL;
}

/* Asks, and waits a moment. */
static void slow_put(struct slow_question *question)
{
	uint64_t before = question->answers;
	int64_t limit = slow_limit(&slow_questioned);

	if (!question->under_way) {
		question->begun = slow_now();
		question->under_way = true;
		if (!slow_start(slow_run, question)) {
			question->under_way = false;
			return;
		}
	} else if (limit > question->begun + SLOW_MOMENT) {
		/* It was waited for already. */
		limit = question->begun + SLOW_MOMENT;
	}
	question->waiters++;
	while (question->answers == before)
		if (!slow_wait(limit) && question->answers == before)
			break;
	question->waiters--;
	if (question->answers == before)
		slow_is_silent(&slow_questioned);
}

struct slow_answer *slow_ask(const struct slow_kind *kind, const char *key, bool *nomem)
{
	struct slow_question *question;
	struct slow_answer *answer = NULL;

	pthread_once(&slow_once, slow_begin);
	pthread_mutex_lock(&slow_lock);
	question = slow_find(kind, key);
	*nomem = !question;
	if (question) {
		slow_put(question);
		if (question->answer && slow_now() - question->came <= SLOW_LIFE)
			answer = question->answer;
		if (answer)
			answer->holders++;
		*nomem = question->nomem;
	}
	pthread_mutex_unlock(&slow_lock);
	return answer;
}

/* ---- Deeds ---- */

static void *slow_deed_run(void *context)
{
	struct slow_deed *deed = context;
	bool left;

	deed->act(deed->context);
	pthread_mutex_lock(&slow_lock);
	slow_under_way--;
	deed->done = true;
	left = deed->left;
	pthread_cond_broadcast(&slow_changed);
	pthread_mutex_unlock(&slow_lock);
	if (left) {
		deed->drop(deed->context);
		free(deed);
	}
	return NULL;
}

bool slow_do(void (*act)(void *context), void (*drop)(void *context), void *context)
{
	struct slow_deed *deed = malloc(sizeof(*deed));
	bool begun = false, done;
	int64_t limit;

	pthread_once(&slow_once, slow_begin);
	pthread_mutex_lock(&slow_lock);
	if (deed) {
		*deed = (struct slow_deed){act, drop, context, false, false};
		begun = slow_start(slow_deed_run, deed);
	}
	limit = slow_limit(&slow_done);
	while (begun && !deed->done)
		if (!slow_wait(limit) && !deed->done)
			break;
	done = begun && deed->done;
	if (begun && !done) {
		deed->left = true;
		slow_is_silent(&slow_done);
	} else {
		slow_done.silent = 0;
	}
	pthread_mutex_unlock(&slow_lock);
	if (!begun)
		act(context);
	if (!begun || done)
		free(deed);
	return !begun || done;
}
