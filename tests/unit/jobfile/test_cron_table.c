/* SPDX-License-Identifier: MIT */
#include "jobfile/cron_table.h"

#include <criterion/criterion.h>
#include <string.h>
#include "base/json.h"

struct bench {
	struct arena arena;
	struct value jobs;
	struct diagnostics faults;
	struct cron_table table;
};

static void bench_open(struct bench *bench, const char *account)
{
	memset(bench, 0, sizeof(*bench));
	bench->jobs = value_array();
	diagnostics_init(&bench->faults);
	bench->table = (struct cron_table){.file = "/etc/cron.d/x",
	    .account = account,
	    .arena = &bench->arena,
	    .jobs = &bench->jobs,
	    .faults = &bench->faults};
}

static void bench_close(struct bench *bench)
{
	arena_clear(&bench->arena);
	diagnostics_clear(&bench->faults);
}

/* A member of each job as JSON, ';' between. */
static void gives(const char *account, const char *text, const char *member, const char *expected)
{
	struct strbuf out = STRBUF_EMPTY;
	struct bench bench;

	bench_open(&bench, account);
	cr_assert_eq(cron_table_read(&bench.table, text, strlen(text)), 0);
	cr_expect_eq(bench.faults.count, 0, "%s: %s", text,
	    bench.faults.count ? bench.faults.items[0].message : "");
	for (uint32_t i = 0; i < bench.jobs.array.count; i++) {
		const struct value *value = value_get(&bench.jobs.array.items[i], member);

		if (i > 0)
			strbuf_add_char(&out, ';');
		if (value)
			json_write(&out, value);
	}
	cr_expect_str_eq(strbuf_peek(&out), expected, "%s: %s", text, strbuf_peek(&out));
	strbuf_clear(&out);
	bench_close(&bench);
}

Test(cron_table, reads_lines_of_both_kinds)
{
	gives("al", "0 1 * * * echo hi\n", "shell", "\"echo hi\"");
	gives("al", "0 1 * * * echo hi\n", "user", "\"al\"");
	gives(NULL, "0 1 * * * bob echo hi\n", "user", "\"bob\"");
	gives(NULL, "0 1 * * * bob echo hi\n", "owner", "\"cron:/etc/cron.d/x\"");
	gives(NULL, "0 1 * * * bob echo hi\n@reboot root x\n", "trigger",
	    "{\"cron\":\"0 1 * * *\"};{\"on_boot\":true}");
	gives(NULL, "", "shell", "");
	gives("al", "0 1 * * * cat%a%b\n", "stdin", "{\"text\":\"a\\nb\\n\"}");
	gives("al", "*/60 * * * * x\n", "trigger", "{\"cron\":\"0 * * * *\"}");
}

Test(cron_table, gives_the_world_of_cron)
{
	gives("al", "0 1 * * * x\n", "env", "{\"PATH\":\"/usr/bin:/bin\"}");
	gives("al", "PATH=/p\nA=b\nLOGNAME=no\n0 1 * * * x\n", "env",
	    "{\"PATH\":\"/p\",\"A\":\"b\"}");
	gives("al", "B=\" quoted \"\n0 1 * * * x\n", "env",
	    "{\"B\":\" quoted\",\"PATH\":\"/usr/bin:/bin\"}");
	gives("al", "SHELL=/bin/bash\n0 1 * * * x\nSHELL=/bin/sh\n0 2 * * * y\n", "shell_path",
	    "\"/bin/bash\";");
	gives("al", "HOME=/srv\n0 1 * * * x\n", "cwd", "\"/srv\"");
	/* Debian's cron gives these to the command, and goes by the machine's zone. */
	gives("al", "CRON_TZ=Asia/Tokyo\nRANDOM_DELAY=5\n0 1 * * * x\n", "trigger",
	    "{\"cron\":\"0 1 * * *\"}");
	gives("al", "CRON_TZ=Asia/Tokyo\n0 1 * * * x\n", "env",
	    "{\"CRON_TZ\":\"Asia/Tokyo\",\"PATH\":\"/usr/bin:/bin\"}");
	gives("al", "0 1 * * * -n x\n", "shell", "\"-n x\"");
}

Test(cron_table, mails_output_as_cron_does)
{
	gives("al", "0 1 * * * x\n", "notify", "[\"output=mail:al\"]");
	gives(NULL, "0 1 * * * bob x\n", "notify", "[\"output=mail:bob\"]");
	gives("al", "MAILTO=\"\"\n0 1 * * * x\nMAILTO=ops@x\n0 2 * * * y\n", "notify",
	    ";[\"output=mail:ops@x\"]");
	gives("al", "MAILTO=a, b@c\n0 1 * * * x\n", "notify",
	    "[\"output=mail:a\",\"output=mail:b@c\"]");
}

Test(cron_table, takes_more_from_the_comment_above)
{
	gives("al", "#schedd: timeout=1h retry=2 group=io\n0 1 * * * x\n0 2 * * * y\n", "timeout",
	    "\"1h\";");
	gives("al", "#schedd: timeout=1h retry=2 group=io\n0 1 * * * x\n", "retry", "2");
	gives("al", "#schedd:group=io\n0 1 * * * x\n", "group", "\"io\"");
	gives("al", "#schedd: timeout=1h\n\n0 1 * * * x\n", "timeout", "");
	gives("al", "#schedd: max_instances=1\n0 1 * * * x\n", "max_instances", "1");
	gives("al", "# schedd: my.id\n0 1 * * * x\n", "timeout", "");
}

static void faulty(
    const char *account, const char *text, uint32_t line, const char *words, uint32_t taken)
{
	struct bench bench;

	bench_open(&bench, account);
	cr_assert_eq(cron_table_read(&bench.table, text, strlen(text)), 0);
	cr_expect_eq(bench.jobs.array.count, taken, "%s", text);
	cr_assert_eq(bench.faults.count, 1, "%s", text);
	cr_expect_eq(bench.faults.items[0].line, line, "%s", text);
	cr_expect(strstr(bench.faults.items[0].message, words), "%s: %s", text,
	    bench.faults.items[0].message);
	cr_expect(strstr(bench.table.fault, words), "%s: %s", text, bench.table.fault);
	bench_close(&bench);
}

Test(cron_table, names_what_it_cannot_take_and_takes_the_rest)
{
	char text[2048] = "0 1 * * * ";

	faulty("al", "0 1 * * *\n0 2 * * * y\n", 1, "the command is missing", 1);
	faulty(NULL, "0 1 * * * r y\n0 2 * *\n", 2, "five fields", 1);
	faulty(NULL, "0 2 * * *\n0 1 * * * r y\n", 1, "the user is missing", 1);
	faulty("al", "0 2 * * * y\n0 3", 0, "no newline at its end", 0);
	faulty("al", "0 22-2 * * * y\n0 2 * * * y\n", 1, "never runs it", 1);
	faulty("al", "#schedd: user=root\n0 1 * * * x\n0 2 * * * y\n", 2,
	    "'user=root' is none of what", 1);
	faulty("al", "#schedd: rubbish\n0 1 * * * x\n", 2, "'rubbish' is none of what", 0);
	faulty("al", "MAILTO=-oX\n0 1 * * * x\n", 2, "no safe address", 1);
	memset(text + strlen(text), 'x', 999);
	strcat(text, "\n0 2 * * * y\n");
	faulty("al", text, 1, "command too long", 1);
}

static void takes(const char *account, const char *head, uint32_t lines, uint32_t jobs, const char *words)
{
	struct strbuf text = STRBUF_EMPTY;
	struct bench bench;

	strbuf_add(&text, head);
	for (uint32_t i = 0; i < lines; i++)
		strbuf_add(&text, account ? "0 1 * * * x\n" : "0 1 * * * root x\n");
	bench_open(&bench, account);
	cr_assert_eq(cron_table_read(&bench.table, strbuf_peek(&text), text.length), 0);
	cr_expect_eq(bench.jobs.array.count, jobs, "%u", bench.jobs.array.count);
	cr_expect(strstr(bench.table.fault, words), "%s", bench.table.fault);
	bench_close(&bench);
	strbuf_clear(&text);
}

/* Who may write a table is not to take all time and memory there is. */
Test(cron_table, bounds_what_an_account_may_have)
{
	char variable[8192] = "V=";

	/* All alike: each has an id of its own, and none looks through those before. */
	takes("al", "", CRON_TABLE_LINES_MAX, CRON_TABLE_LINES_MAX, "");
	takes("al", "", CRON_TABLE_LINES_MAX + 1, 0, "more than 10000 lines");
	takes(NULL, "", CRON_TABLE_LINES_MAX + 1, CRON_TABLE_LINES_MAX + 1, "");
	memset(variable + 2, 'x', 8000);
	strcat(variable, "\n");
	takes("al", variable, 4000, 4000, "");
	takes("al", variable, 9000, CRON_TABLE_WORLD_MAX / (8000 + 1 + sizeof(struct job_pair)), "more than 32 MiB");
}

static const char *id_of(struct bench *bench, const char *text, const char *shell)
{
	bench_open(bench, "root");
	cr_assert_eq(cron_table_read(&bench->table, text, strlen(text)), 0);
	for (uint32_t i = 0; i < bench->jobs.array.count; i++)
		if (value_is_text(value_get(&bench->jobs.array.items[i], "shell"), shell))
			return value_get_string(&bench->jobs.array.items[i], "id");
	cr_assert_fail("no %s", shell);
	return NULL;
}

Test(cron_table, keeps_ids_as_long_as_the_line_is)
{
	static const char *const others[] = {"0 1 * * * /b/run x\n",
	    "0 5 * * * /b/run y\n0 1 * * * /b/run x\n",
	    "# c\nA=b\n#schedd: timeout=5\n0 1 * * * /b/run x\n0 7 * * * /b/run z\n"};
	struct bench first, second;
	const char *id = id_of(&first, others[0], "/b/run x");

	cr_expect(strncmp(id, "run-", 4) == 0, "%s", id);
	for (size_t i = 0; i < 3; i++) {
		cr_expect_str_eq(id_of(&second, others[i], "/b/run x"), id);
		bench_close(&second);
	}
	cr_expect_str_neq(id_of(&second, "0 2 * * * /b/run x\n", "/b/run x"), id);
	bench_close(&second);
	bench_close(&first);
	/* Lines that are alike are two jobs. */
	bench_open(&first, "root");
	cr_assert_eq(cron_table_read(&first.table, "0 1 * * * x\n0 1 * * * x\n", 24), 0);
	cr_expect_str_neq(value_get_string(&first.jobs.array.items[0], "id"),
	    value_get_string(&first.jobs.array.items[1], "id"));
	bench_close(&first);
}
