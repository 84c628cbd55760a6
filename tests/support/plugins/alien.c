/* SPDX-License-Identifier: MIT */
/* A plug-in for an interface that is not ours. */
#include <schedd/module.h>

SCHEDD_API const struct schedd_module schedd_module = {
    .abi = SCHEDD_MODULE_ABI + 1,
    .name = "alien",
};
