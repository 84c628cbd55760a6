/* SPDX-License-Identifier: MIT */
/* A plug-in as anybody may write it: functions for jobs and listeners. */
#include <schedd/module.h>

#include <stdio.h>
#include <stdlib.h>
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

/* Appends what it is given to the file that REPORT_FILE names. */
static int report_keep(const struct schedd_call *call, void *context)
{
	const char *path = getenv("REPORT_FILE");
	FILE *file = path ? fopen(path, "a") : NULL;

	(void)context;
	if (!file)
		return 1;
	fputs(call->args, file);
	return fclose(file) ? 1 : 0;
}

static int number = 42;

static const struct schedd_module_function functions[] = {
    {"length", report_length, NULL},
    {"number", report_number, &number},
    {"keep", report_keep, NULL},
    {NULL, NULL, NULL},
};

SCHEDD_API const struct schedd_module schedd_module = {
    .abi = SCHEDD_MODULE_ABI,
    .name = "report",
    .functions = functions,
};
