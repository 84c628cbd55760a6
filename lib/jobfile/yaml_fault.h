/* SPDX-License-Identifier: MIT */
/* What libyaml says about a text, in words that tell how to write it. */
#ifndef SCHEDD_JOBFILE_YAML_FAULT_H
#define SCHEDD_JOBFILE_YAML_FAULT_H

#include <yaml.h>
#include "base/diagnostics.h"

/* Adds the parser's error. text is all of what it reads. SCHEDD_ENOMEM or SCHEDD_EFILE. */
int yaml_fault(const yaml_parser_t *parser, const char *file, const char *text, size_t length,
    struct diagnostics *diagnostics);

#endif
