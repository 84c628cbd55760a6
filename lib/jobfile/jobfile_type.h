/* SPDX-License-Identifier: MIT */
/* The schema decides what the plain scalars of a YAML job file are. */
#ifndef SCHEDD_JOBFILE_JOBFILE_TYPE_H
#define SCHEDD_JOBFILE_JOBFILE_TYPE_H

#include "model/job_fields.h"

/* Gives the value of a field, in place, the types that job_fields_set() expects. */
void jobfile_type(const struct job_field *field, struct value *value);

#endif
