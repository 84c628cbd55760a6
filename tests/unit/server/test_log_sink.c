/* SPDX-License-Identifier: MIT */
/* Lines may be gathered, but none is lost by it, and none comes before one that was said earlier. */
#include "server/log_sink.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/test_log_sink.XXXXXX";
static struct log_sink sink;

static void open_sink(void)
{
	struct schedd_error err;
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	close(fd);
	log_sink_init(&sink);
	cr_assert_eq(log_sink_open(&sink, path, &err), 0, "%s", err.message);
}

static void close_sink(void)
{
	log_sink_close(&sink);
	unlink(path);
}

TestSuite(log_sink, .init = open_sink, .fini = close_sink);

/* The last words of the lines that are in the file. */
static const char *said(void)
{
	static char words[1024];
	char line[1024];
	FILE *file = fopen(path, "r");

	cr_assert_not_null(file);
	words[0] = '\0';
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = ' ';
		strncat(words, strrchr(line, ':') + 2, sizeof(words) - strlen(words) - 1);
	}
	fclose(file);
	return words;
}

Test(log_sink, gathers_lines_until_they_are_wanted)
{
	log_sink_gather(&sink, SCHEDD_LOG_INFO, "one", NULL);
	log_sink_gather(&sink, SCHEDD_LOG_INFO, "two", NULL);
	cr_expect_str_eq(said(), "");
	log_sink_flush(&sink);
	cr_expect_str_eq(said(), "one two ");
	log_sink_flush(&sink);
	cr_expect_str_eq(said(), "one two ");
}

Test(log_sink, writes_what_was_gathered_before_any_other_line)
{
	log_sink_gather(&sink, SCHEDD_LOG_INFO, "one", NULL);
	sink.log.write(sink.log.context, SCHEDD_LOG_WARNING, "two");
	log_sink_gather(&sink, SCHEDD_LOG_INFO, "three", NULL);
	log_sink_say(&sink, SCHEDD_LOG_INFO, "four", NULL);
	cr_expect_str_eq(said(), "one two three four ");
}

Test(log_sink, writes_what_was_gathered_before_it_is_closed)
{
	log_sink_gather(&sink, SCHEDD_LOG_INFO, "one", NULL);
	log_sink_close(&sink);
	cr_expect_str_eq(said(), "one ");
}

Test(log_sink, gathers_no_more_than_its_measure)
{
	for (int i = 0; i < 10000; i++)
		log_sink_gather(&sink, SCHEDD_LOG_INFO, "again", NULL);
	cr_expect_neq(said()[0], '\0');
	cr_expect_lt(sink.gathered.length, (size_t)1 << 20);
}

Test(log_sink, keeps_nothing_from_who_reads_a_pipe)
{
	char text[256] = "";
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	close(sink.fd);
	sink.fd = ends[1];
	sink.plain = false;
	log_sink_gather(&sink, SCHEDD_LOG_INFO, "one", NULL);
	cr_assert_gt(read(ends[0], text, sizeof(text) - 1), 0);
	cr_expect_not_null(strstr(text, "info: one\n"));
	close(ends[0]);
}
