/* SPDX-License-Identifier: MIT */
/* An executor that was left behind by another version of schedd. */
#include <schedd/module.h>

SCHEDD_API const struct schedd_module schedd_module = {
    .abi = SCHEDD_MODULE_ABI,
    .name = "stale",
    .version = "0.0.1",
    .executor = "never looked at",
};
