/* SPDX-License-Identifier: MIT */
/* What holds for every executor, whatever it starts. */
#include "support/task_case.h"
#include "executor/spawn.h"

#include <criterion/parameterized.h>
#include <time.h>

/* How to ask one type of executor for the same things. */
struct flavour {
	char type[16];
	char field[16];
	char success[64];
	char seven[64];  /* ends with exit code 7 */
	char absent[64]; /* cannot be started */
	char reason[96]; /* and why not */
	char slow[64];   /* takes 50 ms; "": it would take the loop with it */
	char endless[64]; /* takes longer than any machine does to stop it; "": that cannot be stopped */
	bool stoppable;
	bool inside; /* processes are started on the loop's thread */
};

static struct flavour flavours[] = {
    {"subprocess", "command", "[\"/bin/true\"]", "[\"/bin/sh\", \"-c\", \"exit 7\"]",
	"[\"/bin/nope\"]", "command '/bin/nope': No such file or directory",
	"[\"/bin/sleep\", \"0.05\"]", "[\"/bin/sleep\", \"60\"]", true, false},
    {"subprocess", "command", "[\"/bin/true\"]", "[\"/bin/sh\", \"-c\", \"exit 7\"]",
	"[\"/bin/nope\"]", "command '/bin/nope': No such file or directory",
	"[\"/bin/sleep\", \"0.05\"]", "[\"/bin/sleep\", \"60\"]", true, true},
    {"subprocess", "shell", "\"true\"", "\"exit 7\"", "\"\"", "", "\"sleep 0.05\"",
	"\"exec sleep 60\"", true, false},
    {"function", "call", "\"returns:0\"", "\"\"", "\"\"", "", "", "", false, false},
    {"threadpool", "call", "\"\"", "\"\"", "\"\"", "", "", "", false, false},
};

static int returns(const struct schedd_call *call, void *context)
{
	cr_expect_str_eq(call->run_id, "probe/1");
	cr_expect_str_eq(call->job_id, "probe");
	cr_expect_eq(call->attempt, 1);
	return (int)(intptr_t)context;
}

static int sleeps(const struct schedd_call *call, void *context)
{
	const struct timespec time = {.tv_nsec = 50000000};

	(void)call;
	(void)context;
	nanosleep(&time, NULL);
	return 0;
}

static void flavour_functions(struct flavour *flavour)
{
	strcpy(flavour->success, "\"success\"");
	strcpy(flavour->seven, "\"seven\"");
	strcpy(flavour->absent, "\"absent\"");
	strcpy(flavour->reason, "function 'absent' is not registered here; one of a plug-in is "
				"written plugin:function");
	if (strcmp(flavour->type, "threadpool") == 0)
		strcpy(flavour->slow, "\"slow\"");
}

static void contract_open(struct task_case *kase, struct flavour *flavour)
{
	memset(kase, 0, sizeof(*kase));
	kase->functions = function_table_new("/nonexistent");
	cr_assert_eq(function_table_add(kase->functions, "success", returns, NULL, NULL), 0);
	cr_assert_eq(function_table_add(kase->functions, "seven", returns, (void *)7, NULL), 0);
	cr_assert_eq(function_table_add(kase->functions, "odd", returns, (void *)777, NULL), 0);
	cr_assert_eq(function_table_add(kase->functions, "slow", sleeps, NULL, NULL), 0);
	if (strcmp(flavour->field, "call") == 0)
		flavour_functions(flavour);
	task_case_open(kase, (struct executor_config){
				 .type = flavour->type, .max_workers = 4, .start_by = flavour->inside ? spawn : NULL});
}

static struct criterion_test_params contract_flavours(void)
{
	return cr_make_param_array(
	    struct flavour, flavours, sizeof(flavours) / sizeof(flavours[0]));
}

ParameterizedTestParameters(executor_contract, tells_start_and_end_exactly_once)
{
	return contract_flavours();
}

ParameterizedTest(struct flavour *flavour, executor_contract, tells_start_and_end_exactly_once)
{
	const char *texts[] = {flavour->success, flavour->seven};
	const int codes[] = {0, 7};
	struct task_case kase;

	contract_open(&kase, flavour);
	for (int i = 0; i < 2; i++) {
		struct task_probe probe;

		task_probe_init(&probe, flavour->field, texts[i]);
		task_probe_run(&kase, &probe);
		for (int turn = 0; turn < 5; turn++)
			schedd_loop_dispatch(kase.loop, 1);
		cr_expect_eq(probe.started, 1);
		cr_expect_eq(probe.done, 1);
		cr_expect(probe.result.started);
		cr_expect_eq(probe.result.exit_code, codes[i], "%d: %s", probe.result.exit_code,
		    probe.reason);
		cr_expect_eq(probe.result.signal, 0);
		cr_expect_str_eq(probe.reason, "");
		task_probe_clear(&probe);
	}
	task_case_close(&kase);
}

ParameterizedTestParameters(executor_contract, says_why_it_could_not_start)
{
	return contract_flavours();
}

ParameterizedTest(struct flavour *flavour, executor_contract, says_why_it_could_not_start)
{
	struct task_case kase;
	struct task_probe probe;

	contract_open(&kase, flavour);
	if (!flavour->reason[0]) {
		/* The shell is always there: take one that is not. */
		task_probe_init(&probe, flavour->field, flavour->success);
		task_probe_set(&probe, "shell_path", "\"/bin/nosh\"");
		strcpy(flavour->reason, "command '/bin/nosh': No such file or directory");
	} else {
		task_probe_init(&probe, flavour->field, flavour->absent);
	}
	task_probe_run(&kase, &probe);
	cr_expect_eq(probe.started, 0);
	cr_expect_eq(probe.done, 1);
	cr_expect_not(probe.result.started);
	cr_expect_eq(probe.result.exit_code, -1);
	cr_expect_str_eq(probe.reason, flavour->reason);
	task_probe_clear(&probe);
	task_case_close(&kase);
}

ParameterizedTestParameters(executor_contract, refuses_what_it_cannot_do)
{
	return contract_flavours();
}

ParameterizedTest(struct flavour *flavour, executor_contract, refuses_what_it_cannot_do)
{
	struct task_case kase;
	struct task_probe probe;
	struct schedd_error err;

	contract_open(&kase, flavour);
	task_probe_init(&probe, "http", "\"GET http://localhost/\"");
	cr_expect_eq(executor_accepts(kase.executor, probe.job, &err), SCHEDD_EINVAL);
	cr_expect(strstr(err.message, "cannot do a request, that needs one of type http"), "%s",
	    err.message);
	task_probe_run(&kase, &probe);
	cr_expect_not(probe.result.started);
	cr_expect_str_eq(probe.reason, err.message);
	task_probe_clear(&probe);
	task_case_close(&kase);
}

ParameterizedTestParameters(executor_contract, counts_what_is_under_way)
{
	return contract_flavours();
}

ParameterizedTest(struct flavour *flavour, executor_contract, counts_what_is_under_way)
{
	enum { COUNT = 4 };
	struct task_case kase;
	struct task_probe probes[COUNT];
	struct arena arena;
	struct value status;

	contract_open(&kase, flavour);
	arena_init(&arena);
	cr_expect_eq(executor_max_workers(kase.executor), 4);
	for (int i = 0; i < COUNT; i++) {
		task_probe_init(&probes[i], flavour->field,
		    flavour->slow[0] ? flavour->slow : flavour->success);
		task_probe_start(&kase, &probes[i]);
	}
	status = executor_status(kase.executor, &arena);
	cr_expect_eq(value_get_int(&status, "running", -1), executor_busy(kase.executor));
	cr_expect_str_eq(value_get_string(&status, "type"), flavour->type);
	cr_expect_str_eq(value_get_string(&status, "name"), "default");
	if (flavour->slow[0])
		cr_expect_eq(executor_busy(kase.executor), COUNT);
	for (int i = 0; i < COUNT; i++)
		task_case_until(&kase, &probes[i].done, 1);
	cr_expect_eq(executor_busy(kase.executor), 0);
	for (int i = 0; i < COUNT; i++)
		task_probe_clear(&probes[i]);
	arena_clear(&arena);
	task_case_close(&kase);
}

ParameterizedTestParameters(executor_contract, stops_what_can_be_stopped)
{
	return contract_flavours();
}

ParameterizedTest(struct flavour *flavour, executor_contract, stops_what_can_be_stopped)
{
	struct task_case kase;
	struct task_probe probe;
	struct schedd_error err = {0};

	contract_open(&kase, flavour);
	if (flavour->slow[0]) {
		task_probe_init(&probe, flavour->field,
		    flavour->stoppable ? flavour->endless : flavour->slow);
		task_probe_start(&kase, &probe);
		cr_expect_eq(executor_signal(probe.task, SIGTERM, &err),
		    flavour->stoppable ? 0 : SCHEDD_EFAILED, "%s", err.message);
		task_case_until(&kase, &probe.done, 1);
		cr_expect_eq(probe.result.signal, flavour->stoppable ? SIGTERM : 0);
		cr_expect_eq(probe.result.exit_code, flavour->stoppable ? -1 : 0);
		task_probe_clear(&probe);
	}
	task_case_close(&kase);
}

/* A second attempt that is started from the end of the first. */
static void start_another(struct task_probe *probe)
{
	struct task_probe *other = ((void **)probe->context)[0];

	task_probe_start(((void **)probe->context)[1], other);
}

ParameterizedTestParameters(executor_contract, can_be_used_inside_done)
{
	return contract_flavours();
}

ParameterizedTest(struct flavour *flavour, executor_contract, can_be_used_inside_done)
{
	struct task_case kase;
	struct task_probe first, second;
	void *context[] = {&second, &kase};

	contract_open(&kase, flavour);
	task_probe_init(&first, flavour->field, flavour->success);
	task_probe_init(&second, flavour->field, flavour->seven);
	first.then = start_another;
	first.context = context;
	task_probe_start(&kase, &first);
	task_case_until(&kase, &second.done, 1);
	cr_expect_eq(first.done, 1);
	cr_expect_eq(second.result.exit_code, 7);
	task_probe_clear(&first);
	task_probe_clear(&second);
	task_case_close(&kase);
}

Test(executor_contract, names_the_types_there_are)
{
	struct executor_config config = {.name = "x", .type = "carrier-pigeon"};
	struct executor *executor;
	struct schedd_error err;

	cr_expect_eq(executor_open(&config, &executor, &err), SCHEDD_EINVAL);
	cr_expect_str_eq(err.message, "executor type 'carrier-pigeon' is not known, take "
				      "subprocess, worker, function, threadpool or http");
}

Test(executor_contract, calls_an_odd_return_value_by_its_name)
{
	struct flavour flavour = {.type = "threadpool", .field = "call"};
	struct task_case kase;
	struct task_probe probe;

	contract_open(&kase, &flavour);
	task_probe_init(&probe, "call", "\"odd\"");
	task_probe_run(&kase, &probe);
	cr_expect(probe.result.started);
	cr_expect_eq(probe.result.exit_code, -1);
	cr_expect_str_eq(probe.reason, "the function returned 777, which is not in 0-255");
	task_probe_clear(&probe);
	task_case_close(&kase);
}
