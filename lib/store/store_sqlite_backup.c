/* SPDX-License-Identifier: MIT */
/* A backup as a chore of the worker: commits go on between its pieces. */
#include <stdlib.h>
#include <string.h>
#include "store/sql_backup.h"
#include "store/store_sqlite.h"

#define BACKUP_PAGES 64 /* copied in one piece */

struct sqlite_backup {
	struct store_task task;
	struct sqlite_store *sqlite;
	struct sql_backup *backup; /* NULL: not begun */
	char *path;                /* owned */
	store_done_fn done;        /* may be NULL */
	void *context;
	int rc;
	struct schedd_error err;
};

static bool backup_step(struct store_task *task)
{
	struct sqlite_backup *chore = (struct sqlite_backup *)task;

	if (!chore->backup)
		chore->rc = sql_backup_new(
		    &chore->sqlite->writer, chore->path, &chore->backup, &chore->err);
	if (chore->rc >= 0)
		chore->rc = sql_backup_step(chore->backup, BACKUP_PAGES, &chore->err);
	if (chore->rc > 0)
		return true;
	sql_backup_free(chore->backup);
	return false;
}

static void backup_answer(struct store_task *task)
{
	struct sqlite_backup *chore = (struct sqlite_backup *)task;

	if (chore->done)
		chore->done(chore->rc, chore->rc < 0 ? &chore->err : NULL, chore->context);
	free(chore->path);
	free(chore);
}

void store_sqlite_backup(struct store *store, const char *path, store_done_fn done, void *context)
{
	struct sqlite_backup *chore = calloc(1, sizeof(*chore));
	struct schedd_error err;

	if (chore)
		chore->path = strdup(path);
	if (!chore || !chore->path) {
		free(chore);
		schedd_error_nomem(&err);
		if (done)
			done(SCHEDD_ENOMEM, &err, context);
		return;
	}
	chore->sqlite = store_sqlite_of(store);
	chore->task.step = backup_step;
	chore->task.answer = backup_answer;
	chore->done = done;
	chore->context = context;
	store_worker_do(chore->sqlite->worker, &chore->task);
}
