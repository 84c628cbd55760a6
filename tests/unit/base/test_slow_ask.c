/* SPDX-License-Identifier: MIT */
/* A question that hangs costs its asker a moment, once; what comes late is what the next one is told. */
#include "base/slow_ask.h"

#include <criterion/criterion.h>
#include <pwd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <schedd/clock.h>
#include "base/system_user.h"

static atomic_bool hangs;
static atomic_int asked, dropped;

static void *told(const char *key, bool *nomem)
{
	atomic_fetch_add(&asked, 1);
	while (atomic_load(&hangs) && key[0] == 'h')
		usleep(1000);
	*nomem = key[0] == '!';
	return key[0] == '-' || *nomem ? NULL : strdup(key);
}

static void drop(void *text)
{
	atomic_fetch_add(&dropped, 1);
	free(text);
}

static const struct slow_kind kind = {told, drop};

static int64_t now(void)
{
	const struct schedd_clock *clock = schedd_clock_system();

	return clock->mono(clock->context).us;
}

/* "": nobody has said it. */
static const char *ask(const char *key)
{
	static char text[64];
	bool nomem;
	struct slow_answer *answer = slow_ask(&kind, key, &nomem);

	snprintf(text, sizeof(text), "%s", answer ? (const char *)slow_answer(answer) : nomem ? "no memory" : "");
	slow_answer_free(answer);
	return text;
}

static const char *await(const char *key)
{
	const char *text = "";

	for (int i = 0; i < 2000 && !*text; i++) {
		text = ask(key);
		usleep(1000);
	}
	return text;
}

Test(slow_ask, asks_anew_each_time)
{
	int before;

	cr_assert_str_eq(await("a"), "a");
	before = atomic_load(&asked);
	cr_expect_str_eq(await("a"), "a");
	cr_expect_str_eq(await("b"), "b");
	cr_expect_geq(atomic_load(&asked), before + 2);
	cr_expect_str_eq(await("!"), "no memory");
	cr_expect_str_eq(ask("-"), "", "what could not be said is not known");
}

Test(slow_ask, waits_a_moment_for_all_that_hang)
{
	int64_t begun = now(), took;
	char key[16];

	atomic_store(&hangs, true);
	for (int i = 0; i < 10; i++) {
		snprintf(key, sizeof(key), "h%d", i);
		cr_expect_str_eq(ask(key), "");
	}
	for (int i = 0; i < 1000; i++)
		cr_expect_str_eq(ask("h0"), "");
	took = now() - begun;
	/* A moment for the first, a fraction of it for each of the others. */
	cr_expect_lt(took, 10 * SCHEDD_SECOND, "%lld us", (long long)took);
	/* Those that do not hang are answered meanwhile. */
	cr_expect_str_eq(await("a"), "a");
	atomic_store(&hangs, false);
	cr_expect_str_eq(await("h0"), "h0");
	cr_expect_str_eq(await("h9"), "h9");
}

Test(slow_ask, asks_no_more_than_so_many_at_one_time)
{
	char key[16];

	atomic_store(&hangs, true);
	for (int i = 0; i < 40; i++) {
		snprintf(key, sizeof(key), "h%d", i);
		cr_expect_str_eq(ask(key), "");
	}
	for (int i = 0; i < 20000 && atomic_load(&asked) < 16; i++)
		usleep(1000);
	cr_expect_str_eq(ask("a"), "", "there is no thread for it");
	cr_expect_eq(atomic_load(&asked), 16);
	atomic_store(&hangs, false);
	cr_expect_str_eq(await("h39"), "h39");
	cr_expect_str_eq(await("a"), "a");
}

Test(slow_ask, tells_late_what_was_said_last)
{
	cr_assert_str_eq(await("h"), "h");
	atomic_store(&hangs, true);
	cr_expect_str_eq(ask("h"), "h");
	cr_expect_str_eq(ask("h"), "h");
	atomic_store(&hangs, false);
}

Test(slow_ask, forgets_the_oldest)
{
	char key[16];

	for (int i = 0; i < 200; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		cr_expect_str_eq(await(key), key);
	}
	cr_expect_gt(atomic_load(&dropped), 100);
}

struct deed {
	atomic_bool *done;
	atomic_bool *freed;
};

static void deed_act(void *context)
{
	struct deed *deed = context;

	while (atomic_load(&hangs))
		usleep(1000);
	atomic_store(deed->done, true);
}

static void deed_drop(void *context)
{
	struct deed *deed = context;

	atomic_store(deed->freed, true);
	free(deed);
}

Test(slow_ask, does_and_leaves_behind)
{
	static atomic_bool done, freed;
	struct deed *deed = malloc(sizeof(*deed));

	*deed = (struct deed){&done, &freed};
	atomic_store(&hangs, true);
	cr_assert_not(slow_do(deed_act, deed_drop, deed));
	cr_expect_not(atomic_load(&freed));
	atomic_store(&hangs, false);
	for (int i = 0; i < 20000 && !atomic_load(&freed); i++)
		usleep(1000);
	cr_assert(atomic_load(&done) && atomic_load(&freed));
	/* One that is quick is the caller's again; on a machine that stands still it may be left behind, too. */
	atomic_store(&done, false);
	atomic_store(&freed, false);
	deed = malloc(sizeof(*deed));
	*deed = (struct deed){&done, &freed};
	if (slow_do(deed_act, deed_drop, deed)) {
		cr_expect(atomic_load(&done) && !atomic_load(&freed));
		free(deed);
	}
}

static void deed_takes_time(void *context)
{
	usleep(50000);
	atomic_store((atomic_bool *)context, true);
}

static void deed_keep(void *context)
{
	(void)context;
}

/* Databases that say nothing are no reason to give up a disk that needs a moment. */
Test(slow_ask, does_what_takes_a_moment_while_a_server_is_silent)
{
	static atomic_bool done;
	bool in_time = false;

	atomic_store(&hangs, true);
	cr_assert_str_eq(ask("hangs"), "");
	/* A machine that stands still may need another. */
	for (int i = 0; i < 20 && !in_time; i++)
		in_time = slow_do(deed_takes_time, deed_keep, &done);
	cr_expect(in_time);
	cr_expect(atomic_load(&done));
	atomic_store(&hangs, false);
	cr_assert_str_eq(await("hangs"), "hangs");
}

Test(system_user, is_found_by_name_and_number)
{
	struct system_user user = {0};
	struct schedd_error err = {0};
	const struct passwd *entry = getpwuid(geteuid());
	int rc = SCHEDD_EFAILED;

	cr_assert_not_null(entry);
	for (int i = 0; i < 2000 && rc == SCHEDD_EFAILED; i++)
		rc = system_user_named(entry->pw_name, &user, &err);
	cr_assert_eq(rc, 0, "%s", err.message);
	cr_expect_eq(user.uid, geteuid());
	cr_expect_str_eq(user.home, entry->pw_dir);
	cr_expect_eq(system_user_numbered(geteuid(), &user, NULL), 0);
	cr_expect_str_eq(user.name, entry->pw_name);
	rc = SCHEDD_EFAILED;
	for (int i = 0; i < 2000 && rc == SCHEDD_EFAILED; i++)
		rc = system_user_named("no-such-account", &user, &err);
	cr_expect_eq(rc, SCHEDD_ENOTFOUND);
	cr_expect_str_eq(err.message, "there is no account 'no-such-account'");
}
