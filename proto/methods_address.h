/* SPDX-License-Identifier: MIT */
/* The ways to say which run is meant, brought to one. */
#ifndef SCHEDD_PROTO_METHODS_ADDRESS_H
#define SCHEDD_PROTO_METHODS_ADDRESS_H

#include "proto/methods.h"

/*
 * Where the method takes `run`, {"id": "backup/42"} and {"job": "backup", "run":
 * 42} (as a run's own map has them) become {"run": "backup/42"}, and
 * {"job": "backup"} its latest; where it takes `jobs`, `id` or `job` becomes
 * that. Anything else stays as it is, for methods_check to judge. params is
 * changed in place; texts come from the arena.
 */
void methods_address(const struct method *method, struct value *params, struct arena *arena);

#endif
