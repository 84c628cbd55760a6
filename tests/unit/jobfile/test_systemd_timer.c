/* SPDX-License-Identifier: MIT */
#include "jobfile/systemd_timer.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"

struct bench {
	struct arena arena;
	struct value jobs;
	struct diagnostics skipped, notes;
	struct zone_cache *zones;
	struct trigger_context context;
	struct import_job import;
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
	bench->import = (struct import_job){.file = "f",
	    .context = &bench->context,
	    .arena = &bench->arena,
	    .jobs = &bench->jobs,
	    .skipped = &bench->skipped,
	    .notes = &bench->notes};
}

static void bench_close(struct bench *bench)
{
	arena_clear(&bench->arena);
	diagnostics_clear(&bench->skipped);
	diagnostics_clear(&bench->notes);
	zone_cache_free(bench->zones);
}

#define PATH "\"PATH\":\"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin\""
/* What systemd gives every service of the machine. */
#define WORLD "\"env\":{" PATH "},\"cwd\":\"/\""

static void comes_to(const char *timer, const char *service, const char *expected)
{
	struct strbuf out = STRBUF_EMPTY;
	struct bench bench;

	bench_open(&bench);
	cr_expect_eq(systemd_timer_read(&bench.import, "a b@home.timer", timer, strlen(timer),
			 service, strlen(service)),
	    0, "%s", bench.skipped.items[0].message);
	if (bench.jobs.array.count > 0) {
		struct value *job = &bench.jobs.array.items[0];

		/* The last member, of each the same. */
		cr_expect_str_eq(value_get_string(job, "owner"), "systemd:a%20b@home.timer");
		job->map.count--;
		json_write(&out, job);
	}
	cr_expect_str_eq(strbuf_peek(&out), expected);
	strbuf_clear(&out);
	bench_close(&bench);
}

Test(systemd_timer, joins_timer_and_service)
{
	comes_to("# c\n[Timer]\nOnCalendar=Mon..Fri 09:00\nPersistent=yes\n",
	    "[Service]\nExecStart=/bin/echo \"a b\" 'c\\x' %i%% \\\n  d\n",
	    "{\"id\":\"a-b-home\",\"command\":[\"/bin/echo\",\"a b\",\"c\\\\x\",\"home%\",\"d\"],"
	    "\"trigger\":{\"on_calendar\":\"Mon..Fri 09:00\"}," WORLD "}");
	comes_to("[Timer]\nOnBootSec=0\nOnUnitActiveSec=1h 30min\nRandomizedDelaySec=5m\n",
	    "[Service]\nType=oneshot\nExecStartPre=-/bin/a\nExecStart=/bin/b $X ${Y}z $$1 "
	    "\"q\\\"\"\n"
	    "User=www\nGroup=adm\nEnvironment=A=1 \"B=2 3\" "
	    "A=4\nWorkingDirectory=/srv\nUMask=0027\n"
	    "Nice=5\nTimeoutStartSec=90\nTimeoutStopSec=infinity\nKillSignal=SIGINT\n"
	    "SuccessExitStatus=3 4\nLimitNOFILE=1024:infinity\nLimitCORE=infinity\n",
	    "{\"id\":\"a-b-home\","
	    "\"shell\":\"set -f; { /bin/a || true; } && /bin/b $X \\\"${Y}z\\\" \\\"\\\\$1\\\" "
	    "\\\"q\\\\\\\"\\\"\","
	    "\"trigger\":{\"any\":[{\"on_boot\":true},{\"every\":5400}],\"jitter\":300},"
	    "\"cwd\":\"/"
	    "srv\",\"umask\":\"0027\",\"nice\":5,\"kill_signal\":\"SIGINT\",\"timeout\":90,"
	    "\"success_codes\":[0,3,4],\"user\":\"www:adm\",\"env\":{\"A\":\"4\",\"B\":\"2 "
	    "3\"," PATH "},"
	    "\"rlimits\":{\"nofile\":\"1024:infinity\",\"core\":\"unlimited\"},"
	    "\"misfire_grace_time\":60}");
}

static void refuses(const char *timer, const char *service, const char *words)
{
	struct bench bench;

	bench_open(&bench);
	cr_expect_eq(systemd_timer_read(
			 &bench.import, "x.timer", timer, strlen(timer), service, strlen(service)),
	    SCHEDD_EFILE);
	cr_expect_eq(bench.jobs.array.count, 0);
	cr_expect(
	    strstr(bench.skipped.items[0].message, words), "%s", bench.skipped.items[0].message);
	bench_close(&bench);
}

#define GOOD_TIMER "[Timer]\nOnCalendar=daily\n"
#define GOOD_SERVICE "[Service]\nExecStart=/bin/x\n"

Test(systemd_timer, says_what_it_cannot_take)
{
	refuses("nonsense\n", GOOD_SERVICE, "line 1: 'nonsense' is neither");
	refuses("[Timer]\nOnActiveSec=5\n", GOOD_SERVICE, "no OnCalendar");
	refuses("[Timer]\nOnCalendar=never\n", GOOD_SERVICE, "never");
	refuses(
	    "[Timer]\nOnUnitActiveSec=x\n", GOOD_SERVICE, "line 2: OnUnitActiveSec: duration 'x'");
	refuses("[Timer]\nUnit=x.target\n", GOOD_SERVICE, "which is no service");
	refuses(GOOD_TIMER, "[Service]\n", "x.service has no ExecStart");
	refuses(GOOD_TIMER, "[Service]\nExecStart=/bin/x 'y\n", "a quote is not closed");
	refuses(GOOD_TIMER, "[Service]\nExecStart=/bin/x %z\n", "the specifier '%z'");
	refuses(GOOD_TIMER, "[Service]\nExecStart=@/bin/x y\n", "a name of its own");
	refuses(GOOD_TIMER, "[Service]\nExecStart=-\n", "the command is empty");
	refuses(GOOD_TIMER, "[Service]\nExecStart=/bin/x\nNice=99\n", "nice: 99 is out of");
}

/* The one job's member as JSON. */
/* systemd.unit(5): empty for what is no instance. */
Test(systemd_timer, has_an_empty_instance_where_it_is_none)
{
	const char *service = "[Service]\nExecStart=/bin/x a%ib %I %p\n";
	struct strbuf out = STRBUF_EMPTY;
	const struct value *command;
	struct bench bench;

	bench_open(&bench);
	cr_expect_eq(systemd_timer_read(&bench.import, "x.timer", GOOD_TIMER, strlen(GOOD_TIMER),
			 service, strlen(service)),
	    0);
	command = bench.jobs.array.count ? value_get(&bench.jobs.array.items[0], "command") : NULL;
	if (command)
		json_write(&out, command);
	cr_expect_str_eq(strbuf_peek(&out), "[\"/bin/x\",\"ab\",\"\",\"x\"]");
	strbuf_clear(&out);
	bench_close(&bench);
}

static void gives(const char *timer, const char *service, const char *member, const char *expected)
{
	struct strbuf out = STRBUF_EMPTY;
	const struct value *value;
	struct bench bench;

	bench_open(&bench);
	cr_expect_eq(systemd_timer_read(&bench.import, "foo-bar@a-b\\x2dc.timer", timer,
			 strlen(timer), service, strlen(service)),
	    0, "%s: %s", service, bench.skipped.count ? bench.skipped.items[0].message : "");
	value = bench.jobs.array.count ? value_get(&bench.jobs.array.items[0], member) : NULL;
	if (value)
		json_write(&out, value);
	cr_expect_str_eq(strbuf_peek(&out), expected, "%s: %s", service, strbuf_peek(&out));
	strbuf_clear(&out);
	bench_close(&bench);
}

#define EXEC(line, expected)                                                                       \
	gives(GOOD_TIMER, "[Service]\nExecStart=" line "\n", "command", expected)
#define LINE(line, expected) gives(GOOD_TIMER, "[Service]\nExecStart=" line "\n", "shell", expected)

Test(systemd_timer, reads_commands_as_systemd_does)
{
	EXEC("/a \\x41\\102\\u00e9\\U0001F600 \\t\\s\\\\ \\y '\\'' \"\\x22\"",
	    "[\"/a\",\"AB\xc3\xa9\xf0\x9f\x98\x80\",\"\\t \\\\\",\"\\\\y\",\"'\",\"\\\"\"]");
	EXEC("/a b\\; \\; ;c ';' \";\"", "[\"/a\",\"b\\\\;\",\";\",\";c\",\";\",\";\"]");
	EXEC(":/a $X ${Y}", "[\"/a\",\"$X\",\"${Y}\"]");
	LINE("/a x ; /b 'y z' ;", "\"/a x && /b \\\"y z\\\"\"");
	LINE("-/a ; /b", "\"{ /a || true; } && /b\"");
	LINE("/a $X", "\"set -f; /a $X\"");
	LINE("/a ${X} $$Y a$Z ${b c} `x`",
	    "\"/a \\\"${X}\\\" \\\"\\\\$Y\\\" \\\"a\\\\$Z\\\" \\\"\\\\${b\\\" "
	    "\\\"c}\\\" \\\"\\\\`x\\\\`\\\"\"");
	LINE("-:/a $X", "\"{ /a \\\"\\\\$X\\\" || true; }\"");
	refuses(GOOD_TIMER, "[Service]\nExecStart=/a ; ; /b\n", "the command is empty");
	refuses(GOOD_TIMER, "[Service]\nExecStart=|/a\n", "the shell of its user");
}

Test(systemd_timer, resolves_specifiers_in_every_value)
{
	EXEC("/a %n %N %p %i %I %j %J %f %P %%",
	    "[\"/"
	    "a\",\"foo-bar@a-b\\\\x2dc.service\",\"foo-bar@a-b\\\\x2dc\",\"foo-bar\",\"a-"
	    "b\\\\x2dc\","
	    "\"a/b-c\",\"bar\",\"bar\",\"/a/b-c\",\"foo/bar\",\"%\"]");
	EXEC("/a %t %S %C %L %E %T %V %u %U %h",
	    "[\"/a\",\"/run\",\"/var/lib\",\"/var/cache\",\"/var/log\",\"/etc\","
	    "\"/tmp\",\"/var/tmp\",\"root\",\"0\",\"/root\"]");
	gives(GOOD_TIMER, GOOD_SERVICE "WorkingDirectory=/srv/%i\n", "cwd", "\"/srv/a-b\\\\x2dc\"");
	gives(GOOD_TIMER, GOOD_SERVICE "User=u-%p\n", "user", "\"u-foo-bar\"");
	gives(GOOD_TIMER, GOOD_SERVICE "Environment=A=%j \"B=%%\"\n", "env",
	    "{\"A\":\"bar\",\"B\":\"%\"," PATH "}");
	gives(GOOD_TIMER, GOOD_SERVICE "Environment=A=%g:%G\n", "env", "{\"A\":\"root:0\"," PATH "}");
	gives("[Unit]\nDescription=for %p\n" GOOD_TIMER, GOOD_SERVICE, "description",
	    "\"for foo-bar\"");
	refuses(GOOD_TIMER, GOOD_SERVICE "WorkingDirectory=/srv/%z\n",
	    "WorkingDirectory: the specifier '%z'");
	refuses(GOOD_TIMER, "[Service]\nExecStart=/a %b\n", "ExecStart: the specifier '%b'");
	refuses(GOOD_TIMER, "[Service]\nExecStart=/a %", "the specifier '%'");
}

Test(systemd_timer, decides_when_the_whole_unit_is_read)
{
	/* An empty assignment takes back the whole list, faults in it too. */
	gives("[Timer]\nOnCalendar=rubbish\nOnBootSec=x\nOnUnitActiveSec=\nOnCalendar=daily\n",
	    GOOD_SERVICE, "trigger", "{\"on_calendar\":\"daily\"}");
	gives(GOOD_TIMER, "[Service]\nExecStart=/a %b\nExecStart=\nExecStart=/b\n", "command",
	    "[\"/b\"]");
	gives(GOOD_TIMER, GOOD_SERVICE "Environment=A=1 rubbish\nEnvironment=\nEnvironment=B=2\n",
	    "env", "{\"B\":\"2\"," PATH "}");
	gives(GOOD_TIMER, GOOD_SERVICE "SuccessExitStatus=3\nSuccessExitStatus=4 5\n",
	    "success_codes", "[0,3,4,5]");
	gives(GOOD_TIMER,
	    GOOD_SERVICE "SuccessExitStatus=3\nSuccessExitStatus=\nSuccessExitStatus=5\n",
	    "success_codes", "[0,5]");
	gives(GOOD_TIMER, GOOD_SERVICE "SuccessExitStatus=TEMPFAIL 250 SIGKILL NOTRUNNING 256\n",
	    "success_codes", "[0,75,250,7]");
	/* The type may stand behind what depends on it. */
	gives(GOOD_TIMER, GOOD_SERVICE "TimeoutStartSec=5\nRuntimeMaxSec=9\nType=oneshot\n",
	    "timeout", "5");
	gives(GOOD_TIMER,
	    GOOD_SERVICE "Type=oneshot\nTimeoutStartSec=5\nRuntimeMaxSec=9\nType=simple\n",
	    "timeout", "9");
	gives(GOOD_TIMER, GOOD_SERVICE "Type=oneshot\nTimeoutStartSec=5\nTimeoutStartSec=\n",
	    "timeout", "");
	gives(GOOD_TIMER, GOOD_SERVICE "Type=oneshot\nTimeoutSec=7\n", "kill_after", "7");
	gives(GOOD_TIMER, GOOD_SERVICE "User=a\nUser=\n", "user", "");
	gives(GOOD_TIMER, GOOD_SERVICE "Nice=rubbish\nNice=3\n", "nice", "3");
	gives(GOOD_TIMER, GOOD_SERVICE "WorkingDirectory=~\n", "cwd", "");
	gives(GOOD_TIMER, GOOD_SERVICE "Environment=PATH=/x\n", "env", "{\"PATH\":\"/x\"}");
}

Test(systemd_timer, takes_no_exactness_for_lateness)
{
	gives(GOOD_TIMER "AccuracySec=1us\n", GOOD_SERVICE, "misfire_grace_time", "60");
	gives(GOOD_TIMER "AccuracySec=24h\n", GOOD_SERVICE, "misfire_grace_time", "60");
	gives(
	    GOOD_TIMER "AccuracySec=1us\nPersistent=yes\n", GOOD_SERVICE, "misfire_grace_time", "");
	refuses(GOOD_TIMER "AccuracySec=x\n", GOOD_SERVICE, "AccuracySec: duration 'x'");
}

Test(systemd_timer, pauses_what_would_run_otherwise)
{
	static const char *const changing[] = {"EnvironmentFile=-/etc/default/x",
	    "ExecCondition=/c", "ExecStopPost=/c", "RootDirectory=/r", "DynamicUser=yes",
	    "StateDirectory=x", "LoadCredential=a:b", "StandardInput=file:/x",
	    "SupplementaryGroups=adm"};
	static const char *const harmless[] = {"PrivateTmp=yes", "CPUWeight=5",
	    "StandardOutput=journal", "X-Other=1", "Restart=no", "ProtectSystem=full"};
	char text[256], reason[256];

	for (size_t i = 0; i < sizeof(changing) / sizeof(changing[0]); i++) {
		snprintf(text, sizeof(text), GOOD_SERVICE "%s\n", changing[i]);
		snprintf(reason, sizeof(reason), "\"imported without %s\"", changing[i]);
		gives(GOOD_TIMER, text, "paused", "true");
		gives(GOOD_TIMER, text, "paused_reason", reason);
	}
	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
		snprintf(text, sizeof(text), GOOD_SERVICE "%s\n", harmless[i]);
		gives(GOOD_TIMER, text, "paused", "");
	}
	gives("[Unit]\nConditionACPower=yes\nAssertPathExists=/x\n" GOOD_TIMER, GOOD_SERVICE,
	    "paused_reason", "\"imported without ConditionACPower=yes, AssertPathExists=/x\"");
	gives(GOOD_TIMER,
	    "[Unit]\nConditionPathExists=/x\nConditionUser=y\nConditionHost=\n" GOOD_SERVICE
	    "EnvironmentFile=/x\nEnvironmentFile=\n",
	    "paused", "");
}

Test(systemd_timer, remarks_on_what_is_left_out)
{
	static const char service[] = GOOD_SERVICE "PrivateTmp=yes\nEnvironmentFile=/etc/x\n";
	struct bench bench;

	bench_open(&bench);
	cr_assert_eq(systemd_timer_read(&bench.import, "x.timer", GOOD_TIMER, strlen(GOOD_TIMER),
			 service, strlen(service)),
	    0);
	cr_assert_eq(bench.notes.count, 2);
	cr_assert_str_eq(
	    bench.notes.items[1].message, "x.service: EnvironmentFile=/etc/x is left out");
	cr_assert_eq(bench.notes.items[1].line, 4);
	bench_close(&bench);
}

Test(systemd_timer, takes_the_timers_that_debian_packages_ship)
{
	static const char *const refused = "mdadm-last-resort@.timer";
	DIR *directory = opendir(TEST_DATA "/systemd");
	const struct dirent *entry;
	struct bench bench;
	unsigned taken = 0;

	cr_assert_not_null(directory);
	bench_open(&bench);
	while ((entry = readdir(directory))) {
		char path[512];
		bool good = strcmp(entry->d_name, refused) != 0;

		if (!strstr(entry->d_name, ".timer"))
			continue;
		snprintf(path, sizeof(path), "%s/systemd/%s", TEST_DATA, entry->d_name);
		cr_expect_eq(systemd_timer_load(&bench.import, path), good ? 0 : SCHEDD_EFILE,
		    "%s: %s", entry->d_name,
		    bench.skipped.count ? bench.skipped.items[0].message : "");
		taken += good;
	}
	cr_expect_eq(bench.jobs.array.count, taken);
	cr_expect_geq(taken, 15);
	cr_expect_eq(systemd_timer_load(&bench.import, "/nonexistent/x.timer"), SCHEDD_EFILE);
	closedir(directory);
	bench_close(&bench);
}
