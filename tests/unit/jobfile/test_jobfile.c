/* SPDX-License-Identifier: MIT */
#include "jobfile/jobfile.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/json.h"

struct bench {
	struct jobfile set;
	struct diagnostics diagnostics;
	struct zone_cache *zones;
	struct trigger_context context;
};

static void bench_open(struct bench *bench)
{
	jobfile_init(&bench->set);
	diagnostics_init(&bench->diagnostics);
	bench->zones = zone_cache_new(NULL);
	bench->context = (struct trigger_context){.zones = bench->zones,
	    .zone = zone_utc(),
	    .now = 1767225600 * SCHEDD_SECOND,
	    .seed = 1};
}

static void bench_close(struct bench *bench)
{
	jobfile_clear(&bench->set);
	diagnostics_clear(&bench->diagnostics);
	zone_cache_free(bench->zones);
}

static int bench_read(struct bench *bench, const char *file, const char *text)
{
	return jobfile_read(
	    &bench->set, file, text, strlen(text), &bench->context, &bench->diagnostics);
}

static const char *bench_said(struct bench *bench)
{
	struct strbuf out = STRBUF_EMPTY;
	const char *text;

	diagnostics_write(&bench->diagnostics, &out);
	text = arena_strdup(&bench->set.arena, strbuf_peek(&out));
	strbuf_clear(&out);
	return text;
}

static void comes_to(const char *file, const char *text, const char *jobs)
{
	struct strbuf out = STRBUF_EMPTY;
	struct bench bench;

	bench_open(&bench);
	cr_assert_eq(bench_read(&bench, file, text), 0, "%s", bench_said(&bench));
	json_write(&out, &bench.set.jobs);
	cr_assert_str_eq(strbuf_peek(&out), jobs);
	strbuf_clear(&out);
	bench_close(&bench);
}

Test(jobfile, types_scalars_by_their_fields)
{
	comes_to("f.yaml",
	    "version: 1\n"
	    "jobs:\n"
	    "  a.b-1:\n"
	    "    name: no\n"
	    "    description: 1.10\n"
	    "    command: [sleep, 5, yes, null]\n"
	    "    env: {A: no, B: 1.0, C: ''}\n"
	    "    keep: true\n"
	    "    max_instances: 3\n"
	    "    timeout: 90\n"
	    "    umask: 022\n"
	    "    retry: {limit: 2, delay: 5s, backoff: 1.5, max_delay: ~}\n"
	    "    trigger: {calendar: 'months=1', start: 2026-01-31, end: null}\n"
	    "    cwd: null\n",
	    "[{\"id\":\"a.b-1\",\"name\":\"no\",\"description\":\"1.10\","
	    "\"command\":[\"sleep\",\"5\",\"yes\",\"null\"],"
	    "\"env\":{\"A\":\"no\",\"B\":\"1.0\",\"C\":\"\"},\"keep\":true,\"max_instances\":3,"
	    "\"timeout\":\"90\",\"umask\":\"022\","
	    "\"retry\":{\"limit\":2,\"delay\":\"5s\",\"backoff\":1.5,\"max_delay\":null},"
	    "\"trigger\":{\"calendar\":\"months=1\",\"start\":\"2026-01-31\",\"end\":null},"
	    "\"cwd\":null}]");
	comes_to("f",
	    "version: 1\n"
	    "jobs:\n"
	    "  c:\n"
	    "    call: {function: f, args: {a: 1, b: [true, 'true', ~]}}\n"
	    "    trigger: {any: [{type: interval, seconds: 5}, {type: manual}, {on_boot: true}]}\n"
	    "    retry: 3\n",
	    "[{\"id\":\"c\","
	    "\"call\":{\"function\":\"f\",\"args\":{\"a\":1,\"b\":[true,\"true\",null]}},"
	    "\"trigger\":{\"any\":[{\"type\":\"interval\",\"seconds\":5},{\"type\":\"manual\"},"
	    "{\"on_boot\":true}]},\"retry\":3}]");
}

Test(jobfile, reads_json_by_the_same_schema)
{
	comes_to("f.json",
	    "{\"version\": 1, \"jobs\": {\"a\": {\"shell\": \"true\", \"trigger\": {\"every\": "
	    "5}}}}",
	    "[{\"id\":\"a\",\"shell\":\"true\",\"trigger\":{\"every\":5}}]");
	comes_to("standard input", " {\"version\": 1, \"jobs\": {}}\n", "[]");
	comes_to("standard input", "{version: 1, jobs: {}}\n", "[]");
}

Test(jobfile, merges_defaults)
{
	comes_to("f",
	    "version: 1\n"
	    "defaults:\n"
	    "  shell: exit 0\n"
	    "  timeout: 1h\n"
	    "  env: {A: a, B: b}\n"
	    "  trigger: {every: 1h}\n"
	    "jobs:\n"
	    "  one:\n"
	    "  two: {command: [x], env: {B: c, D: d}, timeout: ~}\n",
	    "[{\"id\":\"one\",\"shell\":\"exit "
	    "0\",\"timeout\":\"1h\",\"env\":{\"A\":\"a\",\"B\":\"b\"},"
	    "\"trigger\":{\"every\":\"1h\"}},"
	    "{\"id\":\"two\",\"trigger\":{\"every\":\"1h\"},\"command\":[\"x\"],"
	    "\"env\":{\"A\":\"a\",\"B\":\"c\",\"D\":\"d\"},\"timeout\":null}]");
}

static void refuses(const char *text, const char *words)
{
	struct bench bench;

	bench_open(&bench);
	cr_expect_eq(bench_read(&bench, "f", text), SCHEDD_EFILE, "%s", text);
	cr_expect(strncmp(bench_said(&bench), words, strlen(words)) == 0, "%s\n  %s", text,
	    bench_said(&bench));
	bench_close(&bench);
}

#define HEAD "version: 1\njobs:\n"

Test(jobfile, says_what_is_wrong_with_the_file)
{
	refuses("", "f: the file is empty");
	refuses("- a\n", "f:1:1: a list is no job file");
	refuses("jobs: {}\n", "f: version is missing");
	refuses("version: 2\njobs: {}\n", "f:1:10: version: this program reads version 1");
	refuses("version: '1'\njobs: {}\n", "f:1:10: version: ");
	refuses("version: 1\n", "f: jobs is missing");
	refuses("version: 1\njob: {}\n", "f: jobs is missing");
	refuses("version: 1\njobs: {}\ndefault: {}\n",
	    "f:3:1: 'default' does not stand at the top of a job file, did you mean 'defaults'?");
	refuses("version: 1\njobs: {}\ncommand: [x]\n",
	    "f:3:1: 'command' does not stand at the top of a job file: fields belong to a job");
	refuses("version: 1\nowner: a b\njobs: {}\n", "f:2:8: owner: ");
	refuses("version: 1\njobs: [a]\n", "f:2:7: jobs: a list is not a map from id");
	refuses("version: 1\ndefaults: 5\njobs: {}\n", "f:2:11: defaults: a string is not a map");
	refuses("version: 1\ndefaults: {timeout: x}\njobs: {a: {shell: x}}\n",
	    "f:2:21: defaults.timeout: duration 'x'");
	refuses("{\"version\": 1,\n \"jobs\": }", "f:2:");
}

Test(jobfile, says_what_is_wrong_with_a_job)
{
	refuses(HEAD "  a b: {shell: x}\n", "f:3:3: jobs: id 'a b' is not of the form");
	refuses(HEAD "  a: x\n", "f:3:6: jobs.a: a string is not a map");
	refuses(HEAD "  a: {}\n", "f:3:3: jobs.a: it has nothing to do");
	refuses(HEAD "  a:\n    comand: [x]\n",
	    "f:4:5: jobs.a: 'comand' is no field of a job, did you mean 'command'?");
	refuses(HEAD "  a: {id: b}\n", "f:3:7: jobs.a.id: the key under 'jobs:' is the id");
	refuses(HEAD "  a: {owner: b}\n", "f:3:7: jobs.a.owner: it stands at the top");
	refuses(HEAD "  a: {revision: 1}\n", "f:3:7: jobs.a.revision: it is the server's");
	refuses(HEAD "  a: {shell: x, keep: yes}\n", "f:3:23: jobs.a.keep: 'yes' is neither true");
	refuses(HEAD "  a: {shell: x, keep: 'true'}\n", "f:3:23: jobs.a.keep: 'true' is neither");
	refuses(HEAD "  a: {shell: x, nice: ten}\n", "f:3:23: jobs.a.nice: 'ten' is not a whole");
	refuses(HEAD "  a: {shell: x, command: [y]}\n", "f:3:3: jobs.a: command: there is shell");
	refuses(HEAD "  a:\n    shell: x\n    retry:\n      limit: 1\n      delay: x\n",
	    "f:7:14: jobs.a.retry: delay: duration 'x'");
	refuses(HEAD "  a: {shell: x, trigger: {cron: '61 * * * *'}}\n",
	    "f:3:26: jobs.a.trigger: cron '61 * * * *': minute 61");
	refuses(HEAD "  a:\n    shell: x\n    trigger:\n      every: soon\n",
	    "f:6:14: jobs.a.trigger: 'every': duration 'soon'");
	refuses(HEAD "  a: {shell: x}\n  a: {shell: y}\n", "f:4:3: 'a' is here twice");
}

Test(jobfile, finds_every_fault_of_a_job)
{
	struct bench bench;

	bench_open(&bench);
	cr_assert_eq(bench_read(&bench, "f",
			 HEAD "  a:\n    shell: x\n    timeout: x\n    nice: 99\n    keep: 5\n"),
	    SCHEDD_EFILE);
	cr_assert_eq(bench.diagnostics.count, 3);
	cr_assert_eq(bench.diagnostics.items[0].line, 5);
	cr_assert_eq(bench.diagnostics.items[2].line, 7);
	bench_close(&bench);
	/* Also beside an unknown one. */
	bench_open(&bench);
	cr_assert_eq(
	    bench_read(&bench, "f", HEAD "  a:\n    comand: x\n    nice: 99\n"), SCHEDD_EFILE);
	cr_assert_eq(bench.diagnostics.count, 2);
	cr_assert_eq(bench.diagnostics.items[1].line, 5);
	bench_close(&bench);
}

Test(jobfile, takes_a_byte_order_mark)
{
	struct bench bench;

	bench_open(&bench);
	cr_assert_eq(bench_read(&bench, "f", "\xef\xbb\xbf" HEAD "  a: {shell: x}\n"), 0);
	cr_assert_eq(bench_read(&bench, "f.json",
			 "\xef\xbb\xbf{\"version\": 1, \"jobs\": {\"b\": {\"shell\": \"x\"}}}"),
	    0);
	cr_assert_eq(bench.set.jobs.array.count, 2);
	bench_close(&bench);
}

Test(jobfile, stops_at_twenty)
{
	struct strbuf text = STRBUF_EMPTY;
	struct bench bench;

	strbuf_add(&text, HEAD);
	for (int i = 0; i < 1000; i++)
		strbuf_printf(&text, "  j%d: {shell: x, nice: 99}\n", i);
	bench_open(&bench);
	cr_assert_eq(bench_read(&bench, "f", strbuf_peek(&text)), SCHEDD_EFILE);
	cr_assert_eq(bench.diagnostics.count, DIAGNOSTICS_MAX);
	strbuf_clear(&text);
	bench_close(&bench);
}

Test(jobfile, joins_files_but_not_their_ids_and_owners)
{
	struct bench bench;

	bench_open(&bench);
	cr_assert_eq(bench_read(&bench, "a", "version: 1\nowner: me\njobs: {x: {shell: a}}\n"), 0);
	cr_assert_eq(bench_read(&bench, "b", HEAD "  y: {shell: a}\n"), 0);
	cr_assert_str_eq(bench.set.owner, "me");
	cr_assert_eq(bench.set.jobs.array.count, 2);
	cr_assert_eq(bench_read(&bench, "c", HEAD "  x: {shell: a}\n"), SCHEDD_EFILE);
	cr_assert_str_eq(bench_said(&bench), "c:3:3: job 'x' stands in a, line 3, already\n");
	diagnostics_clear(&bench.diagnostics);
	cr_assert_eq(bench_read(&bench, "d", "version: 1\nowner: you\njobs: {}\n"), SCHEDD_EFILE);
	bench_close(&bench);
}

Test(jobfile, knows_places_when_the_jobs_are_gone)
{
	struct bench bench;
	uint32_t line;

	bench_open(&bench);
	cr_assert_eq(bench_read(&bench, "a", HEAD "  x: {shell: a}\n  y: {shell: b}\n"), 0);
	jobfile_free_jobs(&bench.set);
	cr_expect_eq(bench.set.jobs.array.count, 0);
	cr_expect_str_eq(jobfile_place(&bench.set, "y", &line), "a");
	cr_expect_eq(line, 4);
	cr_expect_null(jobfile_place(&bench.set, "z", &line));
	bench_close(&bench);
}

static void put_file(const char *directory, const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "w");
	cr_assert_not_null(file);
	fputs(text, file);
	fclose(file);
}

Test(jobfile, loads_files_and_directories)
{
	char directory[] = "/tmp/schedd-jobfile-XXXXXX", path[256];
	struct bench bench;

	cr_assert_not_null(mkdtemp(directory));
	put_file(directory, "b.yml", HEAD "  b: {shell: x}\n");
	put_file(directory, "a.yaml", HEAD "  a: {shell: x}\n");
	put_file(directory, "c.json", "{\"version\":1,\"jobs\":{\"c\":{\"shell\":\"x\"}}}");
	put_file(directory, ".hidden.yaml", "nonsense");
	put_file(directory, "notes.txt", "nonsense");
	bench_open(&bench);
	cr_assert_eq(jobfile_load(&bench.set, directory, &bench.context, &bench.diagnostics), 0,
	    "%s", bench_said(&bench));
	cr_assert_eq(bench.set.files, 3);
	cr_assert_eq(bench.set.jobs.array.count, 3);
	cr_assert(value_is_text(value_get(&bench.set.jobs.array.items[0], "id"), "a"));
	snprintf(path, sizeof(path), "%s/none.yaml", directory);
	cr_assert_eq(
	    jobfile_load(&bench.set, path, &bench.context, &bench.diagnostics), SCHEDD_EFILE);
	cr_assert(strstr(bench_said(&bench), "none.yaml: No such file or directory"));
	snprintf(path, sizeof(path), "rm -r %s", directory);
	cr_assert_eq(system(path), 0);
	bench_close(&bench);
}
