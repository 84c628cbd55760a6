/* SPDX-License-Identifier: MIT */
/*
 * Each file is an owner of jobs. A file that has changed is pending, and what is no longer
 * in it goes when it was read. A scan looks at the directories, and has read what is not
 * as it was.
 */
#include "server/cron_tables.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <event2/event.h>
#include "base/log.h"
#include "base/strmap.h"
#include "core/scheduler.h"
#include "server/cron_beside.h"
#include "server/cron_file.h"
#include "server/cron_reading.h"
#include "server/cron_watch.h"

enum { CRON_ETC, CRON_DROPS, CRON_SPOOL, CRON_SPOOL_PARENT, CRON_DIRECTORIES };
static const char *const cron_directories[] = {
    "/etc", "/etc/cron.d", "/var/spool/cron/crontabs", "/var/spool/cron"};

static const char *cron_tab_key(const void *item)
{
	return ((const struct cron_tab *)item)->shown;
}

/* ---- Finding them ---- */

static struct cron_tab *cron_find(const struct cron_tables *tables, const char *shown)
{
	return strmap_get(&tables->by_path, shown);
}

/* shown: the path below the root. NULL: no memory. */
static struct cron_tab *cron_add(struct cron_tables *tables, const char *shown, const char *account)
{
	struct cron_tab *tab = cron_find(tables, shown);
	struct strbuf owner = STRBUF_EMPTY;

	if (tab)
		return tab;
	tab = calloc(1, sizeof(*tab));
	if (!tab)
		return NULL;
	diagnostics_init_all(&tab->faults);
	cron_table_owner(&owner, shown);
	tab->owner = strbuf_take(&owner);
	tab->shown = strdup(shown);
	tab->account = account ? strdup(account) : NULL;
	if (!tab->owner || !tab->shown || (account && !tab->account) ||
	    asprintf(&tab->path, "%s%s", tables->root, shown) < 0) {
		tab->path = NULL;
		cron_tab_free(tab);
		return NULL;
	}
	if (strmap_put(&tables->by_path, tab)) {
		cron_tab_free(tab);
		return NULL;
	}
	/* /etc/crontab comes first: it says when the directories are run. */
	if (tables->last)
		tables->last->next = tab;
	else
		tables->tabs = tab;
	return tables->last = tab;
}

/* Is it a directory of scripts? Its job runs whatever is in it then. */
static bool cron_look_at_parts(struct cron_tables *tables, const char *name)
{
	struct cron_tab *tab;
	struct stat status;
	char path[PATH_MAX];
	int i = 0;

	while (i < CRON_TABLE_PARTS && strcmp(cron_table_parts[i] + strlen("/etc/"), name) != 0)
		i++;
	if (i == CRON_TABLE_PARTS)
		return false;
	snprintf(path, sizeof(path), "%s%s", tables->root, cron_table_parts[i]);
	tab = cron_find(tables, cron_table_parts[i]);
	if (!tables->dirs || stat(path, &status) < 0) {
		if (tab && !tab->gone)
			tab->gone = tab->pending = true;
		return true;
	}
	tab = cron_add(tables, cron_table_parts[i], NULL);
	if (!tab)
		return true;
	/* What lies in it changes its time, but not the job. */
	tab->pending |= !tab->parts || tab->gone || tab->status.st_mode != status.st_mode ||
			tab->status.st_uid != status.st_uid;
	tab->parts = i + 1;
	tab->seen = true;
	tab->gone = false;
	return true;
}

/* Looks at one name; a file that is as it was is not read. */
static void cron_look(struct cron_tables *tables, int directory, const char *name, bool again)
{
	enum cron_place place = directory == CRON_SPOOL ? CRON_PLACE_SPOOL : CRON_PLACE_SYSTEM;
	char shown[PATH_MAX], path[PATH_MAX * 2];
	struct stat status = {0}, target = {0};
	struct cron_tab *tab;

	if (directory == CRON_ETC && cron_look_at_parts(tables, name))
		return;
	if (directory == CRON_ETC ? strcmp(name, "crontab") != 0 : !cron_file_is_name(place, name))
		return;
	snprintf(shown, sizeof(shown), "%s/%s", cron_directories[directory], name);
	snprintf(path, sizeof(path), "%s%s", tables->root, shown);
	if (lstat(path, &status) < 0) {
		tab = cron_find(tables, shown);
		if (tab && !tab->gone)
			tab->gone = tab->pending = true;
		return;
	}
	tab = cron_add(tables, shown, place == CRON_PLACE_SPOOL ? name : NULL);
	if (!tab) {
		log_error(tables->log, "%s: out of memory", shown);
		cron_watch_again(tables->watch);
		return;
	}
	tab->seen = true;
	if (S_ISLNK(status.st_mode) && place == CRON_PLACE_SYSTEM && stat(path, &target) == 0)
		status = target;
	if (again || tab->gone || !cron_file_same(&status, &tab->status))
		tab->pending = true;
	tab->gone = false;
}

static void cron_scan_directory(struct cron_tables *tables, int directory)
{
	char path[PATH_MAX];
	const struct dirent *entry;
	DIR *open;

	snprintf(path, sizeof(path), "%s%s", tables->root, cron_directories[directory]);
	open = opendir(path);
	while (open && (entry = readdir(open)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			cron_look(tables, directory, entry->d_name, false);
	if (open)
		closedir(open);
}

static void cron_watch_all(struct cron_tables *tables)
{
	for (int i = 0; i < CRON_DIRECTORIES; i++) {
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%s%s", tables->root, cron_directories[i]);
		(void)cron_watch_add(tables->watch, i, path);
	}
}

/* All directories; what was there before and is not now goes. */
static void cron_scan(struct cron_tables *tables)
{
	cron_watch_all(tables);
	for (struct cron_tab *tab = tables->tabs; tab; tab = tab->next)
		tab->seen = false;
	cron_look(tables, CRON_ETC, "crontab", false);
	for (int i = 0; i < CRON_TABLE_PARTS; i++)
		(void)cron_look_at_parts(tables, cron_table_parts[i] + strlen("/etc/"));
	cron_scan_directory(tables, CRON_DROPS);
	cron_scan_directory(tables, CRON_SPOOL);
	for (struct cron_tab *tab = tables->tabs; tab; tab = tab->next)
		if (!tab->seen && !tab->gone)
			tab->gone = tab->pending = true;
	cron_reading_next(tables);
}

/* An account has come or gone: a line that could not be taken for that may be now. */
static void cron_look_at_faults(struct cron_tables *tables)
{
	for (struct cron_tab *tab = tables->tabs; tab; tab = tab->next)
		tab->pending |= tab->faults.count > 0;
}

static void cron_changed(int directory, const char *name, void *context)
{
	struct cron_tables *tables = context;

	if (!tables->on)
		return;
	if (!name || directory == CRON_SPOOL_PARENT ||
	    (directory == CRON_ETC && strcmp(name, "cron.d") == 0)) {
		cron_scan(tables);
		return;
	}
	if (directory == CRON_ETC && strcmp(name, "passwd") == 0)
		cron_look_at_faults(tables);
	cron_look(tables, directory, name, false);
	cron_reading_next(tables);
}

/* Owners of an earlier start whose files are no more: they are added, to go. */
static void cron_know_owners(struct cron_tables *tables)
{
	struct arena arena;
	struct value owners;

	arena_init(&arena);
	owners = scheduler_owners(tables->scheduler, CRON_TABLE_OWNER, &arena);
	for (uint32_t i = 0; i < owners.array.count; i++) {
		const char *shown = owners.array.items[i].string.text + strlen(CRON_TABLE_OWNER);
		struct cron_tab *tab = cron_add(tables, shown, NULL);

		if (tab && !tab->status.st_ino && !tab->pending)
			tab->gone = tab->pending = true;
	}
	arena_clear(&arena);
}

/* ---- From outside ---- */

int cron_tables_new(struct event_base *base, struct schedd_scheduler *scheduler,
    const struct schedd_log *log, struct cron_tables **out, struct schedd_error *err)
{
	struct cron_tables *tables = calloc(1, sizeof(*tables));
	int rc;

	if (!tables)
		return schedd_error_nomem(err);
	tables->scheduler = scheduler;
	tables->log = log;
	strmap_init(&tables->by_path, cron_tab_key);
	rc = cron_watch_new(base, log, cron_changed, tables, &tables->watch, err);
	tables->turn = rc ? NULL : event_new(base, -1, 0, cron_reading_turn, tables);
	if (!rc && !tables->turn)
		rc = schedd_error_nomem(err);
	if (rc) {
		cron_tables_free(tables);
		return rc;
	}
	*out = tables;
	return 0;
}

void cron_tables_close(struct cron_tables *tables)
{
	if (!tables)
		return;
	tables->closed = true;
	cron_watch_free(tables->watch);
	tables->watch = NULL;
	if (tables->turn)
		event_free(tables->turn);
	tables->turn = NULL;
}

void cron_tables_free(struct cron_tables *tables)
{
	if (!tables)
		return;
	cron_tables_close(tables);
	while (tables->tabs) {
		struct cron_tab *tab = tables->tabs;

		tables->tabs = tab->next;
		cron_tab_free(tab);
	}
	while (tables->waiters) {
		struct cron_waiter *waiter = tables->waiters;

		tables->waiters = waiter->next;
		free(waiter->account);
		free(waiter);
	}
	strmap_clear(&tables->by_path);
	for (int i = 0; i < CRON_TABLE_PARTS; i++)
		free(tables->schedules[i]);
	for (int i = 0; i < CRON_READINGS; i++)
		if (tables->readings[i].tab)
			cron_reading_clear(&tables->readings[i]);
	free(tables);
}

void cron_tables_configure(struct cron_tables *tables, const struct cron_config *config)
{
	bool wanted = config->tables;

	tables->asked |= wanted;
	if (wanted && geteuid() != 0) {
		log_warn(tables->log, "cron.tables: only a schedd of root can take cron's place");
		wanted = false;
	}
	snprintf(tables->root, sizeof(tables->root), "%s", config->root ? config->root : "");
	snprintf(tables->spool, sizeof(tables->spool), "%s%s", tables->root,
	    cron_directories[CRON_SPOOL]);
	tables->beside[0] = '\0';
	if (wanted && cron_beside_find(tables->root, tables->beside, sizeof(tables->beside)) &&
	    !config->beside) {
		log_warn(tables->log,
		    "%s: no table of cron is taken, as both would run everything (cron.beside)",
		    tables->beside);
		wanted = false;
	}
	tables->on = wanted;
	/* Which lines are taken over depends on it. */
	for (struct cron_tab *tab = tables->tabs; tab; tab = tab->next)
		tab->pending |= tables->dirs != (wanted && config->dirs);
	tables->dirs = wanted && config->dirs;
	if (wanted) {
		cron_scan(tables);
		cron_know_owners(tables);
	} else {
		cron_know_owners(tables);
		for (struct cron_tab *tab = tables->tabs; tab; tab = tab->next)
			tab->gone = tab->pending = true;
	}
	cron_reading_next(tables);
}

bool cron_tables_on(const struct cron_tables *tables)
{
	return tables->on;
}

const char *cron_tables_spool(const struct cron_tables *tables)
{
	return tables->on ? tables->spool : "";
}

void cron_tables_read(
    struct cron_tables *tables, const char *account, cron_tables_fn done, void *context)
{
	struct cron_waiter *waiter = calloc(1, sizeof(*waiter));

	if (waiter)
		waiter->account = strdup(account);
	if (!waiter || !waiter->account) {
		free(waiter);
		done(context);
		return;
	}
	waiter->done = done;
	waiter->context = context;
	cron_look(tables, CRON_SPOOL, account, true);
	/* What is being applied was read before the change. */
	waiter->next = tables->waiters;
	tables->waiters = waiter;
	cron_reading_next(tables);
}

void cron_tables_forget(struct cron_tables *tables, void *context)
{
	for (struct cron_waiter **at = &tables->waiters; *at;) {
		struct cron_waiter *waiter = *at;

		if (waiter->context != context) {
			at = &waiter->next;
			continue;
		}
		*at = waiter->next;
		free(waiter->account);
		free(waiter);
	}
}

bool cron_tables_check(struct cron_tables *tables)
{
	if (tables->checks >= CRON_CHECKS)
		return false;
	tables->checks++;
	return true;
}

void cron_tables_checked(struct cron_tables *tables)
{
	tables->checks--;
}
