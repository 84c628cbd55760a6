/* SPDX-License-Identifier: MIT */
#include "base/dynlib.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* modules/ beside the directory of the program: what runs from where it was built. */
static int dynlib_beside(
    const char *name, const struct schedd_module **out, struct schedd_error *err)
{
	char program[PATH_MAX], path[PATH_MAX];
	ssize_t end = readlink("/proc/self/exe", program, sizeof(program) - 1);
	int length;

	if (end <= 0)
		return SCHEDD_ENOTFOUND;
	program[end] = '\0';
	*strrchr(program, '/') = '\0';
	length = snprintf(path, sizeof(path), "%s/../modules/schedd_%s.so", program, name);
	if (length < 0 || (size_t)length >= sizeof(path))
		return SCHEDD_ENOTFOUND;
	return dynlib_open(path, out, err);
}

const char *dynlib_directory(void)
{
	const char *directory = getenv("SCHEDD_MODULE_DIR");

	return directory && directory[0] ? directory : SCHEDD_MODULE_DIR;
}

int dynlib_module(const char *name, const struct schedd_module **out, struct schedd_error *err)
{
	const char *directory = getenv("SCHEDD_MODULE_DIR");
	char path[PATH_MAX];
	bool told = directory && directory[0];
	int rc, length = snprintf(path, sizeof(path), "%s/schedd_%s.so", dynlib_directory(), name);

	if (length < 0 || (size_t)length >= sizeof(path) || strchr(name, '/'))
		return schedd_error_set(err, SCHEDD_ENOTFOUND, "there is no module '%s'", name);
	rc = dynlib_open(path, out, err);
	return rc == SCHEDD_ENOTFOUND && !told ? dynlib_beside(name, out, err) : rc;
}
