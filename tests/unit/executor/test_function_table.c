/* SPDX-License-Identifier: MIT */
#include "executor/function_table.h"

#include "support/task_case.h"

static int seven(const struct schedd_call *call, void *context)
{
	(void)call;
	(void)context;
	return 7;
}

static int refused(struct function_table *table, const char *name, const char *say)
{
	struct function function;
	struct schedd_error err = {0};
	int rc = function_table_find(table, name, &function, &err);

	cr_expect(strstr(err.message, say), "%s: '%s'", name, err.message);
	return rc;
}

Test(function_table, finds_what_was_registered)
{
	struct function_table *table = function_table_new(NULL);
	struct function function;
	struct schedd_error err;
	int context = 0;

	cr_assert_eq(function_table_add(table, "seven", seven, &context, NULL), 0);
	cr_assert_eq(function_table_find(table, "seven", &function, NULL), 0);
	cr_expect_eq(function.call(NULL, NULL), 7);
	cr_expect(function.context == &context);
	cr_expect_eq(function_table_add(table, "seven", seven, NULL, &err), SCHEDD_ECONFLICT);
	cr_expect_str_eq(err.message, "function 'seven' is registered already");
	cr_expect_eq(function_table_add(table, "a:b", seven, NULL, &err), SCHEDD_EINVAL);
	cr_expect_eq(function_table_add(table, "", seven, NULL, &err), SCHEDD_EINVAL);
	cr_expect_eq(refused(table, "eight", "function 'eight' is not registered"), SCHEDD_EINVAL);
	cr_expect_eq(refused(NULL, "seven", "is not registered"), SCHEDD_EINVAL);
	function_table_free(table);
}

Test(function_table, loads_plugins_when_they_are_called)
{
	struct function_table *table = function_table_new(TEST_PLUGINS);
	struct schedd_call call = {.args = "[1]"};
	struct function function;

	cr_assert_eq(function_table_check(table, "report:length", NULL), 0);
	cr_assert_eq(function_table_find(table, "report:length", &function, NULL), 0);
	cr_expect_eq(function.call(&call, function.context), 3);
	cr_assert_eq(function_table_find(table, "report:number", &function, NULL), 0);
	cr_expect_eq(function.call(&call, function.context), 42);
	function_table_free(table);
}

Test(function_table, says_what_is_wrong_with_a_plugin)
{
	struct function_table *table = function_table_new(TEST_PLUGINS);

	cr_expect_eq(refused(table, "report:none", "plug-in 'report' has no function 'none'"),
	    SCHEDD_EINVAL);
	cr_expect_eq(refused(table, "absent:x", "No such file or directory"), SCHEDD_ENOTFOUND);
	cr_expect_eq(
	    refused(table, "alien:x", "has the interface 2, this schedd has 1"), SCHEDD_EINVAL);
	cr_expect_eq(refused(table, "bare:x", "does not export schedd_module"), SCHEDD_EINVAL);
	cr_expect_eq(refused(table, "../report:length", "write plugin:function"), SCHEDD_EINVAL);
	cr_expect_eq(refused(table, "report:", "write plugin:function"), SCHEDD_EINVAL);
	cr_expect_eq(refused(table, ":length", "write plugin:function"), SCHEDD_EINVAL);
	function_table_free(table);
}

Test(function_table, refuses_a_module_of_another_version)
{
	struct executor_config config = {.name = "x", .type = "stale"};
	struct executor *executor;
	struct schedd_error err;

	setenv("SCHEDD_MODULE_DIR", TEST_PLUGINS, 1);
	cr_expect_eq(executor_open(&config, &executor, &err), SCHEDD_EINVAL);
	cr_expect(strstr(err.message, "belongs to schedd 0.0.1, this is " SCHEDD_VERSION), "%s",
	    err.message);
}

Test(function_table, runs_a_plugin_as_a_job)
{
	struct task_case kase = {.functions = function_table_new(TEST_PLUGINS)};
	struct task_probe probe;

	task_case_open(&kase, (struct executor_config){.type = "threadpool"});
	task_probe_init(&probe, "call", "\"report:number\"");
	task_probe_run(&kase, &probe);
	cr_expect_eq(probe.result.exit_code, 42, "%s", probe.reason);
	task_probe_clear(&probe);
	task_case_close(&kase);
}
