/* SPDX-License-Identifier: MIT */
#include "jobfile/crontab.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "base/json.h"
#include "jobfile/crontab_name.h"

struct bench {
	struct arena arena;
	struct value jobs;
	struct diagnostics skipped, notes;
	struct zone_cache *zones;
	struct trigger_context context;
};

static void bench_open(struct bench *bench)
{
	memset(bench, 0, sizeof(*bench));
	bench->jobs = value_array();
	bench->zones = zone_cache_new(NULL);
	bench->context = (struct trigger_context){.zones = bench->zones,
	    .zone = zone_utc(),
	    .now = 1767225600 * SCHEDD_SECOND,
	    .seed = 1};
}

static void bench_close(struct bench *bench)
{
	arena_clear(&bench->arena);
	diagnostics_clear(&bench->skipped);
	diagnostics_clear(&bench->notes);
	zone_cache_free(bench->zones);
}

static int bench_read(struct bench *bench, bool system, const char *text)
{
	return crontab_read("tab", text, strlen(text), system, &bench->context, &bench->arena,
	    &bench->jobs, &bench->skipped, &bench->notes);
}

static void comes_to(bool system, const char *text, const char *jobs)
{
	struct strbuf out = STRBUF_EMPTY;
	struct bench bench;

	bench_open(&bench);
	cr_expect_eq(bench_read(&bench, system, text), 0, "%s", bench.skipped.items[0].message);
	json_write(&out, &bench.jobs);
	cr_expect_str_eq(strbuf_peek(&out), jobs);
	strbuf_clear(&out);
	bench_close(&bench);
}

Test(crontab, reads_entries_and_variables)
{
	comes_to(false, "", "[]");
	comes_to(false, "# comment\n\n  \t\n", "[]");
	comes_to(false, "*/5  * * *\tmon-fri  echo hi  there \n",
	    "[{\"id\":\"echo\",\"shell\":\"echo hi  there \","
	    "\"trigger\":{\"cron\":\"*/5 * * * mon-fri\"}}]");
	comes_to(true, "@daily root /usr/bin/backup.sh",
	    "[{\"id\":\"backup\",\"shell\":\"/usr/bin/backup.sh\","
	    "\"trigger\":{\"cron\":\"@daily\"},\"user\":\"root\"}]");
	comes_to(false,
	    "SHELL=/bin/bash\nPATH = '/usr/bin: /bin' \nHOME=/srv\n\"X Y\"=z\nA=\n@reboot run\r\n",
	    "[{\"id\":\"run\",\"shell\":\"run\",\"trigger\":{\"on_boot\":true},"
	    "\"shell_path\":\"/bin/bash\",\"cwd\":\"/srv\","
	    "\"env\":{\"PATH\":\"/usr/bin: /bin\",\"HOME\":\"/srv\",\"X Y\":\"z\",\"A\":\"\"}}]");
}

Test(crontab, lets_variables_hold_from_their_line_on)
{
	comes_to(false,
	    "0 1 * * * one\n"
	    "CRON_TZ=Europe/Berlin\nRANDOM_DELAY=10\nMAILTO=\"a@b, root\"\n"
	    "0 2 * * * two\n"
	    "CRON_TZ=\nRANDOM_DELAY=0\nMAILTO=\"\"\n"
	    "0 3 * * * three\n",
	    "[{\"id\":\"one\",\"shell\":\"one\",\"trigger\":{\"cron\":\"0 1 * * *\"}},"
	    "{\"id\":\"two\",\"shell\":\"two\",\"trigger\":{\"cron\":\"0 2 * * *\","
	    "\"timezone\":\"Europe/Berlin\",\"jitter\":600},"
	    "\"env\":{\"CRON_TZ\":\"Europe/Berlin\",\"RANDOM_DELAY\":\"10\",\"MAILTO\":\"a@b, "
	    "root\"},"
	    "\"notify\":[\"output=mail:a@b\",\"output=mail:root\"]},"
	    "{\"id\":\"three\",\"shell\":\"three\",\"trigger\":{\"cron\":\"0 3 * * *\"}}]");
}

Test(crontab, resolves_percent_signs)
{
	comes_to(false, "0 0 1 1 * date +\\%F\n",
	    "[{\"id\":\"date\",\"shell\":\"date +%F\",\"trigger\":{\"cron\":\"0 0 1 1 *\"}}]");
	comes_to(false, "0 0 1 1 * mail -s \"Hi\" joe%Joe,%%where \\% ?%\n",
	    "[{\"id\":\"mail\",\"shell\":\"mail -s \\\"Hi\\\" joe\","
	    "\"trigger\":{\"cron\":\"0 0 1 1 *\"},"
	    "\"stdin\":{\"text\":\"Joe,\\n\\nwhere % ?\\n\"}}]");
	/* cron writes a line break behind what is there, and nothing behind nothing. */
	comes_to(false, "0 0 1 1 * cat%\n",
	    "[{\"id\":\"cat\",\"shell\":\"cat\",\"trigger\":{\"cron\":\"0 0 1 1 *\"}}]");
	comes_to(false, "0 0 1 1 * cat%%\n",
	    "[{\"id\":\"cat\",\"shell\":\"cat\",\"trigger\":{\"cron\":\"0 0 1 1 *\"},"
	    "\"stdin\":{\"text\":\"\\n\"}}]");
}

/* What Debian's cron 3.0pl1-162 handed to the shell, and to its standard input. */
Test(crontab, resolves_backslashes_as_debian_does)
{
	static const char *const lines[][3] = {
	    {"a \\% b", "a % b", NULL},
	    {"a \\\\% b", "a \\", " b\n"},
	    {"a \\\\\\% b", "a \\% b", NULL},
	    {"a \\\\x \\y % in \\% \\\\% \\\\\\% x%y", "a \\x \\y ", " in % \\% \\\\% x\ny\n"},
	    {"a%x%", "a", "x\n"},
	    {"a%x\\", "a", "x\\\n"},
	    {"a trailing\\", "a trailing\\", NULL},
	    {"a%a\\\\b\\\\", "a", "a\\\\b\\\\\n"},
	    {"a \\\\\\\\ \\\\% b", "a \\\\ \\", " b\n"},
	    {"a \\a\\%b\\\\\\\\%c", "a \\a%b\\\\", "c\n"},
	    {"a%a\\%b\\\\\\%c\\\\%d", "a", "a%b\\\\%c\\%d\n"},
	    {"a \xff%\xfe", "a \xff", "\xfe\n"},
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const struct value *job;
		const char *input;
		struct bench bench;
		char text[128];

		bench_open(&bench);
		snprintf(text, sizeof(text), "0 0 1 1 * %s\n", lines[i][0]);
		cr_assert_eq(bench_read(&bench, false, text), 0, "%s", lines[i][0]);
		job = &bench.jobs.array.items[0];
		input = value_get_string(value_get(job, "stdin"), "text");
		cr_expect_str_eq(value_get_string(job, "shell"), lines[i][1], "%s", lines[i][0]);
		cr_expect_eq(!input, !lines[i][2], "%s", lines[i][0]);
		if (input && lines[i][2])
			cr_expect_str_eq(input, lines[i][2], "%s", lines[i][0]);
		bench_close(&bench);
	}
}

/* The text of the only note, "" where there is none; the expression in *expr. */
static void notes(bool system, const char *text, const char *expr, const char *words)
{
	struct bench bench;

	bench_open(&bench);
	cr_assert_eq(
	    bench_read(&bench, system, text), 0, "%s: %s", text, bench.skipped.items[0].message);
	if (expr)
		cr_expect_str_eq(
		    value_get_string(value_get(&bench.jobs.array.items[0], "trigger"), "cron"),
		    expr, "%s", text);
	cr_expect_eq(bench.notes.count, *words ? 1 : 0, "%s: %u notes, %s", text, bench.notes.count,
	    bench.notes.count ? bench.notes.items[0].message : "");
	if (*words && bench.notes.count)
		cr_expect(strstr(bench.notes.items[0].message, words), "%s: %s", text,
		    bench.notes.items[0].message);
	bench_close(&bench);
}

Test(crontab, takes_steps_beyond_their_range_as_cron_does)
{
	static const char *const rows[][2] = {
	    {"*/60 * * * *", "0 * * * *"},
	    {"*/99 * * * *", "0 * * * *"},
	    {"0 */24 * * *", "0 0 * * *"},
	    {"0 0 */31 * *", "0 0 1 * *"},
	    {"0 0 1 */12 *", "0 0 1 1 *"},
	    {"0 0 * * */7", "0 0 * * 0"},
	    {"0 0 * * */8", "0 0 * * 0"},
	    {"0-30/60 * * * *", "0 * * * *"},
	    {"5-9/5,40 1 * * *", "5,40 1 * * *"},
	    {"0 0 * jan-mar/3 *", "0 0 * 1 *"},
	    {"0 0 * * mon-fri/5", "0 0 * * 1"},
	    /* Both fields of days hold, where one began with a star. */
	    {"0 0 */31 * mon", "0 0 1 * +mon"},
	    {"0 0 13 * */7", "0 0 13 * +0"},
	    {"0 0 */31 * */7", "0 0 1 * +0"},
	    {"0 0 */31 * *", "0 0 1 * *"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[64];

		snprintf(text, sizeof(text), "%s x\n", rows[i][0]);
		notes(false, text, rows[i][1], "is larger than its range");
	}
	notes(false, "*/59 */23 */30 */11 */6 x\n", "*/59 */23 */30 */11 */6", "");
	notes(false, "0 0 1-31/30 * 1-5/4 x\n", "0 0 1-31/30 * 1-5/4", "");
	notes(false, "0 22-2 * * * x\n", "0 22-2 * * *", "'22-2' ends before it begins");
	notes(false, "0 0 * * fri-mon x\n", "0 0 * * fri-mon", "'fri-mon' ends before it begins");
}

Test(crontab, remarks_on_what_was_probably_meant_otherwise)
{
	notes(false, "0 0 * * * root /bin/x y\n", NULL, "--system");
	notes(false, "0 0 * * * root\n", NULL, "");
	notes(true, "0 0 * * * root root x\n", NULL, "");
	notes(false, "* * * * * * /bin/x\n", NULL, "begins with '*'");
	notes(false, "0 0 1 1 * 2027 /bin/x\n", NULL, "begins with '2027'");
	notes(true, "0 0 * * * root * x\n", NULL, "begins with '*'");
	notes(false, "0 0 * * * sed s/\\\\/x/ y\n", NULL, "two backslashes are one");
	notes(false, "CRON_TZ=Asia/Tokyo\n", NULL, "Debian's own cron ignores it");
	notes(false, "LOGNAME=me\n0 0 * * * x\n", NULL, "LOGNAME is always the user's name");
	notes(false, "MAILTO=me\n0 0 * * * x\n", NULL, "");
}

Test(crontab, keeps_variables_with_a_meaning_for_the_command)
{
	comes_to(false,
	    "MAILFROM=a@b\nCONTENT_TYPE='text/html; charset=x'\nUSER=me\nPATH=/p\nLOGNAME=no\n"
	    "0 0 1 1 * x\n",
	    "[{\"id\":\"x\",\"shell\":\"x\",\"trigger\":{\"cron\":\"0 0 1 1 *\"},"
	    "\"env\":{\"MAILFROM\":\"a@b\",\"CONTENT_TYPE\":\"text/html; charset=x\","
	    "\"USER\":\"me\",\"PATH\":\"/p\"}}]");
}

Test(crontab, takes_options_of_other_crons)
{
	comes_to(false, "MAILTO=r\n0 0 1 1 * -n -q x -n\n",
	    "[{\"id\":\"x\",\"shell\":\"x -n\",\"trigger\":{\"cron\":\"0 0 1 1 *\"},"
	    "\"env\":{\"MAILTO\":\"r\"},\"notify\":[\"failure=mail:r\"]}]");
	comes_to(true, "0 0 1 1 * root -ns\tx\n",
	    "[{\"id\":\"x\",\"shell\":\"x\",\"trigger\":{\"cron\":\"0 0 1 1 "
	    "*\"},\"user\":\"root\"}]");
	comes_to(false, "0 0 1 1 * -x y\n",
	    "[{\"id\":\"x\",\"shell\":\"-x y\",\"trigger\":{\"cron\":\"0 0 1 1 *\"}}]");
}

Test(crontab, takes_what_cronie_adds)
{
	comes_to(false, "~ 1~3,~5 10~ * ~ x\n",
	    "[{\"id\":\"x\",\"shell\":\"x\","
	    "\"trigger\":{\"cron\":\"0~59 1~3,0~5 10~31 * 0~6\"}}]");
	comes_to(false, "-5 * * * * x\n",
	    "[{\"id\":\"x\",\"shell\":\"x\",\"trigger\":{\"cron\":\"5 * * * *\"}}]");
}

Test(crontab, skips_what_it_cannot_take_and_names_the_line)
{
	static const char text[] = "0 1 * * *\n"
				   "61 * * * * x\n"
				   "@evry x\n"
				   "0 1 * * * good\n"
				   "RANDOM_DELAY=soon\n"
				   "CRON_TZ=Mars/Olympus\n"
				   "0 1 * * * x\n"
				   "CRON_TZ=UTC\n"
				   "0 1 * * * %only input\n"
				   "SHELL=bash\n"
				   "0 1 * * * x\n";
	static const struct {
		uint32_t line;
		const char *words;
	} expected[] = {{1, "the command is missing"}, {2, "minute 61"}, {3, "@evry"},
	    {5, "RANDOM_DELAY 'soon'"}, {7, "Mars/Olympus"}, {9, "the command is missing"},
	    {11, "shell_path: 'bash' is relative"}};
	struct bench bench;

	bench_open(&bench);
	cr_assert_eq(bench_read(&bench, false, text), SCHEDD_EFILE);
	cr_assert_eq(bench.jobs.array.count, 1);
	cr_assert(value_is_text(value_get(&bench.jobs.array.items[0], "id"), "good"));
	cr_assert_eq(bench.skipped.count, sizeof(expected) / sizeof(expected[0]));
	for (uint32_t i = 0; i < bench.skipped.count; i++) {
		cr_expect_eq(bench.skipped.items[i].line, expected[i].line);
		cr_expect(strstr(bench.skipped.items[i].message, expected[i].words), "%u: %s",
		    expected[i].line, bench.skipped.items[i].message);
	}
	bench_close(&bench);
}

Test(crontab_name, finds_the_program_a_line_is_there_for)
{
	static const char *const lines[][3] = {
	    {"/usr/bin/backup --all", "backup", ""},
	    {"cd /srv && A=b ./run.sh daily", "run", "daily"},
	    {"[ -x /a ] && if [ ! -d /run ]; then /usr/lib/php/sessionclean; fi", "sessionclean",
		""},
	    {"test -x /c -a \\! -d /r && perl -e 'sleep int(rand(9))' && certbot -q renew",
		"certbot", "renew"},
	    {"x=$({ cat /a 2>/dev/null || true; } | sed -nE 's/(\\S.*)$/\\1/p'); find \"$x/\" "
	     "-delete",
		"find", ""},
	    {"nice -n 10 ionice -c3 timeout -k 5 60 flock -n /var/lock/x /opt/my job.py", "my",
		"job.py"},
	    {"flock -n /run/l /usr/share/manage.py runjobs hourly", "manage", "hourly"},
	    {"python3 -u /srv/app/sync.py --fast", "sync", ""},
	    {"python3 -m http.server", "http.server", ""},
	    {"cd / && run-parts --report /etc/cron.daily", "cron.daily", ""},
	    {"php /usr/share/p.php 2>&1 >/dev/null | if [ -f /t ] ; then ts ; fi >> /log", "p", ""},
	    {"sh -c 'exit 3'", "sh", ""},
	    {"echo hi", "echo", ""},
	    {"\"/opt/my app/run it\" x y/z", "runit", "z"},
	    {"2>/dev/null >x y", "y", ""},
	    {"-", "job", ""},
	    {"$(", "job", ""},
	    {"...", "job", ""},
	    {"", "job", ""},
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char name[CRONTAB_NAME_SIZE], detail[CRONTAB_NAME_SIZE];

		crontab_name(lines[i][0], name, detail);
		cr_expect_str_eq(name, lines[i][1], "%s: %s", lines[i][0], name);
		cr_expect_str_eq(detail, lines[i][2], "%s: %s", lines[i][0], detail);
	}
}

static void ids(const char *text, const char *expected)
{
	struct strbuf out = STRBUF_EMPTY;
	struct bench bench;

	bench_open(&bench);
	cr_assert_eq(bench_read(&bench, false, text), 0);
	for (uint32_t i = 0; i < bench.jobs.array.count; i++)
		strbuf_printf(&out, "%s ", value_get_string(&bench.jobs.array.items[i], "id"));
	cr_expect_str_eq(strbuf_peek(&out), expected);
	strbuf_clear(&out);
	bench_close(&bench);
}

Test(crontab, makes_ids_that_are_unique_and_stable)
{
	ids("@daily a x\n@daily a yy\n@daily a -5\n@daily a -5\n@daily b\n",
	    "a a-yy a-f3ec a-2 b ");
	ids("# schedd: my.job\n@daily a x\n# schedd: bad id\n@daily a\n", "my.job a ");
	ids("# schedd: x\n\n@daily a\n", "a ");
}

/* Reads what packages ship, all of it. */
static void reads_package(const char *package, uint32_t entries, const char *expected)
{
	struct strbuf out = STRBUF_EMPTY;
	struct bench bench;
	char path[512], *text;
	size_t length;

	snprintf(path, sizeof(path), "%s/crontab/%s", TEST_DATA, package);
	cr_assert_eq(file_read(path, 1 << 20, &text, &length, NULL), 0, "%s", path);
	bench_open(&bench);
	cr_expect_eq(
	    bench_read(&bench, true, text), 0, "%s: %s", package, bench.skipped.items[0].message);
	cr_expect_eq(bench.jobs.array.count, entries, "%s", package);
	for (uint32_t i = 0; i < bench.jobs.array.count; i++) {
		const struct value *job = &bench.jobs.array.items[i];

		strbuf_printf(&out, "%s%s", i ? " " : "", value_get_string(job, "id"));
	}
	cr_expect_str_eq(strbuf_peek(&out), expected, "%s: %s", package, strbuf_peek(&out));
	strbuf_clear(&out);
	bench_close(&bench);
	free(text);
}

Test(crontab, takes_every_crontab_that_debian_packages_ship)
{
	static const struct {
		const char *package;
		uint32_t entries;
		const char *ids;
	} packages[] = {
	    {"amavisd-new", 2, "amavisd-new-cronjob amavisd-new-cronjob-sa-clean"},
	    {"anacron", 1, "invoke-rc.d"},
	    {"atop", 1, "atop.daily"},
	    {"awstats", 2, "update buildstatic"},
	    {"backupninja", 1, "backupninja"},
	    {"cacti", 1, "poller"},
	    {"certbot", 1, "certbot"},
	    {"cron-apt", 1, "cron-apt"},
	    {"cron-daemon-common", 4, "cron.hourly cron.daily cron.weekly cron.monthly"},
	    {"dma", 1, "dma"},
	    {"e2fsprogs", 2, "e2scrub_all_cron e2scrub_all"},
	    {"inn2", 3, "news.daily ctlinnd rnews"},
	    {"logcheck", 2, "logcheck logcheck-7d7d"},
	    {"mailman3", 2, "mailman mailman-digests"},
	    {"mailman3-web", 7,
		"manage manage-quarter_hourly manage-hourly manage-daily manage-weekly "
		"manage-monthly manage-yearly"},
	    {"mdadm", 1, "checkarray"},
	    {"munin", 4, "munin-cron munin-limits find find-f2b9"},
	    {"munin-node", 1, "apt_all"},
	    {"ntpsec", 1, "rotate-stats"},
	    {"php-common", 1, "sessionclean"},
	    {"roundcube-core", 2, "cleandb gc"},
	    {"sa-exim", 1, "greylistclean"},
	    {"sysstat", 2, "debian-sa1 debian-sa1-b906"},
	    {"tiger", 1, "tigercron"},
	};

	for (size_t i = 0; i < sizeof(packages) / sizeof(packages[0]); i++)
		reads_package(packages[i].package, packages[i].entries, packages[i].ids);
}
