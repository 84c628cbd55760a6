/* SPDX-License-Identifier: MIT */
#include "base/size.h"

#include <criterion/criterion.h>

Test(size, reads_units_of_1024)
{
	static const struct {
		const char *text;
		int64_t bytes;
	} good[] = {{"0", 0}, {"4096", 4096}, {"64K", 65536}, {"64k", 65536}, {"64 KiB", 65536},
	    {"1.5M", 1572864}, {"2GB", 2147483648}, {"1T", 1099511627776}, {"7B", 7},
	    {"9223372036854775807", INT64_MAX}};
	int64_t bytes;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		cr_assert_eq(size_parse(good[i].text, &bytes, NULL), 0, "%s", good[i].text);
		cr_assert_eq(bytes, good[i].bytes, "%s", good[i].text);
	}
}

Test(size, refuses_everything_else)
{
	static const char *const bad[] = {"", " 1", "-1", "K", "1X", "1KK", "1Kibi", "0.3", "1BB",
	    "9223372036854775808", "9223372036854775807K", "1 K x", "1.0000001M", "0x10"};
	struct value value = value_bool(true);
	int64_t bytes;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_eq(size_parse(bad[i], &bytes, NULL), SCHEDD_EINVAL, "%s", bad[i]);
	cr_assert_eq(size_from_value(&value, &bytes, NULL), SCHEDD_EINVAL);
	value = value_int(-1);
	cr_assert_eq(size_from_value(&value, &bytes, NULL), SCHEDD_EINVAL);
}
