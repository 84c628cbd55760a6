/* SPDX-License-Identifier: MIT */
#include "base/dynlib.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
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
	if ((module->executor || module->store) &&
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

int dynlib_module(const char *name, const struct schedd_module **out, struct schedd_error *err)
{
	const char *directory = getenv("SCHEDD_MODULE_DIR");
	char path[PATH_MAX];
	int length = snprintf(path, sizeof(path), "%s/schedd_%s.so",
	    directory && directory[0] ? directory : SCHEDD_MODULE_DIR, name);

	if (length < 0 || (size_t)length >= sizeof(path) || strchr(name, '/'))
		return schedd_error_set(err, SCHEDD_ENOTFOUND, "there is no module '%s'", name);
	return dynlib_open(path, out, err);
}
