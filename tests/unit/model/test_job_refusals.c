/* SPDX-License-Identifier: MIT */
/* Each bad value gets a sentence that names the field, the reason and the way out. */
#include <criterion/criterion.h>
#include <string.h>
#include "base/json.h"
#include "model/job_check.h"
#include "model/job_fields.h"

struct refusal {
	const char *json;
	const char *message; /* its beginning */
};

static const struct refusal refusals[] = {
    {"[]", "a list is not a map of a job's fields"},
    {"{\"id\":\"a b\"}", "id: 'a b' is not of the form [A-Za-z0-9_]"},
    {"{\"id\":\"-a\"}", "id: '-a' is not of the form"},
    {"{\"id\":\"\"}", "id: '' is not of the form"},
    {"{\"id\":5}", "id: an integer is not a text"},
    {"{\"name\":\"a\\u0000b\"}", "name: a NUL cannot stand in it"},
    {"{\"tags\":\"a\"}", "tags: a string is neither a map nor a list"},
    {"{\"tags\":[\"=x\"]}", "tags: a name is empty"},
    {"{\"tags\":[\"a\",\"a=1\"]}", "tags: 'a' is there more than once"},
    {"{\"tags\":[1]}", "tags: an integer is not a text"},
    {"{\"priority\":\"high\"}", "priority: 'high' is not a whole number"},
    {"{\"priority\":1.5}", "priority: a fraction is not a whole number"},
    {"{\"priority\":1e300}", "priority: a fraction is not a whole number"},
    {"{\"command\":\"echo hi\"}", "command: a line of text is for a shell: use shell, or write"},
    {"{\"command\":[]}", "command: the list is empty"},
    {"{\"command\":[\"\"]}", "command: the program's name is empty"},
    {"{\"command\":[\"a\",null]}", "command: item 2: null is not a text"},
    {"{\"command\":[[\"a\"]]}", "command: item 1: a list is not a text"},
    {"{\"command\":{}}", "command: a map is not a list"},
    {"{\"shell\":[\"a\"]}", "shell: a list is run without a shell: use command"},
    {"{\"shell\":\" \"}", "shell: the line is empty"},
    {"{\"shell\":\"a\",\"command\":[\"b\"]}", "command: there is shell already"},
    {"{\"call\":\"a b\"}", "call: 'a b' is not of the form FUNCTION"},
    {"{\"call\":{\"args\":1}}", "call: function is missing"},
    {"{\"call\":{\"fun\":1}}", "call: there is no member 'fun'"},
    {"{\"http\":\"ftp://x\"}", "http: 'ftp://x' is not a URL"},
    {"{\"http\":\"http://\"}", "http: 'http://' is not a URL"},
    {"{\"http\":\"get http://x\"}", "http: 'get' is not a method"},
    {"{\"http\":\"GET http://x y\"}", "http: URL 'http://x y' has a blank"},
    {"{\"http\":{\"method\":\"GET\"}}", "http: url is missing"},
    {"{\"http\":{\"url\":\"http://x\",\"headers\":{\"a:\":\"b\"}}}", "http: headers: 'a:' has"},
    {"{\"http\":{\"url\":\"http://x\",\"headers\":{\"a\":\"b\\r\\n\"}}}", "http: headers: 'a' has"},
    {"{\"trigger\":{\"cron\":\"61 * * * *\"}}", "trigger: cron '61 * * * *': minute 61"},
    {"{\"trigger\":{\"every\":\"x\"}}", "trigger: 'every': duration 'x'"},
    {"{\"misfire_grace_time\":0}", "misfire_grace_time: it must be longer than 0"},
    {"{\"misfire_grace_time\":-1}", "misfire_grace_time: a duration cannot be negative"},
    {"{\"timeout\":\"abc\"}", "timeout: duration 'abc': "},
    {"{\"kill_after\":\"none\"}", "kill_after: duration 'none': "},
    {"{\"coalesce\":\"lates\"}",
	"coalesce: 'lates' is none of latest, earliest or all, did you mean 'latest'?"},
    {"{\"coalesce\":true}", "coalesce: a boolean is none of latest"},
    {"{\"max_instances\":0}", "max_instances: 0 is out of 1..1000000"},
    {"{\"max_runs\":0}", "max_runs: 0 is less than 1"},
    {"{\"keep\":1}", "keep: an integer is neither true nor false"},
    {"{\"next_run_time\":\"someday\"}", "next_run_time: "},
    {"{\"after\":\"a:maybe\"}", "after: 'maybe' is none of ok, fail or any"},
    {"{\"after\":[{\"on\":\"ok\"}]}", "after: job is missing"},
    {"{\"after\":[\"a b\"]}", "after: 'a b' is not the id of a job"},
    {"{\"cwd\":\"tmp\"}", "cwd: 'tmp' is relative, write the path from / on"},
    {"{\"env\":{\"A\":null}}", "env: A: null is not a text"},
    {"{\"env\":{\"A=\":\"\"}}", "env: name 'A=' has a '='"},
    {"{\"env\":[\"A\"]}", "env: 'A' is not of the form NAME=VALUE"},
    {"{\"user\":\"a:b:c\"}", "user: 'a:b:c' is not of the form USER or USER:GROUP"},
    {"{\"user\":\":b\"}", "user: ':b' is not of the form"},
    {"{\"umask\":22}", "umask: an integer is ambiguous, write octal digits as text"},
    {"{\"umask\":\"8\"}", "umask: '8' is not an octal mode"},
    {"{\"umask\":\"1000\"}", "umask: '1000' is not an octal mode"},
    {"{\"nice\":20}", "nice: 20 is out of -20..19"},
    {"{\"rlimits\":{\"nofiles\":1}}",
	"rlimits: there is no limit 'nofiles', did you mean 'nofile'?"},
    {"{\"rlimits\":{\"nofile\":\"many\"}}", "rlimits: nofile: many is not a limit"},
    {"{\"rlimits\":{\"nofile\":{\"soft\":2,\"hard\":1}}}",
	"rlimits: nofile: the soft limit is more"},
    {"{\"rlimits\":{\"nofile\":{\"soft\":2}}}", "rlimits: nofile: write {soft: "},
    {"{\"rlimits\":[\"as=1\",\"as=2\"]}", "rlimits: as: it is there more than once"},
    {"{\"rlimits\":7}", "rlimits: an integer is neither a map"},
    {"{\"stdin\":\"x\"}", "stdin: 'x' is relative"},
    {"{\"stdin\":{\"text\":\"a\",\"path\":\"/b\"}}", "stdin: write {path: FILE} or {text: TEXT}"},
    {"{\"stdin\":{}}", "stdin: write {path"},
    {"{\"hook\":\"x\"}", "hook: 'x' is relative"},
    {"{\"hook\":\"\"}", "hook: '' is relative"},
    {"{\"hook\":{}}", "hook: write {secret_file: FILE}"},
    {"{\"hook\":{\"secret\":\"hunter2\"}}",
	"hook: there is no member 'secret', did you mean 'secret_file'?"},
    {"{\"hook\":{\"secret_file\":7}}", "hook: secret_file: an integer is not a text"},
    {"{\"hook\":true}", "hook: a boolean is not a text"},
    {"{\"secrets\":{\"A B\":\"/x\"}}", "secrets: name 'A B' is not of the form"},
    {"{\"secrets\":{\"A\":\"x\"}}", "secrets: 'x' is relative"},
    {"{\"kill_signal\":\"NOPE\"}", "kill_signal: there is no signal 'NOPE'"},
    {"{\"kill_signal\":99}", "kill_signal: there is no signal 99"},
    {"{\"retry\":\"3\"}", "retry: a string is neither a number of attempts nor"},
    {"{\"retry\":{\"limits\":3}}", "retry: there is no member 'limits', did you mean 'limit'?"},
    {"{\"retry\":{\"limit\":-1}}", "retry: limit: it is a whole number"},
    {"{\"retry\":{\"backoff\":0.5}}", "retry: backoff: it is a number from 1"},
    {"{\"retry\":{\"delay\":\"x\"}}", "retry: delay: duration 'x'"},
    {"{\"success_codes\":[]}", "success_codes: the list is empty"},
    {"{\"success_codes\":256}", "success_codes: exit code 256 is out of 0-255"},
    {"{\"success_codes\":\"5-3\"}", "success_codes: range 5-3 is upside down"},
    {"{\"success_codes\":\"1,,2\"}", "success_codes: '1,,2' is no list of exit codes"},
    {"{\"success_codes\":[true]}", "success_codes: a boolean is no exit code"},
    {"{\"notify\":\"mail:root\"}", "notify: 'mail:root' is not of the form EVENT=TARGET"},
    {"{\"notify\":[\"fail=x\"]}", "notify: 'fail' is none of failure, recovery"},
    {"{\"notify\":{\"late\":\"mail:\"}}", "notify: late: 'mail:' is not of the form"},
    {"{\"notify\":{\"late\":\"mail:-odq\"}}", "notify: late: 'mail:-odq' is not of the form"},
    {"{\"notify\":[\"late= \"]}", "notify: the target is empty"},
    {"{\"notify\":[\"late=https://\"]}", "notify: 'https://' is not a URL"},
    {"{\"notify\":[{\"on\":\"late\"}]}", "notify: write {on: EVENT, target: TARGET}"},
    {"{\"output_max\":\"10X\"}", "output_max: '10X' is not a size"},
    {"{\"output_max\":-1}", "output_max: a size cannot be negative"},
    {"{\"keep_runs\":-1}", "keep_runs: -1 is less than 0"},
    /* Fields that do not go together. */
    {"{}", "it has nothing to do: give command, shell, call or http"},
    {"{\"shell\":\"x\",\"retry\":{\"delay\":5}}", "retry: limit is missing"},
    {"{\"shell\":\"x\",\"retry\":{\"limit\":1,\"delay\":5,\"max_delay\":1}}",
	"retry: max_delay is less than delay"},
    {"{\"shell\":\"x\",\"retry\":{\"limit\":1,\"on\":3},\"success_codes\":[0,3]}",
	"retry: exit code 3 is among success_codes"},
    {"{\"shell\":\"x\",\"id\":\"a\",\"after\":\"a\"}", "after: job 'a' cannot wait for itself"},
    {"{\"shell\":\"x\",\"after\":[\"a\",\"a:any\"]}", "after: job 'a' is there more than once"},
};

static void refuse(const struct refusal *refusal, const struct job_fields_context *context)
{
	struct schedd_job *job = job_new();
	struct schedd_error err = {0};
	struct job_state state;
	struct arena arena;
	struct value map;
	int rc;

	arena_init(&arena);
	job_state_init(&state);
	cr_assert_eq(json_parse(refusal->json, strlen(refusal->json), &arena, &map, &err), 0,
	    "%s: %s", refusal->json, err.message);
	rc =
	    job_fields_read(job, &state, &map, JOB_FIELD_ADD_ONLY | JOB_FIELD_STATE, context, &err);
	if (!rc)
		rc = job_check(job, &err);
	cr_expect_eq(rc, SCHEDD_EINVAL, "%s is taken", refusal->json);
	cr_expect(strncmp(err.message, refusal->message, strlen(refusal->message)) == 0, "%s\n  %s",
	    refusal->json, err.message);
	job_unref(job);
	job_state_clear(&state);
	arena_clear(&arena);
}

Test(job_refusals, name_the_field_and_the_reason)
{
	struct zone_cache *zones = zone_cache_new(NULL);
	struct trigger_context trigger = {.zones = zones, .zone = zone_utc(), .seed = 1};
	struct job_fields_context context = {.trigger = &trigger};

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		refuse(&refusals[i], &context);
	zone_cache_free(zones);
}

Test(job_refusals, bound_the_number_of_items)
{
	struct schedd_job *job = job_new();
	struct schedd_error err = {0};
	struct arena arena;
	struct value map = value_map(), tags = value_array();

	arena_init(&arena);
	for (int i = 0; i <= JOB_FIELD_ITEMS_MAX; i++)
		value_append(&arena, &tags, value_string_ref(arena_printf(&arena, "t%d", i)));
	value_put(&arena, &map, "tags", tags);
	cr_assert_eq(job_fields_read(job, NULL, &map, 0, NULL, &err), SCHEDD_EINVAL);
	cr_assert_str_eq(err.message, "tags: 4097 entries are more than 4096");
	job_unref(job);
	arena_clear(&arena);
}
