/* SPDX-License-Identifier: MIT */
/* Loading, and what is asked of one job. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "store/modules/store_keys.h"
#include "store/store_run_text.h"

struct load {
	struct store_link *link;
	struct store_loading *loading;
	struct keys_link *keys;
	struct arena arena; /* of one run */
	int rc;
};

/* Their states first, so that each job comes with its counters. */
static bool load_state(
    const char *name, const char *text, size_t length, int64_t version, void *context)
{
	struct load *load = context;
	struct keys_read reads[3] = {{.next = &reads[1], .version = KEYS_ABSENT},
	    {.next = &reads[2], .text = text, .length = length, .version = version},
	    {.version = KEYS_ABSENT}};

	return store_keys_take(load->keys, name + strlen("state/"), reads) != NULL;
}

static bool load_gone(
    const char *name, const char *text, size_t length, int64_t version, void *context)
{
	const struct load *load = context;
	const char *id = name + strlen("gone/");
	struct keys_job *job = strmap_get(&load->keys->jobs, id);
	struct keys_read reads[3] = {{.next = &reads[1], .version = KEYS_ABSENT},
	    {.next = &reads[2], .version = KEYS_ABSENT},
	    {.text = text, .length = length, .version = version}};

	if (!job)
		return store_keys_take(load->keys, id, reads) != NULL;
	job->gone = version;
	job->remembered = (uint32_t)strtoul(text, NULL, 10);
	return true;
}

static bool load_job(
    const char *name, const char *text, size_t length, int64_t version, void *context)
{
	struct load *load = context;
	const char *id = name + strlen("job/");
	struct keys_job *job = strmap_get(&load->keys->jobs, id);
	struct keys_read reads[3] = {{.next = &reads[1], .version = version},
	    {.next = &reads[2], .version = KEYS_ABSENT}, {.version = KEYS_ABSENT}};

	/* Without a state: somebody wrote it by hand. */
	if (!job)
		job = store_keys_take(load->keys, id, reads);
	if (!job)
		return false;
	job->definition = version;
	job->there = true;
	load->keys->job_count++;
	load->rc = store_loading_job(load->loading, id, text, length, &job->counters);
	return load->rc == 0;
}

static bool load_run(
    const char *name, const char *text, size_t length, int64_t version, void *context)
{
	struct load *load = context;
	struct schedd_error err;
	struct run run;
	size_t id = store_keys_run(name, &run.number);

	(void)version;
	if (!id)
		return true;
	run.job = arena_strndup(&load->arena, name + strlen("run/"), id);
	if (run.job && store_run_read(text, length, &load->arena, &run, &err) == 0)
		store_loading_run(load->loading, &run);
	arena_reset(&load->arena);
	return true;
}

static bool load_meta(
    const char *name, const char *text, size_t length, int64_t version, void *context)
{
	struct load *load = context;
	const char *key = name + strlen("meta/");
	char *copy;

	(void)version;
	if (length && text[0] == 'n') {
		store_loading_number(load->loading, key, strtoll(text + 1, NULL, 10));
		return true;
	}
	copy = length && text[0] == 't' ? arena_strndup(&load->arena, text + 1, length - 1) : NULL;
	if (copy)
		store_loading_text(load->loading, key, copy);
	arena_reset(&load->arena);
	return true;
}

int store_keys_load(
    struct store_link *link, struct store_loading *loading, struct schedd_error *err)
{
	static const struct {
		const char *folder;
		keys_seen_fn seen;
	} steps[] = {{"state/", load_state}, {"gone/", load_gone}, {"job/", load_job},
	    {"meta/", load_meta}, {"run/", load_run}};
	struct load load = {.link = link, .loading = loading, .keys = keys_of(link)};
	int rc = 0;

	store_keys_forget(load.keys);
	arena_init(&load.arena);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && rc == 0; i++) {
		rc = load.keys->server->list(link, steps[i].folder, steps[i].seen, &load, err);
		if (rc == 0 && load.rc)
			rc = schedd_error_set(err, load.rc, "store '%s': loading was given up",
			    link->config->name);
	}
	load.keys->all = rc == 0;
	arena_clear(&load.arena);
	if (rc == 0)
		rc = store_keys_know(link, err);
	if (rc)
		store_keys_forget(load.keys);
	return rc;
}

int store_keys_reread(struct store_link *link, const char *id, struct store_watching *watching,
    struct schedd_error *err)
{
	struct keys_link *keys = keys_of(link);
	struct keys_read reads[3] = {{.next = &reads[1]}, {.next = &reads[2]}, {.next = NULL}};
	struct keys_job *job = NULL;
	struct arena arena;
	int rc;

	arena_init(&arena);
	reads[0].name = arena_printf(&arena, "job/%s", id);
	reads[1].name = arena_printf(&arena, "state/%s", id);
	reads[2].name = arena_printf(&arena, "gone/%s", id);
	rc = arena_failed(&arena) ? schedd_error_nomem(err)
				  : keys->server->get(link, reads, &arena, err);
	if (rc == 0) {
		bool there = strmap_get(&keys->jobs, id) &&
			     ((struct keys_job *)strmap_get(&keys->jobs, id))->there;

		job = store_keys_take(keys, id, reads);
		if (keys->all && job && job->there != there)
			keys->job_count += job->there ? 1 : (uint32_t)-1;
		if (!job)
			rc = schedd_error_nomem(err);
	}
	if (rc == 0)
		store_watching_job(watching, id, reads[0].text, reads[0].length,
		    reads[0].text ? &job->counters : NULL);
	arena_clear(&arena);
	return rc;
}

/* ---- The last run of an id; from the asker's link, which knows nothing ---- */

struct last_run {
	const char *id;
	uint32_t highest;
};

static bool last_run_see(
    const char *name, const char *text, size_t length, int64_t version, void *context)
{
	struct last_run *last = context;
	uint32_t number;
	size_t id = store_keys_run(name, &number);

	(void)text, (void)length, (void)version;
	if (id == strlen(last->id) && memcmp(name + strlen("run/"), last->id, id) == 0 &&
	    number > last->highest)
		last->highest = number;
	return true;
}

int store_keys_last_run(
    struct store_link *link, const char *id, int64_t *out, struct schedd_error *err)
{
	const struct keys_server *server = keys_of(link)->server;
	struct keys_read reads[2] = {{.next = &reads[1]}, {.next = NULL}};
	struct last_run last = {.id = id};
	struct store_counters counters;
	uint32_t revision;
	struct arena arena;
	int rc;

	arena_init(&arena);
	reads[0].name = arena_printf(&arena, "state/%s", id);
	reads[1].name = arena_printf(&arena, "gone/%s", id);
	rc = arena_failed(&arena) ? schedd_error_nomem(err) : server->get(link, reads, &arena, err);
	*out = 0;
	if (rc == 0 && reads[0].text &&
	    store_keys_read_state(reads[0].text, reads[0].length, &counters, &revision))
		*out = counters.last_run;
	if (rc == 0 && reads[1].text && strtoll(reads[1].text, NULL, 10) > *out)
		*out = strtoll(reads[1].text, NULL, 10);
	arena_clear(&arena);
	if (rc == 0)
		rc = server->list(link, "run/", last_run_see, &last, err);
	if (last.highest > *out)
		*out = last.highest;
	return rc;
}
