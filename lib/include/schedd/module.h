/* SPDX-License-Identifier: MIT */
/*
 * What a shared object exports to be loaded by schedd: one symbol,
 *
 *	SCHEDD_API const struct schedd_module schedd_module = {
 *	    .abi = SCHEDD_MODULE_ABI,
 *	    .name = "report",
 *	    .functions = functions,
 *	};
 *
 * A plug-in offers functions, which jobs call as "report:function". Executors
 * and stores are schedd's own modules, built with it and refused by any other
 * version.
 */
#ifndef SCHEDD_MODULE_H
#define SCHEDD_MODULE_H

#include <stdint.h>
#include <schedd/executor.h>
#include <schedd/export.h>

SCHEDD_BEGIN

/* Counted up when this header changes in a way that breaks modules. */
#define SCHEDD_MODULE_ABI 1

/* A function for jobs. */
struct schedd_module_function {
	const char *name;
	schedd_function call; /* on any thread, several at a time */
	void *context;        /* passed back */
};

struct schedd_module {
	uint32_t abi;        /* SCHEDD_MODULE_ABI */
	const char *name;    /* for messages */
	const char *version; /* of schedd, where one of the last three is set; NULL otherwise */
	const struct schedd_module_function *functions; /* ended by a NULL name; NULL: none */
	const void *executor; /* schedd's own: struct executor_ops; NULL: none */
	const void *store;    /* schedd's own: struct store_ops; NULL: none */
	const void *service;  /* schedd's own: what a part of the server offers; NULL: none */
};

SCHEDD_END

#endif
