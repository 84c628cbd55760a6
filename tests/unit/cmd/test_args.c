/* SPDX-License-Identifier: MIT */
#include "cmd/args.h"

#include <criterion/criterion.h>
#include <string.h>

static const char *const words[] = {"skip", "queue", NULL};
static const struct option rows[] = {
    {.name = "name", .letter = 'n', .value = "TEXT"},
    {.name = "env", .letter = 'e', .value = "K=V", .repeat = true},
    {.name = "overlap", .value = "skip|queue", .complete = COMPLETE_WORDS, .words = words},
    {.name = "quiet", .letter = 'q'},
    {.name = "verbose", .letter = 'v'},
    {0},
};
static const struct option *const sets[] = {rows, NULL};

static int parse(struct args *args, struct schedd_error *err, const char *const *argv)
{
	int count = 0;

	while (argv[count])
		count++;
	return args_parse(args, sets, count, argv, err);
}

Test(args, takes_options_in_every_spelling_anywhere)
{
	const char *const argv[] = {"a", "--name=x", "-qv", "-eA=1", "-e", "B=2", "--env", "C=3",
	    "b", "-", "--", "--name", "cmd", NULL};
	struct args args;
	int position = 0;

	cr_assert_eq(parse(&args, NULL, argv), 0);
	cr_assert_str_eq(args_get(&args, "name"), "x");
	cr_assert(args_has(&args, "quiet") && args_has(&args, "verbose"));
	cr_assert_str_eq(args_next(&args, "env", &position), "A=1");
	cr_assert_str_eq(args_next(&args, "env", &position), "B=2");
	cr_assert_str_eq(args_next(&args, "env", &position), "C=3");
	cr_assert_null(args_next(&args, "env", &position));
	cr_assert_eq(args.word_count, 3);
	cr_assert_str_eq(args.words[2], "-");
	cr_assert_eq(args.rest_count, 2);
	cr_assert_str_eq(args.rest[0], "--name");
	args_clear(&args);
}

static void refused(const char *word, const char *next, const char *reason)
{
	const char *const argv[] = {word, next, NULL};
	struct schedd_error err = {0};
	struct args args;

	cr_assert_eq(parse(&args, &err, argv), SCHEDD_EINVAL, "%s", word);
	cr_assert(strstr(err.message, reason), "%s: %s", word, err.message);
	args_clear(&args);
}

Test(args, says_what_is_wrong_with_an_option)
{
	refused("--nmae=x", NULL, "did you mean '--name'");
	refused("--zzzzzz", NULL, "unknown option '--zzzzzz'");
	refused("-z", NULL, "unknown option '-z'");
	refused("--name", NULL, "--name needs a value");
	refused("-n", NULL, "-n needs a value");
	refused("--quiet=1", NULL, "takes no value");
	refused("--overlap", "ship", "did you mean 'skip'");
	refused("-nx", "-ny", "given twice");
}
