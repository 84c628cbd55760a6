/* SPDX-License-Identifier: MIT */
#include "base/diagnostics.h"

#include <criterion/criterion.h>

Test(diagnostics, keeps_twenty_in_the_order_of_lines)
{
	struct strbuf out = STRBUF_EMPTY;
	struct diagnostics list;
	struct schedd_error err;

	diagnostics_init(&list);
	cr_assert_eq(diagnostics_error(&list, &err), 0);
	diagnostics_add(&list, "a", 2, 1, "second");
	diagnostics_add(&list, "a", 1, 5, "first");
	diagnostics_add(&list, "a", 0, 0, "whole");
	diagnostics_sort(&list);
	diagnostics_write(&list, &out);
	cr_assert_str_eq(strbuf_peek(&out), "a: whole\na:1:5: first\na:2:1: second\n");
	cr_assert_eq(diagnostics_error(&list, &err), SCHEDD_EFILE);
	cr_assert_str_eq(err.message, "a: whole (and 2 more)");
	for (int i = 0; i < 100; i++)
		diagnostics_add(&list, "b", 1, 1, "again");
	cr_assert(diagnostics_full(&list));
	cr_assert_eq(list.count + list.dropped, 103);
	strbuf_clear(&out);
	diagnostics_clear(&list);
}

Test(diagnostics, keeps_all_where_it_is_told_to)
{
	struct diagnostics list;

	diagnostics_init_all(&list);
	for (uint32_t i = 1; i <= DIAGNOSTICS_ALL + 5; i++)
		diagnostics_add(&list, "a", i, 0, "line %u", i);
	cr_assert_eq(list.count, DIAGNOSTICS_ALL);
	cr_assert_eq(list.dropped, 5);
	cr_assert_eq(list.items[DIAGNOSTICS_ALL - 1].line, DIAGNOSTICS_ALL);
	cr_assert_str_eq(list.items[1].message, "line 2");
	diagnostics_clear(&list);
	cr_assert_not(list.all);
}
