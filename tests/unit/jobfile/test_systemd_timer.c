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

static void comes_to(const char *timer, const char *service, const char *expected)
{
	struct strbuf out = STRBUF_EMPTY;
	struct bench bench;

	bench_open(&bench);
	cr_expect_eq(systemd_timer_read(&bench.import, "a b@home.timer", timer, strlen(timer),
			 service, strlen(service)),
	    0, "%s", bench.skipped.items[0].message);
	if (bench.jobs.array.count > 0)
		json_write(&out, &bench.jobs.array.items[0]);
	cr_expect_str_eq(strbuf_peek(&out), expected);
	strbuf_clear(&out);
	bench_close(&bench);
}

Test(systemd_timer, joins_timer_and_service)
{
	comes_to("# c\n[Timer]\nOnCalendar=Mon..Fri 09:00\nPersistent=yes\n",
	    "[Service]\nExecStart=/bin/echo \"a b\" 'c\\x' %i%% \\\n  d\n",
	    "{\"id\":\"a-b-home\",\"command\":[\"/bin/echo\",\"a b\",\"c\\\\x\",\"home%\",\"d\"],"
	    "\"trigger\":{\"on_calendar\":\"Mon..Fri 09:00\"}}");
	comes_to("[Timer]\nOnBootSec=0\nOnUnitActiveSec=1h 30min\nRandomizedDelaySec=5m\n",
	    "[Service]\nType=oneshot\nExecStartPre=-/bin/a\nExecStart=/bin/b $X ${Y}z $$1 "
	    "\"q\\\"\"\n"
	    "User=www\nGroup=adm\nEnvironment=A=1 \"B=2 3\" "
	    "A=4\nWorkingDirectory=/srv\nUMask=0027\n"
	    "Nice=5\nTimeoutStartSec=90\nTimeoutStopSec=infinity\nKillSignal=SIGINT\n"
	    "SuccessExitStatus=3 4\nLimitNOFILE=1024:infinity\nLimitCORE=infinity\n",
	    "{\"id\":\"a-b-home\","
	    "\"shell\":\"{ /bin/a || true; } && /bin/b $X \\\"${Y}z\\\" \\\"\\\\$1\\\" "
	    "\\\"q\\\\\\\"\\\"\","
	    "\"trigger\":{\"any\":[{\"on_boot\":true},{\"every\":5400}],\"jitter\":300},"
	    "\"cwd\":\"/"
	    "srv\",\"umask\":\"0027\",\"nice\":5,\"timeout\":90,\"kill_signal\":\"SIGINT\","
	    "\"success_codes\":[0,3,4],\"user\":\"www:adm\",\"env\":{\"A\":\"4\",\"B\":\"2 3\"},"
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
	refuses(GOOD_TIMER, "[Service]\nExecStart=/bin/x %i\n", "the specifier '%i'");
	refuses(GOOD_TIMER, "[Service]\nExecStart=@/bin/x y\n", "a name of its own");
	refuses(GOOD_TIMER, "[Service]\nExecStart=-\n", "the command is empty");
	refuses(GOOD_TIMER, "[Service]\nExecStart=/bin/x\nNice=99\n", "nice: 99 is out of");
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
