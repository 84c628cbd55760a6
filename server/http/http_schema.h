/* SPDX-License-Identifier: MIT */
/* The schema of job files as schemas of the OpenAPI document: what a job may have. */
#ifndef SCHEDD_SERVER_HTTP_HTTP_SCHEMA_H
#define SCHEDD_SERVER_HTTP_HTTP_SCHEMA_H

#include "base/value.h"

/* A map of schemas by name, "job" among them, that refer to each other by their place in the
 * document. Empty: no memory. */
struct value http_schema_all(struct arena *arena);

#endif
