/* SPDX-License-Identifier: MIT */
/* What the writer finds that others have written to a store that is shared, as letters to the loop. */
#include <stdlib.h>
#include <string.h>
#include "store/store_remote_parts.h"
#include "store/store_snapshot.h"

/* Jobs in one letter. */
#define NEWS_JOBS 1024

struct remote_share_news {
	struct mailbox_letter letter; /* first */
	struct remote_store *remote;
	struct store_share_news news;
	struct arena arena;
	struct store_counted *jobs;
	uint32_t owners[NODE_SLOTS];
	int rc; /* of what was gathered */
};

static void news_open(struct mailbox_letter *letter)
{
	struct remote_share_news *news = (struct remote_share_news *)letter;
	struct store *store = &news->remote->base;

	if (store->share && !arena_failed(&news->arena) && news->rc == 0)
		store->share(&news->news, store->share_context);
	else
		store_snapshot_free(news->news.snapshot);
	arena_clear(&news->arena);
	free(news);
}

static struct remote_share_news *news_new(struct remote_store *remote, enum store_share_kind kind)
{
	struct remote_share_news *news = calloc(1, sizeof(*news));

	if (!news)
		return NULL;
	news->letter.open = news_open;
	news->remote = remote;
	news->news.kind = kind;
	news->news.own = remote->writer.link.node;
	news->news.labels = remote->config.labels;
	arena_init(&news->arena);
	return news;
}

static void news_post(struct remote_share_news *news)
{
	mailbox_post(news->remote->base.mailbox, &news->letter);
}

static void news_counted(struct store_watching *watching)
{
	if (watching->counted)
		news_post(watching->counted);
	watching->counted = NULL;
}

void store_watching_end(struct store_watching *watching)
{
	news_counted(watching);
	store_watching_taken_end(watching, false);
}

void store_watching_counted(struct store_watching *watching, const struct store_counted *job)
{
	struct remote_share_news *news = watching->counted;
	struct store_counted *copy;

	if (news && news->news.job_count == NEWS_JOBS) {
		news_counted(watching);
		news = NULL;
	}
	if (!news) {
		news = watching->counted = news_new(watching->remote, STORE_SHARE_COUNTERS);
		if (!news)
			return;
		news->jobs = arena_alloc(&news->arena, NEWS_JOBS * sizeof(news->jobs[0]));
		news->news.jobs = news->jobs;
	}
	if (!news->jobs)
		return;
	copy = &news->jobs[news->news.job_count++];
	*copy = *job;
	copy->id = arena_strdup(&news->arena, job->id);
}

void store_places_add(struct store_places *places, uint32_t slot, uint32_t node)
{
	if (places->count == places->capacity) {
		uint32_t capacity = places->capacity ? places->capacity * 2 : 16;
		struct store_place *grown = realloc(places->items, capacity * sizeof(grown[0]));

		if (!grown) {
			places->failed = true;
			return;
		}
		places->items = grown;
		places->capacity = capacity;
	}
	places->items[places->count++] = (struct store_place){slot, node};
}

void store_places_clear(struct store_places *places)
{
	free(places->items);
	*places = (struct store_places){.count = 0};
}

void store_remote_tell_slots(struct remote_store *remote, const uint32_t owners[NODE_SLOTS],
    const struct store_places *places)
{
	struct remote_share_news *news = news_new(remote, STORE_SHARE_SLOTS);
	struct store_place *items;

	if (!news)
		return;
	memcpy(news->owners, owners, sizeof(news->owners));
	news->news.owners = news->owners;
	items = arena_alloc(&news->arena, (places->count + 1) * sizeof(items[0]));
	if (items && places->count)
		memcpy(items, places->items, places->count * sizeof(items[0]));
	news->news.places = items;
	news->news.place_count = places->count;
	news->arena.failed |= places->failed;
	news_post(news);
}

void store_watching_slots(struct store_watching *watching, const uint32_t owners[NODE_SLOTS],
    const struct store_places *places)
{
	news_counted(watching);
	store_remote_tell_slots(watching->remote, owners, places);
}

void store_watching_told(struct store_watching *watching, uint32_t origin, const char *what,
    const char *id, const char *text)
{
	struct remote_share_news *news = news_new(watching->remote, STORE_SHARE_TOLD);

	if (!news)
		return;
	news->news.origin = origin;
	news->news.what = arena_strdup(&news->arena, what);
	news->news.id = arena_strdup(&news->arena, id ? id : "");
	news->news.text = arena_strdup(&news->arena, text ? text : "");
	news_post(news);
}

void store_watching_text(struct store_watching *watching, const char *key, const char *text)
{
	struct remote_share_news *news = news_new(watching->remote, STORE_SHARE_TEXT);

	if (!news)
		return;
	news->news.id = arena_strdup(&news->arena, key);
	news->news.text = text ? arena_strdup(&news->arena, text) : NULL;
	news_post(news);
}

void store_watching_taken(struct store_watching *watching, const char *from)
{
	struct remote_share_news *news = news_new(watching->remote, STORE_SHARE_TAKEN);

	watching->taken = news;
	if (!news)
		return;
	news->news.from = arena_strdup(&news->arena, from);
	news->news.snapshot = store_snapshot_new();
	if (!news->news.snapshot)
		news->arena.failed = true;
}

void store_watching_taken_run(struct store_watching *watching, const struct run *run)
{
	if (watching->taken && watching->taken->news.snapshot)
		store_snapshot_add_run(watching->taken->news.snapshot, run);
}

void store_watching_taken_text(struct store_watching *watching, const char *key, const char *text)
{
	if (watching->taken && watching->taken->news.snapshot)
		store_snapshot_add_text(watching->taken->news.snapshot, key, text);
}

void store_watching_taken_end(struct store_watching *watching, bool taken)
{
	struct remote_share_news *news = watching->taken;
	struct schedd_error err;

	if (!news)
		return;
	watching->taken = NULL;
	news->rc = taken ? 0 : SCHEDD_EFAILED;
	if (taken && news->news.snapshot)
		news->rc = store_snapshot_finish(news->news.snapshot, &err);
	news_post(news);
}

/* ---- Asked for ---- */

struct news_refresh {
	struct remote_task task; /* first */
	const char *id;          /* NULL: all jobs of others */
	store_done_fn done;
	void *context;
};

static int news_refresh_step(
    struct remote_task *task, struct store_link *link, struct schedd_error *err)
{
	const struct news_refresh *refresh = (struct news_refresh *)task;
	struct store_watching watching = {.remote = task->remote};
	int rc = task->remote->driver->share->refresh(link, refresh->id, &watching, err);

	store_watching_end(&watching);
	return rc;
}

static void news_refresh_tell(struct remote_task *task)
{
	const struct news_refresh *refresh = (struct news_refresh *)task;

	refresh->done(task->rc, task->rc ? &task->err : NULL, refresh->context);
}

void store_remote_refresh(
    struct store *store, const char *id, store_done_fn done, void *context)
{
	struct news_refresh *refresh =
	    store_remote_task(store, sizeof(*refresh), news_refresh_step, news_refresh_tell);
	struct schedd_error err;

	if (!refresh) {
		done(schedd_error_nomem(&err), &err, context);
		return;
	}
	refresh->id = id ? arena_strdup(&refresh->task.base.arena, id) : NULL;
	refresh->done = done;
	refresh->context = context;
	store_remote_ask(&refresh->task.remote->writer, &refresh->task);
}

/* What is kept of a run's output. */
struct store_kept {
	struct remote_task task; /* first */
	const char *job;
	uint32_t number;
	const char *bytes;
	size_t length;
	store_output_fn call;
	void *context;
};

void store_kept_output(struct store_kept *kept, const char *bytes, size_t length)
{
	kept->bytes = arena_strndup(&kept->task.base.arena, bytes, length);
	kept->length = kept->bytes ? length : 0;
}

static int news_output_step(
    struct remote_task *task, struct store_link *link, struct schedd_error *err)
{
	struct store_kept *kept = (struct store_kept *)task;

	return task->remote->driver->share->output(link, kept->job, kept->number, kept, err);
}

static void news_output_tell(struct remote_task *task)
{
	const struct store_kept *kept = (struct store_kept *)task;

	kept->call(task->rc, task->rc ? &task->err : NULL, kept->bytes, kept->length, kept->context);
}

void store_remote_output(struct store *store, const char *job, uint32_t number, store_output_fn call,
    void *context)
{
	struct store_kept *kept =
	    store_remote_task(store, sizeof(*kept), news_output_step, news_output_tell);
	struct schedd_error err;

	if (!kept) {
		call(schedd_error_nomem(&err), &err, NULL, 0, context);
		return;
	}
	kept->job = arena_strdup(&kept->task.base.arena, job);
	kept->number = number;
	kept->call = call;
	kept->context = context;
	store_remote_ask(&kept->task.remote->asker, &kept->task);
}
