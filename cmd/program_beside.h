/* SPDX-License-Identifier: MIT */
/* Programs of schedctl's own, apart from it so that it need not load their libraries. */
#ifndef SCHEDD_CMD_PROGRAM_BESIDE_H
#define SCHEDD_CMD_PROGRAM_BESIDE_H

#include "base/arena.h"

/* Its path beside this schedctl, or where it is installed; else its name, for a search of PATH. */
const char *program_beside(struct arena *arena, const char *name);

#endif
