/* SPDX-License-Identifier: MIT */
#include "store/store_secret.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[64];

static void put(const char *text, size_t length, mode_t mode)
{
	FILE *file;

	strcpy(path, "/tmp/schedd-secret-XXXXXX");
	file = fdopen(mkstemp(path), "w");
	cr_assert(file);
	fwrite(text, 1, length, file);
	fclose(file);
	cr_assert_eq(chmod(path, mode), 0);
}

static void forget(void)
{
	unlink(path);
}

Test(store_secret, keeps_a_text_and_another_after_it, .fini = forget)
{
	struct store_secret secret = {NULL};
	struct schedd_error err;

	cr_assert_eq(store_secret_set(&secret, "a longer one", 12, &err), 0);
	cr_assert_str_eq(secret.text, "a longer one");
	put("short\r\n", 7, 0600);
	cr_assert_eq(store_secret_read(&secret, path, &err), 0, "%s", err.message);
	cr_assert_str_eq(secret.text, "short");
	/* Nothing is left of the longer one. */
	cr_assert_eq(secret.text[8], '\0');
	store_secret_clear(&secret);
	cr_assert_null(secret.text);
	store_secret_clear(&secret);
}

Test(store_secret, refuses_files_that_hold_no_secret, .fini = forget)
{
	static const struct {
		const char *text;
		mode_t mode;
		const char *words;
	} files[] = {
	    {"x\n", 0640, "chmod 600"},
	    {"", 0600, "one line"},
	    {"\n", 0600, "one line"},
	    {"a\nb\n", 0600, "one line"},
	};
	struct store_secret secret = {NULL};
	struct schedd_error err;
	char text[STORE_SECRET_MAX + 2];

	cr_assert_eq(store_secret_set(&secret, "old", 3, &err), 0);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		put(files[i].text, strlen(files[i].text), files[i].mode);
		cr_expect_lt(store_secret_read(&secret, path, &err), 0);
		cr_expect(strstr(err.message, files[i].words), "%s", err.message);
		unlink(path);
	}
	memset(text, 'x', sizeof(text));
	put(text, sizeof(text), 0600);
	cr_expect_lt(store_secret_read(&secret, path, &err), 0);
	cr_expect_lt(store_secret_set(&secret, text, sizeof(text), &err), 0);
	cr_expect_lt(store_secret_read(&secret, "relative", &err), 0);
	cr_expect_lt(store_secret_read(&secret, "/tmp", &err), 0);
	/* The old one stays. */
	cr_expect_str_eq(secret.text, "old");
	store_secret_clear(&secret);
}

Test(store_secret, wipes)
{
	char text[] = "secret";

	store_secret_wipe(text);
	cr_assert_eq(memcmp(text, "\0\0\0\0\0\0", 7), 0);
	store_secret_wipe(NULL);
	store_secret_hide_thread();
}
