/* SPDX-License-Identifier: MIT */
/*
 * Gives accepted definitions their final form. A hundred thousand of them stay
 * in memory, and most differ in little: a sealed job is one block with its id
 * and its name, and it shares what it does and its details with a job sealed
 * not long before, if there is one that has the same.
 */
#ifndef SCHEDD_MODEL_JOB_POOL_H
#define SCHEDD_MODEL_JOB_POOL_H

#include "model/job.h"

struct job_pool;

/* NULL: no memory. */
struct job_pool *job_pool_new(void);
/* The jobs stay. NULL is fine. */
void job_pool_free(struct job_pool *pool);
/*
 * Takes a reference to a job with an id and gives back one to the same job in its final form;
 * without memory, the very same.
 */
struct schedd_job *job_pool_seal(struct job_pool *pool, struct schedd_job *job);

#endif
