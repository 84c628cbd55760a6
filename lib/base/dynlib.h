/* SPDX-License-Identifier: MIT */
/* Shared objects that export a struct schedd_module. Once loaded they stay. */
#ifndef SCHEDD_BASE_DYNLIB_H
#define SCHEDD_BASE_DYNLIB_H

#include <schedd/error.h>
#include <schedd/module.h>

/*
 * SCHEDD_ENOTFOUND: there is no such file. SCHEDD_EINVAL: it is no module, or
 * for another version of schedd; the sentence names the file.
 */
int dynlib_open(const char *path, const struct schedd_module **out, struct schedd_error *err)
    __attribute__((warn_unused_result));
/*
 * schedd's own module of that name ("http"): schedd_NAME.so in the directory
 * that the variable SCHEDD_MODULE_DIR names, else where schedd is installed,
 * else in ../modules beside the program, where the build puts them.
 */
int dynlib_module(const char *name, const struct schedd_module **out, struct schedd_error *err)
    __attribute__((warn_unused_result));
/*
 * A program of schedd's own that is kept where the modules are: its file, O_PATH
 * and close-on-exec, the caller's. SCHEDD_ENOTFOUND: there is none.
 */
int dynlib_program(const char *name, struct schedd_error *err) __attribute__((warn_unused_result));

/* A function of a library: its name, and where its address goes. */
struct dynlib_symbol {
	const char *name;
	void **address;
};
/*
 * A library of somebody else's: the first of names that is there, with these
 * functions; both lists end with NULL. SCHEDD_ENOTFOUND: "what" is not
 * installed, or lacks one of them.
 */
int dynlib_library(const char *what, const char *const *names,
    const struct dynlib_symbol *symbols, struct schedd_error *err)
    __attribute__((warn_unused_result));

/* Where modules lie: SCHEDD_MODULE_DIR of the environment, or where schedd was installed with them.
 */
const char *dynlib_directory(void);

#endif
