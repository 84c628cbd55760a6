/* SPDX-License-Identifier: MIT */
/*
 * The statements of a commit. Those over sets of rows stand before and after
 * their rows; where rows are a table to read from, MySQL writes ROW before each.
 */
#ifndef SCHEDD_STORE_MODULES_STORE_MYSQL_SQL_H
#define SCHEDD_STORE_MODULES_STORE_MYSQL_SQL_H

#include <stdbool.h>

enum my_set {
	MY_SET_ADDS,
	MY_SET_PUTS,
	MY_SET_ENSURE, /* ids that runs and changes need a row for */
	MY_SET_CLAIMS,
	MY_SET_RUNS,
	MY_SET_CHANGES,
	MY_SET_META,
	MY_SETS,
};

struct my_set_text {
	const char *before, *after;
	bool table; /* its rows are a table to read from */
};

extern const struct my_set_text my_set_texts[MY_SETS];
/* Those that are other ones where the store is shared. */
extern const struct my_set_text my_set_texts_shared[MY_SETS];

/*
 * A statement that fails if the condition behind it is true, which nothing else
 * does alike in all servers: a sub-select of two rows where one belongs.
 */
#define MY_RAISE "SET @schedd_raise = (SELECT n FROM (SELECT 1 AS n UNION ALL SELECT 2) d WHERE "

#endif
