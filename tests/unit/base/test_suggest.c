/* SPDX-License-Identifier: MIT */
#include "base/suggest.h"

#include <criterion/criterion.h>
#include <string.h>

static const char *const verbs[] = {"add", "list", "show", "modify", "reschedule", "remove",
    "pause", "resume", "run", "next", "history", "logs", "wait", "kill", "retry", "status",
    "stats"};

static const char *closest(const char *word)
{
	const char *found = suggest_closest(word, verbs, sizeof(verbs) / sizeof(verbs[0]));

	return found ? found : "";
}

Test(suggest, finds_the_name_that_was_meant)
{
	cr_expect_str_eq(closest("lsit"), "list");
	cr_expect_str_eq(closest("LIST"), "list");
	cr_expect_str_eq(closest("pasue"), "pause");
	cr_expect_str_eq(closest("remov"), "remove");
	cr_expect_str_eq(closest("delete"), "");
	cr_expect_str_eq(closest("hist"), "history");
	cr_expect_str_eq(closest("resch"), "reschedule");
	cr_expect_str_eq(closest("ad"), "add");
	cr_expect_str_eq(closest("statsu"), "status");
}

Test(suggest, does_not_guess_wildly)
{
	char huge[1000];

	memset(huge, 'a', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	cr_expect_str_eq(closest(""), "");
	cr_expect_str_eq(closest("x"), "");
	cr_expect_str_eq(closest("frobnicate"), "");
	cr_expect_str_eq(closest(huge), "");
	cr_expect_null(suggest_closest("list", NULL, 0));
}

Test(suggest, takes_names_one_by_one_and_parts_of_them)
{
	struct suggest suggest;

	suggest_init(&suggest, "berln");
	cr_expect_null(suggest_result(&suggest));
	suggest_offer_as(&suggest, "Bern", "Europe/Bern");
	suggest_offer_as(&suggest, "Berlin", "Europe/Berlin");
	cr_expect_str_eq(suggest_result(&suggest), "Europe/Bern");
	suggest_offer(&suggest, "Berln");
	cr_expect_str_eq(suggest_result(&suggest), "Berln");
}
