/* SPDX-License-Identifier: MIT */
/*
 * Handlers rather than ignoring or blocking: those are undone by exec(2), so
 * jobs find the signals as schedd found them.
 */
#include "server/signals.h"

#include <signal.h>
#include <stdlib.h>
#include <event2/event.h>

static const int signal_numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR2};

#define SIGNAL_COUNT (sizeof(signal_numbers) / sizeof(signal_numbers[0]))

/* Those that the program before held, or that came to this one before it could heed them. */
static volatile sig_atomic_t signals_early[NSIG];

struct signals {
	struct event *events[SIGNAL_COUNT];
	signals_fn call;
	void *context;
};

static void signals_nothing(int signo)
{
	(void)signo;
}

static void signals_remember(int signo)
{
	signals_early[signo] = 1;
}

static void signals_all(sigset_t *all)
{
	sigemptyset(all);
	for (size_t i = 0; i < SIGNAL_COUNT; i++)
		sigaddset(all, signal_numbers[i]);
}

void signals_hold(void)
{
	sigset_t all;

	signals_all(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
}

void signals_take_up(void)
{
	struct sigaction remember = {.sa_handler = signals_remember, .sa_flags = SA_RESTART};
	sigset_t all;

	signals_all(&all);
	for (int signo = 1; signo < NSIG; signo++)
		if (sigismember(&all, signo) == 1)
			sigaction(signo, &remember, NULL);
	pthread_sigmask(SIG_UNBLOCK, &all, NULL);
}

static void signals_take_nothing(int signo)
{
	struct sigaction found,
	    nothing = {.sa_handler = signals_nothing, .sa_flags = SA_RESTART};

	if (sigaction(signo, NULL, &found) == 0 && found.sa_handler == SIG_DFL)
		sigaction(signo, &nothing, NULL);
}

void signals_begin(void)
{
	signals_take_nothing(SIGPIPE);
	signals_take_nothing(SIGXFSZ);
}

static void signals_arrived(evutil_socket_t signo, short what, void *context)
{
	struct signals *signals = context;

	(void)what;
	signals->call(signo, signals->context);
}

int signals_new(struct event_base *base, signals_fn call, void *context, struct signals **out,
    struct schedd_error *err)
{
	struct signals *signals = calloc(1, sizeof(*signals));

	if (!signals)
		return schedd_error_nomem(err);
	signals->call = call;
	signals->context = context;
	for (size_t i = 0; i < SIGNAL_COUNT; i++) {
		signals->events[i] =
		    evsignal_new(base, signal_numbers[i], signals_arrived, signals);
		if (!signals->events[i] || event_add(signals->events[i], NULL) < 0) {
			signals_free(signals);
			return schedd_error_set(
			    err, SCHEDD_EFAILED, "cannot handle signal %d", signal_numbers[i]);
		}
	}
	signals_begin();
	for (size_t i = 0; i < SIGNAL_COUNT; i++) {
		if (signals_early[signal_numbers[i]])
			raise(signal_numbers[i]);
		signals_early[signal_numbers[i]] = 0;
	}
	*out = signals;
	return 0;
}

void signals_free(struct signals *signals)
{
	sigset_t all, before;

	if (!signals)
		return;
	/* None may come in between: its default would be the end. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (size_t i = 0; i < SIGNAL_COUNT; i++) {
		if (signals->events[i])
			event_free(signals->events[i]);
		signals_take_nothing(signal_numbers[i]);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	free(signals);
}
