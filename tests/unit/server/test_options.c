/* SPDX-License-Identifier: MIT */
#include "server/options.h"

#include <criterion/criterion.h>
#include <string.h>

#define PARSE(options, err, ...)                                                                   \
	options_parse(options,                                                                     \
	    (int)(sizeof((const char *[]){"schedd", __VA_ARGS__}) / sizeof(char *)),               \
	    (const char *[]){"schedd", __VA_ARGS__}, err)

Test(options, reads_flags_in_both_forms)
{
	struct schedd_error err;
	struct options options;

	cr_assert(PARSE(&options, &err, "--socket", "/s", "--state-dir=/d", "-d", "--log-level",
		      "debug") == 0);
	cr_expect_str_eq(options.socket, "/s");
	cr_expect_str_eq(options.state_dir, "/d");
	cr_expect_str_eq(options.log_level, "debug");
	cr_expect(options.daemon);
	cr_expect_not(options.check_config);
	cr_expect_null(options.config);
}

Test(options, suggests_what_was_meant)
{
	struct schedd_error err;
	struct options options;

	cr_assert(PARSE(&options, &err, "--sockt", "/s") == SCHEDD_EINVAL);
	cr_expect_str_eq(err.message, "unknown option '--sockt', did you mean --socket?");
	cr_assert(PARSE(&options, &err, "-x") == SCHEDD_EINVAL);
	cr_expect_str_eq(err.message, "unknown option '-x'");
	cr_assert(PARSE(&options, &err, "list") == SCHEDD_EINVAL);
	cr_expect_str_eq(err.message,
	    "schedd takes no arguments but options, got 'list'; commands are schedctl's");
}

Test(options, wants_values_only_where_there_are_some)
{
	struct schedd_error err;
	struct options options;

	cr_assert(PARSE(&options, &err, "--config") == SCHEDD_EINVAL);
	cr_expect_str_eq(err.message, "--config needs a value: --config FILE");
	cr_assert(PARSE(&options, &err, "--daemon=yes") == SCHEDD_EINVAL);
	cr_expect_str_eq(err.message, "--daemon takes no value");
}

Test(options, help_names_every_flag)
{
	struct strbuf out = STRBUF_EMPTY;

	options_help(&out);
	cr_expect(strstr(out.data, "--socket PATH"));
	cr_expect(strstr(out.data, "-V, --version"));
	cr_expect(strstr(out.data, "SCHEDD_STATE_DIR"));
	strbuf_clear(&out);
}
