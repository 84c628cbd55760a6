/* SPDX-License-Identifier: MIT */
/*
 * What the writer knows of jobs whose runs it wrote lately: the key that stands
 * for the job in every row, and where its last row is. It is forgotten as a
 * whole with a transaction that failed, and when somebody else has written.
 */
#ifndef SCHEDD_STORE_STORE_SQLITE_KNOWN_H
#define SCHEDD_STORE_STORE_SQLITE_KNOWN_H

#include <stdint.h>

/* Longer ids are looked up each time. */
#define SQLITE_KNOWN_ID 39

struct sqlite_known_job {
	char id[SQLITE_KNOWN_ID + 1];
	int64_t key;
	int64_t row;     /* id of the row of that run; 0: of none */
	uint32_t number; /* of the run written last */
	uint32_t life;   /* forgotten unless it is that of all */
};

struct sqlite_known {
	struct sqlite_known_job *jobs; /* one in each slot, by a hash of its id; NULL: none yet, or no memory */
	uint32_t life;                 /* 0 is nobody's */
	int64_t version;               /* of the database, as it was told last */
};

/* What is known of the job; NULL: nothing. Valid until another is added. */
struct sqlite_known_job *store_sqlite_known_find(const struct sqlite_known *known, const char *id);
/* In the place of another one; NULL: it cannot be kept. */
struct sqlite_known_job *store_sqlite_known_add(
    struct sqlite_known *known, const char *id, int64_t key);
void store_sqlite_known_forget(struct sqlite_known *known);
/* Forgets everything if the version is not that of the last time. */
void store_sqlite_known_heed(struct sqlite_known *known, int64_t version);
void store_sqlite_known_clear(struct sqlite_known *known);

#endif
