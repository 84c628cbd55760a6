/* SPDX-License-Identifier: MIT */
#include "base/dynlib.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/installed.h"

static int dynlib_check(
    const char *path, const struct schedd_module *module, struct schedd_error *err)
{
	if (module->abi != SCHEDD_MODULE_ABI)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "module '%s' has the interface %u, this schedd has %u: build it anew", path,
		    (unsigned)module->abi, (unsigned)SCHEDD_MODULE_ABI);
	if ((module->executor || module->store || module->service) &&
	    (!module->version || strcmp(module->version, SCHEDD_VERSION) != 0))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "module '%s' belongs to schedd %s, this is " SCHEDD_VERSION, path,
		    module->version ? module->version : "of an unknown version");
	return 0;
}

int dynlib_open(const char *path, const struct schedd_module **out, struct schedd_error *err)
{
	const struct schedd_module *module;
	void *handle;
	int rc;

	if (access(path, R_OK) < 0)
		return schedd_error_set(err, errno == ENOENT ? SCHEDD_ENOTFOUND : SCHEDD_EINVAL,
		    "module '%s': %s", path, strerror(errno));
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		return schedd_error_set(err, SCHEDD_EINVAL, "module %s", dlerror());
	module = dlsym(handle, "schedd_module");
	rc = module
		 ? dynlib_check(path, module, err)
		 : schedd_error_set(err, SCHEDD_EINVAL,
		       "module '%s' does not export schedd_module (see <schedd/module.h>)", path);
	if (rc < 0)
		dlclose(handle);
	else
		*out = module;
	return rc;
}

/* modules/ beside the directory of the program: what runs from where it was built. False: too long. */
static bool dynlib_beside(const char *file, char *path, size_t size)
{
	char program[PATH_MAX];
	ssize_t end = readlink("/proc/self/exe", program, sizeof(program) - 1);
	int length;

	if (end <= 0)
		return false;
	program[end] = '\0';
	*strrchr(program, '/') = '\0';
	length = snprintf(path, size, "%s/../modules/%s", program, file);
	return length > 0 && (size_t)length < size;
}

const char *dynlib_directory(void)
{
	static _Thread_local char installed[PATH_MAX];
	const char *directory = getenv("SCHEDD_MODULE_DIR");

	if (directory && directory[0])
		return directory;
	installed_find(SCHEDD_MODULES, SCHEDD_MODULE_DIR, installed);
	return installed;
}

/* Where a file of that name should be; told: that is the only place. False: too long. */
static bool dynlib_place(const char *file, char *path, size_t size, bool *told)
{
	const char *directory = getenv("SCHEDD_MODULE_DIR");
	int length;

	*told = directory && directory[0];
	length = snprintf(path, size, "%s/%s", dynlib_directory(), file);
	return length > 0 && (size_t)length < size && !strchr(file, '/');
}

int dynlib_module(const char *name, const struct schedd_module **out, struct schedd_error *err)
{
	char file[NAME_MAX], path[PATH_MAX];
	int length = snprintf(file, sizeof(file), "schedd_%s.so", name), rc;
	bool told;

	if (length < 0 || (size_t)length >= sizeof(file) ||
	    !dynlib_place(file, path, sizeof(path), &told))
		return schedd_error_set(err, SCHEDD_ENOTFOUND, "there is no module '%s'", name);
	rc = dynlib_open(path, out, err);
	if (rc == SCHEDD_ENOTFOUND && !told && dynlib_beside(file, path, sizeof(path)))
		rc = dynlib_open(path, out, err);
	return rc;
}

int dynlib_program(const char *name, struct schedd_error *err)
{
	char first[PATH_MAX], second[PATH_MAX];
	bool told;
	int fd = -1;

	if (!dynlib_place(name, first, sizeof(first), &told))
		return schedd_error_set(err, SCHEDD_ENOTFOUND, "there is no program '%s'", name);
	fd = open(first, O_PATH | O_CLOEXEC);
	if (fd < 0 && !told && dynlib_beside(name, second, sizeof(second)))
		fd = open(second, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return schedd_error_set(
		    err, SCHEDD_ENOTFOUND, "program '%s': %s", first, strerror(errno));
	return fd;
}

int dynlib_library(const char *what, const char *const *names,
    const struct dynlib_symbol *symbols, struct schedd_error *err)
{
	void *handle = NULL;

	for (; !handle && *names; names++)
		handle = dlopen(*names, RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		return schedd_error_set(err, SCHEDD_ENOTFOUND,
		    "the client library of %s is not installed here", what);
	for (; symbols->name; symbols++) {
		*symbols->address = dlsym(handle, symbols->name);
		if (!*symbols->address)
			return schedd_error_set(err, SCHEDD_ENOTFOUND,
			    "the client library of %s has no %s", what, symbols->name);
	}
	return 0;
}
