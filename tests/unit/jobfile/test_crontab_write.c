/* SPDX-License-Identifier: MIT */
#include "jobfile/crontab_write.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "jobfile/crontab.h"
#include "jobfile/crontab_say.h"
#include "model/job_fields.h"

static void writes(bool system, const char *json, bool said, const char *expected)
{
	static const char head[] =
	    "# Written by schedctl export. CRON_TZ and RANDOM_DELAY are cronie's.\n"
	    "MAILTO=\"\"\n\n";
	struct strbuf out = STRBUF_EMPTY;
	struct crontab_writer writer;
	struct schedd_error err;
	struct arena arena;
	struct value job;

	arena_init(&arena);
	cr_assert_eq(json_parse(json, strlen(json), &arena, &job, &err), 0, "%s", err.message);
	crontab_write_init(&writer, system, "UTC");
	crontab_write_begin(&writer, &out);
	cr_expect_eq(crontab_write_job(&writer, &out, &job), said, "%s", json);
	cr_expect_eq(strncmp(strbuf_peek(&out), head, sizeof(head) - 1), 0);
	cr_expect_str_eq(strbuf_peek(&out) + sizeof(head) - 1, expected);
	crontab_write_end(&writer);
	strbuf_clear(&out);
	arena_clear(&arena);
}

#define CRON(expr) "\"trigger\":{\"type\":\"cron\",\"expr\":\"" expr "\",\"timezone\":\"UTC\"}"

Test(crontab_write, says_what_a_crontab_can_say)
{
	writes(false, "{\"id\":\"a\",\"shell\":\"date +%F | mail x\"," CRON("30 2 * * *") "}", true,
	    "# schedd: a\n30 2 * * * date +\\%F | mail x\n");
	writes(true,
	    "{\"id\":\"a\",\"command\":[\"/bin/"
	    "echo\",\"it's\",\"\",\"5%\"],\"user\":\"www:adm\"," CRON("@daily") "}",
	    true, "# its group is adm\n# schedd: a\n@daily www /bin/echo 'it'\\''s' '' '5\\%'\n");
	writes(true, "{\"id\":\"a\",\"shell\":\"x\",\"trigger\":{\"type\":\"on_boot\"}}", true,
	    "# schedd: a\n@reboot root x\n");
	writes(false,
	    "{\"id\":\"a\",\"shell\":\"x\",\"env\":{\"A\":\"b "
	    "c\"},\"umask\":\"077\",\"cwd\":\"/srv\","
	    "\"stdin\":{\"text\":\"1\\n2%\\n\"},\"shell_path\":\"/bin/bash\"," CRON(
		"0 1 * * mon-fri") "}",
	    true,
	    "SHELL=/bin/bash\n# schedd: a\n"
	    "0 1 * * mon-fri export A='b c'; umask 077; cd /srv || exit; x%1%2\\%\n");
	writes(false,
	    "{\"id\":\"a\",\"shell\":\"x\",\"notify\":[{\"on\":\"failure\",\"target\":\"mail:a@b\"}"
	    ","
	    "{\"on\":\"late\",\"target\":\"logger\"}],\"timeout\":90,\"paused\":true,"
	    "\"trigger\":{\"type\":\"cron\",\"expr\":\"5 4 * * *\",\"timezone\":\"Europe/Berlin\","
	    "\"jitter\":90}}",
	    true,
	    "# timeout: 90\nCRON_TZ=Europe/Berlin\n# its jitter is 90 seconds\nRANDOM_DELAY=2\n"
	    "# tells of late: logger\nMAILTO=a@b\n# it is paused\n# schedd: a\n#5 4 * * * x\n");
}

Test(crontab_write, comments_on_what_it_cannot_say)
{
	writes(false,
	    "{\"id\":\"a\",\"shell\":\"x\",\"trigger\":{\"type\":\"interval\",\"seconds\":5}}",
	    false,
	    "# a is left out: its trigger is none of five fields\n"
	    "# trigger: {\"type\":\"interval\",\"seconds\":5}\n");
	writes(false, "{\"id\":\"a\",\"shell\":\"x\\ny\"," CRON("0 1 * * *") "}", false,
	    "# a is left out: its command has line breaks\n"
	    "# trigger: {\"type\":\"cron\",\"expr\":\"0 1 * * *\",\"timezone\":\"UTC\"}\n");
	writes(false,
	    "{\"id\":\"a\",\"call\":{\"function\":\"f\"},\"trigger\":{\"type\":\"on_boot\"}}",
	    false,
	    "# a is left out: it runs no command\n# trigger: {\"type\":\"on_boot\"}\n"
	    "# call: {\"function\":\"f\"}\n");
}

Test(crontab_say, knows_what_every_cron_understands)
{
	static const char *const good[] = {"* * * * *", "*/5 1,2,3 1-5/2 jan,mar-may mon-fri",
	    "0~30 * * * 7", "@hourly", "5-7 0 1 1 sat"};
	static const char *const bad[] = {"* * * *", "0 * * * * *", "0 22-2 * * *", "0 0 L * *",
	    "0 0 15W * *", "H * * * *", "0 0 * * 5#2", "0 0 * * monday", "0 0 * * fri-mon",
	    "0 0 * * +mon", "0 0 ? * *", "5/10 * * * *", "", "*/0 * * * *", "1,,2 * * * *"};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]) + sizeof(bad) / sizeof(bad[0]); i++) {
		bool is_good = i < sizeof(good) / sizeof(good[0]);
		const char *expr = is_good ? good[i] : bad[i - sizeof(good) / sizeof(good[0])];
		struct strbuf out = STRBUF_EMPTY;
		struct arena arena;
		struct value trigger = value_map();

		arena_init(&arena);
		value_put(&arena, &trigger, "type", value_string_ref("cron"));
		value_put(&arena, &trigger, "expr", value_string_ref(expr));
		cr_expect_eq(crontab_say_schedule(&out, &trigger) == NULL, is_good, "%s", expr);
		strbuf_clear(&out);
		arena_clear(&arena);
	}
}

/* What a crontab says, written and read again, is the same jobs. */
Test(crontab_write, is_read_back_as_the_same)
{
	static const char text[] = "MAILTO=root\nSHELL=/bin/bash\n"
				   "@daily a x\n*/5 * * * * a%in%put\nCRON_TZ=Europe/Berlin\n"
				   "RANDOM_DELAY=10\n@reboot b\\%\nMAILTO=\n0 1 1 * mon c\n";
	struct zone_cache *zones = zone_cache_new(NULL);
	struct trigger_context trigger = {.zones = zones, .zone = zone_utc(), .seed = 1};
	struct job_fields_context context = {.trigger = &trigger};
	struct diagnostics skipped, notes;
	struct value jobs[2] = {value_array(), value_array()};
	struct strbuf out[2] = {STRBUF_EMPTY, STRBUF_EMPTY};
	const char *in = text;
	struct arena arena;

	arena_init(&arena);
	diagnostics_init(&skipped);
	diagnostics_init(&notes);
	for (int round = 0; round < 2; round++) {
		struct crontab_writer writer;

		cr_assert_eq(crontab_read("f", in, strlen(in), false, &trigger, &arena,
				 &jobs[round], &skipped, &notes),
		    0, "%s", skipped.items[0].message);
		crontab_write_init(&writer, false, "UTC");
		crontab_write_begin(&writer, &out[round]);
		for (uint32_t i = 0; i < jobs[round].array.count; i++) {
			struct schedd_job *job = job_new();
			struct value map;

			cr_assert_eq(job_fields_read(job, NULL, &jobs[round].array.items[i], ~0u,
					 &context, NULL),
			    0);
			map = job_fields_export(job, &arena);
			cr_assert(crontab_write_job(&writer, &out[round], &map));
			job_unref(job);
		}
		crontab_write_end(&writer);
		in = strbuf_peek(&out[round]);
	}
	cr_assert_str_eq(strbuf_peek(&out[0]), strbuf_peek(&out[1]));
	for (int round = 0; round < 2; round++)
		strbuf_clear(&out[round]);
	diagnostics_clear(&notes);
	arena_clear(&arena);
	zone_cache_free(zones);
}

/* The command and the input of a job, through a crontab and back. */
static void comes_back(const char *shell, const char *input)
{
	struct zone_cache *zones = zone_cache_new(NULL);
	struct trigger_context trigger = {.zones = zones, .zone = zone_utc(), .seed = 1};
	struct value job = value_map(), cron = value_map(), given = value_map(),
		     jobs = value_array();
	struct diagnostics skipped, notes;
	struct strbuf out = STRBUF_EMPTY;
	struct crontab_writer writer;
	const char *back;
	struct arena arena;

	arena_init(&arena);
	diagnostics_init(&skipped);
	diagnostics_init(&notes);
	value_put(&arena, &cron, "type", value_string_ref("cron"));
	value_put(&arena, &cron, "expr", value_string_ref("0 1 * * *"));
	value_put(&arena, &job, "id", value_string_ref("a"));
	value_put(&arena, &job, "shell", value_string_ref(shell));
	value_put(&arena, &job, "trigger", cron);
	value_put(&arena, &given, "text", value_string_ref(input));
	if (input)
		value_put(&arena, &job, "stdin", given);
	crontab_write_init(&writer, false, "UTC");
	crontab_write_begin(&writer, &out);
	cr_assert(crontab_write_job(&writer, &out, &job), "%s", strbuf_peek(&out));
	crontab_write_end(&writer);
	cr_assert_eq(crontab_read("f", out.data, out.length, false, &trigger, &arena, &jobs,
			 &skipped, &notes),
	    0, "%s", out.data);
	cr_expect_str_eq(value_get_string(&jobs.array.items[0], "shell"), shell, "%s", out.data);
	back = value_get_string(value_get(&jobs.array.items[0], "stdin"), "text");
	cr_expect_str_eq(back ? back : "", input ? input : "", "%s", out.data);
	strbuf_clear(&out);
	diagnostics_clear(&skipped);
	diagnostics_clear(&notes);
	arena_clear(&arena);
	zone_cache_free(zones);
}

Test(crontab_write, escapes_so_that_every_command_and_input_comes_back)
{
	static const char *const pieces[] = {"%", "\\", "a", "\\\\", "%%", " "};
	static const char *const lines[] = {"%", "\\", "a", "\n", "%\n"};
	char shell[64], input[64];

	comes_back("a", NULL);
	comes_back("a", "\n");
	comes_back("a", "\n\n");
	comes_back("a\\", "\n");
	comes_back("caf\xe9 \xff", "\xfe\n");
	srand(1);
	for (int round = 0; round < 3000; round++) {
		strcpy(shell, "x");
		*input = '\0';
		for (int i = rand() % 6; i > 0; i--) {
			strcat(shell, pieces[rand() % 6]);
			strcat(input, lines[rand() % 5]);
		}
		strcat(input, "\n");
		if (!strstr(input, "\\\n\n") && !strstr(input, "\\\n%") &&
		    !strstr(input, "\\\na") && !strstr(input, "\\\n\\"))
			comes_back(shell, rand() % 3 ? input : NULL);
	}
}

Test(crontab_write, refuses_input_that_no_crontab_can_say)
{
	writes(false,
	    "{\"id\":\"a\",\"shell\":\"x\",\"stdin\":{\"text\":\"no end\"}," CRON("@daily") "}",
	    false,
	    "# a is left out: its standard input does not end with a line break\n"
	    "# trigger: {\"type\":\"cron\",\"expr\":\"@daily\",\"timezone\":\"UTC\"}\n");
	writes(false,
	    "{\"id\":\"a\",\"shell\":\"x\",\"stdin\":{\"text\":\"a\\\\\\nb\\n\"}," CRON(
		"@daily") "}",
	    false,
	    "# a is left out: its standard input has a backslash at the end of a line\n"
	    "# trigger: {\"type\":\"cron\",\"expr\":\"@daily\",\"timezone\":\"UTC\"}\n");
}

Test(crontab_write, gives_variables_with_a_meaning_their_own_lines)
{
	writes(false,
	    "{\"id\":\"a\",\"shell\":\"x\",\"env\":{\"MAILTO\":\"a@b, c\",\"CRON_TZ\":\"UTC\","
	    "\"MAILFROM\":\"m\",\"RANDOM_DELAY\":\"2\",\"CONTENT_TYPE\":\"text/x; y\"},"
	    "\"notify\":[{\"on\":\"output\",\"target\":\"mail:a@b\"},{\"on\":\"output\",\"target\":"
	    "\"mail:c\"}],"
	    "\"trigger\":{\"type\":\"cron\",\"expr\":\"5 4 * * "
	    "*\",\"timezone\":\"UTC\",\"jitter\":120}}",
	    true,
	    "CRON_TZ=UTC\nRANDOM_DELAY=2\nMAILTO=a@b, c\nMAILFROM=m\nCONTENT_TYPE=text/x; y\n"
	    "# schedd: a\n5 4 * * * x\n");
	/* The variable alone means nothing here. */
	writes(false,
	    "{\"id\":\"a\",\"shell\":\"x\",\"env\":{\"MAILTO\":\"c\"}," CRON("@daily") "}", true,
	    "# schedd: a\n@daily export MAILTO=c; x\n");
}
