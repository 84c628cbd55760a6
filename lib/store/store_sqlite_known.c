/* SPDX-License-Identifier: MIT */
/* A job stands in one slot and drives out whoever stood there: no search, and no more memory than that. */
#include "store/store_sqlite_known.h"

#include <stdlib.h>
#include <string.h>
#include "base/strmap.h"

#define KNOWN_SLOTS 8192

_Static_assert(sizeof(struct sqlite_known_job) == 64, "a job is not in one line of the cache");

static struct sqlite_known_job *known_slot(const struct sqlite_known *known, const char *id)
{
	return &known->jobs[strmap_hash(id) % KNOWN_SLOTS];
}

struct sqlite_known_job *store_sqlite_known_find(const struct sqlite_known *known, const char *id)
{
	struct sqlite_known_job *job = known->jobs ? known_slot(known, id) : NULL;

	return job && job->life == known->life && strcmp(job->id, id) == 0 ? job : NULL;
}

struct sqlite_known_job *store_sqlite_known_add(
    struct sqlite_known *known, const char *id, int64_t key)
{
	size_t length = strlen(id);
	struct sqlite_known_job *job;

	if (length > SQLITE_KNOWN_ID)
		return NULL;
	if (!known->jobs) {
		known->jobs = calloc(KNOWN_SLOTS, sizeof(known->jobs[0]));
		known->life = 1;
	}
	if (!known->jobs)
		return NULL;
	job = known_slot(known, id);
	memcpy(job->id, id, length + 1);
	job->key = key;
	job->row = 0;
	job->life = known->life;
	return job;
}

void store_sqlite_known_forget(struct sqlite_known *known)
{
	if (!known->jobs || ++known->life != 0)
		return;
	free(known->jobs);
	known->jobs = NULL;
}

void store_sqlite_known_heed(struct sqlite_known *known, int64_t version)
{
	if (version != known->version)
		store_sqlite_known_forget(known);
	known->version = version;
}

void store_sqlite_known_clear(struct sqlite_known *known)
{
	free(known->jobs);
	known->jobs = NULL;
}
