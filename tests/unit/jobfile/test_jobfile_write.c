/* SPDX-License-Identifier: MIT */
#include "jobfile/jobfile_write.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "jobfile/jobfile.h"
#include "model/job_fields.h"

static void writes(const char *json, enum jobfile_form form, const char *expected)
{
	struct strbuf out = STRBUF_EMPTY;
	struct value jobs;
	struct arena arena;

	arena_init(&arena);
	cr_assert_eq(json_parse(json, strlen(json), &arena, &jobs, NULL), 0);
	jobfile_write_begin(&out, form, "me");
	for (uint32_t i = 0; i < jobs.array.count; i++)
		jobfile_write_job(&out, form, &jobs.array.items[i], i);
	jobfile_write_end(&out, form, jobs.array.count);
	cr_assert_str_eq(strbuf_peek(&out), expected);
	strbuf_clear(&out);
	arena_clear(&arena);
}

static const char jobs[] =
    "[{\"id\":\"backup\",\"owner\":\"me\",\"revision\":4,"
    "\"command\":[\"/bin/tar\",\"-c\",\"a b\",\"no\",\"5\"],\"timeout\":5400,"
    "\"trigger\":{\"type\":\"cron\",\"expr\":\"30 2 * * *\",\"timezone\":\"Europe/Berlin\"},"
    "\"env\":{\"A\":\"yes\",\"B\":\"\"},"
    "\"notify\":[{\"on\":\"failure\",\"target\":\"mail:root\"},{\"on\":\"late\",\"target\":\"x\"}]}"
    ","
    "{\"id\":\"null\",\"shell\":\"set -e\\nmake\\n\\n  deep\\n\",\"keep\":true,"
    "\"stdin\":{\"text\":\" a\\n\"}}]";

Test(jobfile_write, writes_yaml_for_people)
{
	writes(jobs, JOBFILE_YAML,
	    "version: 1\n"
	    "owner: me\n"
	    "jobs:\n"
	    "  backup:\n"
	    "    command: [/bin/tar, \"-c\", \"a b\", \"no\", \"5\"]\n"
	    "    timeout: 1h30m\n"
	    "    trigger:\n"
	    "      type: cron\n"
	    "      expr: \"30 2 * * *\"\n"
	    "      timezone: Europe/Berlin\n"
	    "    env:\n"
	    "      A: \"yes\"\n"
	    "      B: \"\"\n"
	    "    notify:\n"
	    "      - \"on\": failure\n"
	    "        target: mail:root\n"
	    "      - \"on\": late\n"
	    "        target: x\n"
	    "  \"null\":\n"
	    "    shell: |\n"
	    "      set -e\n"
	    "      make\n"
	    "\n"
	    "        deep\n"
	    "    keep: true\n"
	    "    stdin:\n"
	    "      text: \" a\\n\"\n");
	writes("[]", JOBFILE_YAML, "version: 1\nowner: me\njobs: {}\n");
}

Test(jobfile_write, writes_json)
{
	writes("[{\"id\":\"a\",\"shell\":\"x\"},{\"id\":\"b\",\"env\":{\"A\":\"\\n\"}}]",
	    JOBFILE_JSON,
	    "{\n"
	    "  \"version\": 1,\n"
	    "  \"owner\": \"me\",\n"
	    "  \"jobs\": {\n"
	    "    \"a\": {\n"
	    "      \"shell\": \"x\"\n"
	    "    },\n"
	    "    \"b\": {\n"
	    "      \"env\": {\n"
	    "        \"A\": \"\\n\"\n"
	    "      }\n"
	    "    }\n"
	    "  }\n"
	    "}\n");
	writes(
	    "[]", JOBFILE_JSON, "{\n  \"version\": 1,\n  \"owner\": \"me\",\n  \"jobs\": {}\n}\n");
}

/* Texts that like to be taken for something else, and random ones. */
static const char *random_text(struct arena *arena, unsigned *seed)
{
	static const char *const awkward[] = {"", " ", "-", "- a", "a: b", "a:", ":a", "#", "a #b",
	    "* * * * *", "&a", "!a", "|", ">", "%", "@", "`", "'", "\"", "null", "~", "No", "1e5",
	    "0x10", "1.2.3", "2026-01-01", "a\n", "a\nb", "a\n\n", "\na", " a\nb", "a\n b\n",
	    "a \nb", "a\n  \nb\n", "a\n\t\nb", "a\n ", "\t", "a\tb", "\x7f", "\xc2\x85",
	    "\xe2\x80\xa8", "\xef\xbb\xbf", "\xf0\x9f\x98\x80", "\\", "\x1b[0m", "{a}", "[a]",
	    "a,b", "?", "? a", "<<", "=", "---", "...", "--- a\nb\n", "a\n---\nb\n", "\r\n",
	    "a\r\nb", "a\n#b\n"};
	static const char letters[] = "ab \n\t:#-'\"{}[],&*!|>%@`~\\=?01.\xc3\xa4";
	char text[13];
	size_t length = (size_t)(rand_r(seed) % 12);

	if (rand_r(seed) % 2)
		return awkward[(size_t)rand_r(seed) % (sizeof(awkward) / sizeof(awkward[0]))];
	/* The last two bytes of letters are one character. */
	for (size_t i = 0; i < length; i++)
		text[i] = letters[(size_t)rand_r(seed) % (sizeof(letters) - 3)];
	text[length] = '\0';
	return arena_strdup(arena, text);
}

static struct value random_job(struct arena *arena, unsigned *seed)
{
	struct value job = value_map(), list = value_array(), pairs = value_map();
	struct value args = value_array();

	value_put(
	    arena, &job, "id", value_string_ref(arena_printf(arena, "j%d", rand_r(seed) % 9)));
	value_append(arena, &list, value_string_ref("x"));
	for (int i = rand_r(seed) % 4; i > 0; i--)
		value_append(arena, &list, value_string(arena, random_text(arena, seed)));
	value_put(arena, &pairs, "A", value_string(arena, random_text(arena, seed)));
	value_put(arena, &job, "env", pairs);
	value_append(arena, &args, value_string(arena, random_text(arena, seed)));
	value_append(arena, &args, value_int(rand_r(seed)));
	value_append(arena, &args, value_bool(true));
	value_append(arena, &args, value_nil());
	value_append(arena, &args, value_real(0.1));
	value_append(arena, &args, list);
	if (rand_r(seed) % 2) {
		value_put(arena, &job, "command", list);
	} else {
		struct value call = value_map();

		value_put(arena, &call, "function", value_string_ref("f"));
		value_put(arena, &call, "args", args);
		value_put(arena, &job, "call", call);
	}
	value_put(arena, &job, "timeout", value_real(0.25));
	value_put(arena, &job, "description", value_string(arena, random_text(arena, seed)));
	return job;
}

/* Both as jobs: what a text form means is what counts. */
static void same_jobs(struct arena *arena, const struct value *a, const struct value *b)
{
	struct strbuf one = STRBUF_EMPTY, two = STRBUF_EMPTY;
	const struct value *both[] = {a, b};
	struct strbuf *out[] = {&one, &two};

	for (int i = 0; i < 2; i++) {
		struct schedd_job *job = job_new();
		struct schedd_error err = {0};
		struct value export;

		cr_assert_eq(
		    job_fields_read(job, NULL, both[i], ~0u, NULL, &err), 0, "%s", err.message);
		export = job_fields_export(job, arena);
		json_write(out[i], &export);
		job_unref(job);
	}
	cr_assert_str_eq(strbuf_peek(&one), strbuf_peek(&two));
	strbuf_clear(&one);
	strbuf_clear(&two);
}

static void writes_and_reads(unsigned *seed, enum jobfile_form form)
{
	struct diagnostics diagnostics;
	struct strbuf out = STRBUF_EMPTY;
	struct jobfile set;
	struct arena arena;
	struct value job;

	arena_init(&arena);
	jobfile_init(&set);
	diagnostics_init(&diagnostics);
	job = random_job(&arena, seed);
	jobfile_write_begin(&out, form, NULL);
	jobfile_write_job(&out, form, &job, 0);
	jobfile_write_end(&out, form, 1);
	cr_assert_eq(jobfile_read(&set, "f", out.data, out.length, &(struct trigger_context){0},
			 &diagnostics),
	    0, "%s\n%s", diagnostics.items[0].message, out.data);
	same_jobs(&arena, &job, &set.jobs.array.items[0]);
	strbuf_clear(&out);
	jobfile_clear(&set);
	diagnostics_clear(&diagnostics);
	arena_clear(&arena);
}

Test(jobfile_write, is_read_back_as_the_same)
{
	unsigned seed = 3;

	for (int round = 0; round < 3000; round++)
		writes_and_reads(&seed, round % 3 ? JOBFILE_YAML : JOBFILE_JSON);
}
