/* SPDX-License-Identifier: MIT */
/* A plug-in as anybody may write it: two functions for jobs. */
#include <schedd/module.h>

#include <string.h>

static int report_length(const struct schedd_call *call, void *context)
{
	(void)context;
	return (int)strlen(call->args);
}

static int report_number(const struct schedd_call *call, void *context)
{
	(void)call;
	return *(const int *)context;
}

static int number = 42;

static const struct schedd_module_function functions[] = {
    {"length", report_length, NULL},
    {"number", report_number, &number},
    {NULL, NULL, NULL},
};

SCHEDD_API const struct schedd_module schedd_module = {
    .abi = SCHEDD_MODULE_ABI,
    .name = "report",
    .functions = functions,
};
