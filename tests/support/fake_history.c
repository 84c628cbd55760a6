/* SPDX-License-Identifier: MIT */
/* What the server of fake_store.c is asked about runs and changes, and what it throws away of them. */
#include <stdlib.h>
#include <string.h>
#include "support/fake_link.h"

static int fake_compare(const void *a, const void *b)
{
	const struct fake_run *const *x = a, *const *y = b;

	return ((*x)->run.number < (*y)->run.number) - ((*x)->run.number > (*y)->run.number);
}

static int fake_do_runs(struct fake_server *server, struct fake_request *request)
{
	struct fake_data *data = server->data;
	const struct store_query *query = request->argument;
	const struct fake_job *one = query->job ? fake_find(data, query->job) : NULL;
	struct fake_run **list = calloc((size_t)data->serials + 1, sizeof(*list));
	size_t count = 0;

	for (struct fake_run *run = data->runs; run; run = run->next)
		if (query->job ? one && run->key == one->key && run->run.number < query->before
			       : run->run.serial < query->before)
			list[count++] = run;
	if (one)
		qsort(list, count, sizeof(*list), fake_compare);
	for (size_t i = 0; i < count; i++) {
		struct run run = list[i]->run;

		const struct fake_node *ran = fake_node_numbered(data, list[i]->ran);

		run.job = fake_by_key(data, list[i]->key)->id;
		run.node = ran ? (char *)ran->name : NULL;
		if (!store_asked_run(request->context, &run))
			break;
	}
	free(list);
	return 0;
}

int fake_runs(struct store_link *link, const struct store_query *query,
    struct store_asked *asked, struct schedd_error *err)
{
	struct fake_request request = {.call = fake_do_runs, .context = asked, .argument = query};

	return fake_ask(link, &request, err);
}

static int fake_do_changes(struct fake_server *server, struct fake_request *request)
{
	const struct fake_job *one =
	    request->argument ? fake_find(server->data, request->argument) : NULL;
	uint64_t count = 0;

	for (const struct fake_note *note = server->data->notes; note && count < request->limit;
	     note = note->next) {
		const struct fake_job *job = note->key ? fake_by_key(server->data, note->key) : NULL;

		if (note->when < request->since || (request->argument && (!one || job != one)))
			continue;
		store_asked_change(
		    request->context, note->when, job ? job->id : NULL, note->json);
		count++;
	}
	return 0;
}

int fake_changes(struct store_link *link, const char *job, schedd_time since, uint64_t limit,
    struct store_asked *asked, struct schedd_error *err)
{
	struct fake_request request = {.call = fake_do_changes,
	    .context = asked,
	    .argument = job,
	    .limit = limit,
	    .since = since};

	return fake_ask(link, &request, err);
}

static int fake_do_stats(struct fake_server *server, struct fake_request *request)
{
	for (const struct fake_run *at = server->data->runs; at; at = at->next) {
		schedd_time done = store_query_done_at(&at->run);
		struct run run = at->run;

		run.job = fake_by_key(server->data, at->key)->id;
		if (done != SCHEDD_TIME_NONE && done >= request->since &&
		    (!request->argument || strcmp(request->argument, run.job) == 0))
			store_asked_count(request->context, &run);
	}
	return 0;
}

int fake_stats(struct store_link *link, const char *job, schedd_time since,
    struct store_asked *asked, struct schedd_error *err)
{
	struct fake_request request = {
	    .call = fake_do_stats, .context = asked, .argument = job, .since = since};

	return fake_ask(link, &request, err);
}

struct fake_retention {
	const struct store_rules *rules;
	uint32_t budget, *deleted;
	schedd_time now;
};

/* How many runs of that job, or of all, are newer. */
static int64_t fake_newer(const struct fake_data *data, const struct fake_run *than, bool of_job)
{
	int64_t count = 0;

	for (const struct fake_run *run = data->runs; run; run = run->next)
		count += of_job ? run->key == than->key && run->run.number > than->run.number
				: run->run.serial > than->run.serial;
	return count;
}

static bool fake_too_old(const struct fake_data *data, const struct fake_retention *retention,
    const struct fake_run *run, const char *id)
{
	const struct store_retention *limits = &retention->rules->retention;
	bool except = store_rules_except(retention->rules, id);

	if (limits->max_runs >= 0 && fake_newer(data, run, false) >= limits->max_runs)
		return true;
	if (limits->keep_for != SCHEDD_SPAN_NONE && !except &&
	    store_query_done_at(&run->run) < retention->now - limits->keep_for)
		return true;
	return limits->keep_runs >= 0 && !except && fake_newer(data, run, true) >= limits->keep_runs;
}

static int fake_do_retain(struct fake_server *server, struct fake_request *request)
{
	const struct fake_retention *retention = request->argument;
	const struct store_retention *limits = &retention->rules->retention;
	struct fake_data *data = server->data;
	struct fake_run **oldest, **list = calloc((size_t)data->serials + 1, sizeof(*list));
	size_t count = 0;

	for (struct fake_run *run = data->runs; run; run = run->next)
		list[count++] = run;
	for (oldest = list + count; oldest-- > list && *retention->deleted < retention->budget;) {
		const char *id = fake_by_key(data, (*oldest)->key)->id;

		if (store_query_done_at(&(*oldest)->run) == SCHEDD_TIME_NONE ||
		    (retention->rules->job && strcmp(retention->rules->job, id) != 0) ||
		    !fake_too_old(data, retention, *oldest, id))
			continue;
		fake_purge(data, (*oldest)->key, (*oldest)->run.number);
		++*retention->deleted;
	}
	free(list);
	for (struct fake_note **at = &data->notes, *note; !retention->rules->job && (note = *at);) {
		int64_t newer = 0;

		for (const struct fake_note *other = data->notes; other != note; other = other->next)
			newer++;
		if (!(limits->max_changes > 0 && newer >= limits->max_changes) &&
		    !(limits->keep_for != SCHEDD_SPAN_NONE &&
			note->when < retention->now - limits->keep_for)) {
			at = &note->next;
			continue;
		}
		*at = note->next;
		free(note->json);
		free(note);
	}
	return 0;
}

int fake_retain(struct store_link *link, const struct store_rules *rules, uint32_t budget,
    schedd_time now, uint32_t *deleted, struct schedd_error *err)
{
	struct fake_retention retention = {rules, budget, deleted, now};
	struct fake_request request = {.call = fake_do_retain, .argument = &retention};

	*deleted = 0;
	return fake_ask(link, &request, err);
}
