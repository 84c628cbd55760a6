/* SPDX-License-Identifier: MIT */
#include "executor/account.h"

#include <criterion/criterion.h>
#include <unistd.h>

static const struct schedd_mono start = {1000};

Test(account, knows_its_own)
{
	struct account_cache *cache = account_cache_new();
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
	struct account_cache *cache = account_cache_new();
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
	struct account_cache *cache = account_cache_new();
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
	struct account_cache *cache = account_cache_new();
	const struct account *account;
	const struct schedd_mono later = {start.us + 61 * SCHEDD_SECOND};

	cr_assert_eq(account_cache_get(cache, NULL, start, &account, NULL), 0);
	cr_assert_eq(account_cache_get(cache, NULL, later, &account, NULL), 0);
	cr_expect_eq(account->uid, geteuid());
	account_cache_free(cache);
}
