/* SPDX-License-Identifier: MIT */
/* Databases of accounts that hang, as a directory service does that is away. */
#include "executor/account.h"

#include "support/task_case.h"
#include <dlfcn.h>
#include <pwd.h>
#include <semaphore.h>
#include <string.h>
#include <schedd/clock.h>
#include <schedd/loop.h>

#define HANGING 7 /* fewer than may be asked about at one time */

static sem_t answer;

/* In the place of the library's: names that begin with "hang" have no answer until it is given. */
int getpwnam_r(const char *restrict name, struct passwd *restrict entry, char *restrict buffer,
    size_t size, struct passwd **restrict result)
{
	int (*real)(const char *, struct passwd *, char *, size_t, struct passwd **);

	if (strncmp(name, "hang", 4) == 0) {
		sem_wait(&answer);
		*result = NULL;
		return 0;
	}
	*(void **)&real = dlsym(RTLD_NEXT, "getpwnam_r");
	return real(name, entry, buffer, size, result);
}

static int64_t now(void)
{
	const struct schedd_clock *clock = schedd_clock_system();

	return clock->mono(clock->context).us;
}

/* How long the loop is held up by so many, one after the other. */
static int64_t held_up(void)
{
	struct schedd_loop *loop = schedd_loop_new_fd(NULL);
	struct account_cache *cache;
	const struct account *account;
	struct schedd_error err;
	int64_t begun;

	cr_assert_not_null(loop);
	cache = account_cache_new(loop);
	begun = now();
	for (int i = 0; i < HANGING; i++) {
		char user[] = "hang0";

		user[4] = (char)('0' + i);
		cr_assert_eq(account_cache_get(
				 cache, user, (struct schedd_mono){now()}, &account, &err),
		    SCHEDD_ETIMEOUT);
	}
	begun = now() - begun;
	for (int i = 0; i < HANGING; i++)
		sem_post(&answer);
	account_cache_free(cache);
	schedd_loop_free(loop);
	return begun;
}

/* Each would be waited for 0.1 s. A busy machine may take its time, but not always. */
Test(account_hangs, holds_up_the_loop_once)
{
	int64_t least = INT64_MAX;

	sem_init(&answer, 0, 0);
	for (int i = 0; i < 20 && least >= HANGING * 50000; i++) {
		int64_t took = held_up();

		least = took < least ? took : least;
	}
	cr_assert_lt(least, HANGING * 50000);
	cr_assert_geq(least, 100000, "the first one is waited for");
}

/* However often others ask meanwhile. */
Test(account_hangs, fails_each_start_in_its_time)
{
	enum { COUNT = 40 };
	static struct task_case kase;
	static struct task_probe probes[COUNT];
	int asked = 0;

	sem_init(&answer, 0, 0);
	task_case_open(&kase, (struct executor_config){
				  .type = "subprocess", .start_limit = SCHEDD_SECOND});
	while (asked < COUNT && !probes[0].done) {
		int64_t next = now() + SCHEDD_SECOND / 4;

		task_probe_init(&probes[asked], "shell", "\"true\"");
		task_probe_set(&probes[asked], "user", "\"hang\"");
		task_probe_start(&kase, &probes[asked++]);
		while (now() < next && !probes[0].done)
			schedd_loop_dispatch(kase.loop, 20);
	}
	cr_expect(probes[0].done, "%d others put it off", asked - 1);
	cr_expect(strstr(probes[0].reason, "have not answered within 1 s"), "%s", probes[0].reason);
	for (int i = 0; i < asked; i++) {
		task_case_until(&kase, &probes[i].done, 1);
		task_probe_clear(&probes[i]);
	}
	sem_post(&answer);
	task_case_close(&kase);
}
