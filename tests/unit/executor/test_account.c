/* SPDX-License-Identifier: MIT */
#include "executor/account.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

static const struct schedd_mono start = {1000};

Test(account, knows_its_own)
{
	struct account_cache *cache = account_cache_new(NULL);
	const struct account *account, *again;

	cr_assert_eq(account_cache_get(cache, NULL, start, &account, NULL), 0);
	cr_expect_eq(account->uid, geteuid());
	cr_expect_not(account->change);
	cr_expect_eq(account->home[0], '/');
	cr_expect_eq(account->shell[0], '/');
	cr_assert_eq(account_cache_get(cache, NULL, start, &again, NULL), 0);
	cr_expect(again == account, "remembered");
	account_cache_free(cache);
}

Test(account, reads_names_and_numbers)
{
	static const char *const same[] = {"daemon", "1", "daemon:daemon", "1:1", "daemon:1"};
	struct account_cache *cache = account_cache_new(NULL);
	struct schedd_error err;

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		const struct account *account;
		int rc = account_cache_get(cache, same[i], start, &account, &err);

		if (geteuid() != 0) {
			cr_expect_eq(rc, SCHEDD_EPERM);
			continue;
		}
		cr_assert_eq(rc, 0, "%s", err.message);
		cr_expect_eq(account->uid, 1);
		cr_expect_eq(account->gid, 1);
		cr_expect_str_eq(account->name, "daemon");
		cr_expect(account->change);
	}
	account_cache_free(cache);
}

Test(account, names_what_there_is_not)
{
	struct account_cache *cache = account_cache_new(NULL);
	const struct account *account;
	struct schedd_error err;

	cr_expect_eq(
	    account_cache_get(cache, "no-such-user", start, &account, &err), SCHEDD_EINVAL);
	cr_expect_str_eq(err.message, "user 'no-such-user': no such user");
	cr_expect_eq(
	    account_cache_get(cache, "daemon:no-such-group", start, &account, &err), SCHEDD_EINVAL);
	cr_expect_str_eq(err.message, "group 'no-such-group': no such group");
	account_cache_free(cache);
}

Test(account, asks_again_after_a_minute)
{
	struct account_cache *cache = account_cache_new(NULL);
	const struct account *account;
	const struct schedd_mono later = {start.us + 61 * SCHEDD_SECOND};

	cr_assert_eq(account_cache_get(cache, NULL, start, &account, NULL), 0);
	cr_assert_eq(account_cache_get(cache, NULL, later, &account, NULL), 0);
	cr_expect_eq(account->uid, geteuid());
	account_cache_free(cache);
}

/* Numbers of nobody: root's group is not theirs. */
Test(account, refuses_a_number_without_an_account_or_a_group)
{
	struct account_cache *cache = account_cache_new(NULL);
	const struct account *account;
	struct schedd_error err;

	if (geteuid() != 0)
		cr_skip("needs root");
	cr_expect_eq(account_cache_get(cache, "54321", start, &account, &err), SCHEDD_EINVAL);
	cr_expect_str_eq(err.message, "user '54321': that number has no account and so no group: "
				      "name one, 54321:GROUP");
	cr_assert_eq(account_cache_get(cache, "54321:54322", start, &account, &err), 0);
	cr_expect_eq(account->uid, 54321);
	cr_expect_eq(account->gid, 54322);
	cr_expect_eq(account->group_count, 1);
	cr_expect_eq(account->groups[0], 54322);
	account_cache_free(cache);
}

static void told(const struct account *account, const struct schedd_error *err, void *context)
{
	int *answers = context;

	if (account)
		answers[0]++;
	else if (strcmp(err->message, "user 'no-such-user': no such user") == 0)
		answers[1]++;
}

Test(account, is_looked_up_while_the_loop_goes_on)
{
	struct schedd_loop *loop = schedd_loop_new_fd(NULL);
	struct account_cache *cache = account_cache_new(loop);
	int answers[2] = {0}, rc;
	struct account_waiter waiters[4];
	static const char *const users[] = {"daemon", "daemon", "no-such-user", "bin"};
	const struct account *account;
	struct schedd_error err;

	if (geteuid() != 0)
		cr_skip("needs root");
	for (int i = 0; i < 4; i++) {
		waiters[i] = (struct account_waiter){.done = told, .context = answers};
		cr_expect_eq(
		    account_cache_ask(cache, users[i], start, &waiters[i], &account, &err), 1);
	}
	account_cache_forget(cache, &waiters[3]);
	for (int i = 0; i < 1000 && answers[0] + answers[1] < 3; i++)
		schedd_loop_dispatch(loop, 20);
	cr_expect_eq(answers[0], 2);
	cr_expect_eq(answers[1], 1);
	cr_expect_eq(account_cache_ask(cache, "daemon", start, &waiters[0], &account, &err), 0);
	cr_expect_eq(account->uid, 1, "known now");
	/* It waits a little; on a busy machine that may be too little. */
	do
		rc = account_cache_get(cache, "no-such-user", start, &account, &err);
	while (rc == SCHEDD_ETIMEOUT);
	cr_expect_eq(rc, SCHEDD_EINVAL);
	account_cache_free(cache);
	schedd_loop_free(loop);
}
