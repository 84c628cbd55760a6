/* SPDX-License-Identifier: MIT */
#include "support/fake_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- What it holds ---- */

struct fake_job *fake_find(struct fake_data *data, const char *id)
{
	struct fake_job *job = data->jobs;

	while (job && strcmp(job->id, id) != 0)
		job = job->next;
	return job;
}

struct fake_job *fake_make(struct fake_data *data, const char *id)
{
	struct fake_job *job = fake_find(data, id), **last = &data->jobs;

	if (job)
		return job;
	job = calloc(1, sizeof(*job));
	job->id = strdup(id);
	job->key = ++data->keys;
	while (*last)
		last = &(*last)->next;
	return *last = job;
}

struct fake_job *fake_by_key(struct fake_data *data, int64_t key)
{
	struct fake_job *job = data->jobs;

	while (job && job->key != key)
		job = job->next;
	return job;
}

uint32_t fake_last_run(struct fake_data *data, const char *id)
{
	const struct fake_job *job = fake_find(data, id);
	uint32_t last = job ? job->counters.last_run : 0;

	for (const struct fake_run *run = data->runs; job && run; run = run->next)
		if (run->key == job->key && run->run.number > last)
			last = run->run.number;
	return last;
}

void fake_purge(struct fake_data *data, int64_t key, uint32_t number)
{
	struct fake_run **at = &data->runs;

	while (*at) {
		struct fake_run *run = *at;

		if ((key && run->key != key) || (number && run->run.number != number)) {
			at = &run->next;
			continue;
		}
		*at = run->next;
		run_clear(&run->run);
		free(run->output);
		free(run);
	}
}

static void fake_text_put(
    struct fake_data *data, const char *key, const char *text, int64_t number, bool gone)
{
	struct fake_text **at = &data->texts, *entry;

	while (*at && strcmp((*at)->key, key) != 0)
		at = &(*at)->next;
	if (*at) {
		entry = *at;
		*at = entry->next;
		free(entry->key);
		free(entry->text);
		free(entry);
	}
	if (gone)
		return;
	entry = calloc(1, sizeof(*entry));
	entry->key = strdup(key);
	entry->text = text ? strdup(text) : NULL;
	entry->number = number;
	entry->next = data->texts;
	data->texts = entry;
}

void fake_data_clear(struct fake_data *data)
{
	fake_purge(data, 0, 0);
	while (data->jobs) {
		struct fake_job *job = data->jobs;

		data->jobs = job->next;
		free(job->id);
		free(job->json);
		free(job);
	}
	while (data->texts)
		fake_text_put(data, data->texts->key, NULL, 0, true);
	while (data->notes) {
		struct fake_note *note = data->notes;

		data->notes = note->next;
		free(note->json);
		free(note);
	}
	fake_feed_clear(data);
	free(data);
}

struct fake_data *fake_data_copy(const struct fake_data *from)
{
	struct fake_data *to = malloc(sizeof(*to));
	struct fake_job **job = &to->jobs;
	struct fake_run **run = &to->runs;
	struct fake_text **text = &to->texts;
	struct fake_note **note = &to->notes;
	struct fake_line **line = &to->feed;

	*to = *from;
	to->jobs = NULL;
	to->runs = NULL;
	to->texts = NULL;
	to->notes = NULL;
	to->feed = NULL;
	to->given = false;
	for (const struct fake_job *at = from->jobs; at; at = at->next, job = &(*job)->next) {
		*job = malloc(sizeof(**job));
		**job = *at;
		(*job)->next = NULL;
		(*job)->id = strdup(at->id);
		(*job)->json = at->json ? strdup(at->json) : NULL;
	}
	for (const struct fake_run *at = from->runs; at; at = at->next, run = &(*run)->next) {
		*run = calloc(1, sizeof(**run));
		(*run)->key = at->key;
		(*run)->node = at->node;
		(*run)->ran = at->ran;
		(*run)->output = at->output ? strdup(at->output) : NULL;
		(void)!run_copy(&(*run)->run, &at->run);
		(*run)->run.serial = at->run.serial;
	}
	for (const struct fake_text *at = from->texts; at; at = at->next, text = &(*text)->next) {
		*text = malloc(sizeof(**text));
		**text = *at;
		(*text)->next = NULL;
		(*text)->key = strdup(at->key);
		(*text)->text = at->text ? strdup(at->text) : NULL;
	}
	for (const struct fake_note *at = from->notes; at; at = at->next, note = &(*note)->next) {
		*note = malloc(sizeof(**note));
		**note = *at;
		(*note)->next = NULL;
		(*note)->json = strdup(at->json);
	}
	for (const struct fake_line *at = from->feed; at; at = at->next, line = &(*line)->next) {
		*line = malloc(sizeof(**line));
		**line = *at;
		(*line)->next = NULL;
		(*line)->kind = strdup(at->kind);
		(*line)->id = strdup(at->id);
		(*line)->body = strdup(at->body);
	}
	return to;
}

/* ---- Entries of a batch; each under the lock ---- */

static int fake_put_job(struct fake_data *data, const struct store_link *link,
    struct store_op *op, struct schedd_error *err)
{
	const struct job_state *state = &op->put_job.state;
	uint32_t last = state->last_run, known;
	struct strbuf text = STRBUF_EMPTY;
	struct fake_job *job;

	job = fake_find(data, op->put_job.job->id);
	if (op->kind == STORE_OP_ADD_JOB && link->config->shared && job && job->json)
		return schedd_error_set(err, SCHEDD_ECONFLICT,
		    "store '%s': another has added job '%s' meanwhile", link->config->name, job->id);
	if (op->kind == STORE_OP_ADD_JOB) {
		known = fake_last_run(data, op->put_job.job->id);
		last = known > last ? known : last;
		op->put_job.given = last;
	}
	if (link->host->encode(op->put_job.job, state, &text, err))
		return SCHEDD_ENOMEM;
	job = fake_make(data, op->put_job.job->id);
	free(job->json);
	job->json = strdup(strbuf_peek(&text));
	strbuf_clear(&text);
	job->revision = state->revision;
	job->slot = node_job_slot(op->put_job.job);
	job->counters = (struct store_counters){
	    state->next_fire, state->next_run_time, state->run_count, last};
	fake_feed(data, link, NODES_LINE_JOB, job->id, 0, NULL);
	return 0;
}

static int fake_expect(struct fake_data *data, const struct store_link *link,
    struct store_op *op, struct schedd_error *err)
{
	const struct fake_job *job = fake_find(data, op->expect.id);

	if (op->expect.same || op->expect.idle)
		return fake_expect_same(data, link, op, err);
	if (job && job->json && job->revision == op->expect.revision)
		return 0;
	return schedd_error_set(err, SCHEDD_ECONFLICT, "store '%s': job '%s' was %s by another meanwhile",
	    link->config->name, op->expect.id, job && job->json ? "changed" : "removed");
}

static int fake_claim(struct fake_data *data, const struct store_link *link,
    struct store_op *op, struct schedd_error *err)
{
	struct fake_job *job = fake_find(data, op->claim.id);

	op->claim.given = STORE_CLAIM_DONE;
	if (!job || !job->json || job->counters.last_run != op->claim.expected ||
	    (link->config->shared && op->claim.revision && job->revision != op->claim.revision))
		return store_op_verdict(link->store, op, STORE_CLAIM_LOST, err);
	job->counters = (struct store_counters){op->claim.next_fire, op->claim.next_run_time,
	    op->claim.run_count, op->claim.last_run};
	return 0;
}

static int fake_delete_job(struct fake_data *data, const struct store_link *link,
    struct store_op *op, struct schedd_error *err)
{
	struct fake_job *job = fake_make(data, op->delete_job.id);

	(void)err;
	free(job->json);
	job->json = NULL;
	if (op->delete_job.last_run > job->counters.last_run || op->delete_job.last_run == 0)
		job->counters.last_run = op->delete_job.last_run;
	fake_feed(data, link, NODES_LINE_JOB, job->id, 0, NULL);
	return 0;
}

/* A run that was lost with its node stays so: how it ended, as that node knew it, is noted. */
static void fake_told_late(struct run *run)
{
	char text[400];

	snprintf(text, sizeof(text), "this node lost its lease; told late: %s%s%s",
	    run_state_name(run->state), run->reason ? ", " : "", run->reason ? run->reason : "");
	free(run->reason);
	run->reason = strdup(text);
	run->state = RUN_LOST;
}

static int fake_put_run(struct fake_data *data, const struct store_link *link,
    struct store_op *op, struct schedd_error *err)
{
	int64_t key = fake_make(data, op->run.run.job)->key;
	struct fake_run *run = data->runs;
	bool lost = false;
	uint64_t serial;

	(void)err;
	while (run && (run->key != key || run->run.number != op->run.run.number))
		run = run->next;
	serial = run ? run->run.serial : (uint64_t)++data->serials;
	if (run) {
		lost = link->config->shared && run->run.state == RUN_LOST;
		run_clear(&run->run);
	} else {
		run = calloc(1, sizeof(*run));
		run->key = key;
		run->next = data->runs;
		data->runs = run;
	}
	if (run_copy(&run->run, &op->run.run))
		return SCHEDD_ENOMEM;
	run->run.serial = serial;
	if (lost && run->run.state != RUN_LOST)
		fake_told_late(&run->run);
	run->node = link->config->shared ? link->node : 0;
	if (run->run.state != RUN_LOST || !run->ran)
		run->ran = run->node;
	return 0;
}

static int fake_purge_runs(struct fake_data *data, const struct store_link *link,
    struct store_op *op, struct schedd_error *err)
{
	const struct fake_job *job = op->purge.job ? fake_find(data, op->purge.job) : NULL;

	(void)link, (void)err;
	if (job || !op->purge.job)
		fake_purge(data, job ? job->key : 0, op->purge.number);
	return 0;
}

/* The runs stay where they are: they know the job by its key. */
static int fake_rename(struct fake_data *data, const struct store_link *link,
    struct store_op *op, struct schedd_error *err)
{
	struct fake_job *from = fake_make(data, op->rename.id), *to = fake_find(data, op->rename.to);
	uint32_t last = fake_last_run(data, op->rename.id);
	struct fake_job **at;

	for (const struct fake_run *run = data->runs; to && run; run = run->next)
		if (run->key == to->key)
			return schedd_error_set(err, SCHEDD_ECONFLICT,
			    "store '%s': runs of a removed job '%s' are still kept, purge them first",
			    link->config->name, op->rename.to);
	for (at = &data->jobs; to && *at; at = &(*at)->next)
		if (*at == to) {
			*at = to->next;
			free(to->id);
			free(to->json);
			free(to);
			break;
		}
	free(from->id);
	from->id = strdup(op->rename.to);
	fake_make(data, op->rename.id)->counters.last_run = last;
	fake_feed(data, link, NODES_LINE_JOB, op->rename.id, 0, NULL);
	fake_feed(data, link, NODES_LINE_JOB, op->rename.to, 0, NULL);
	return 0;
}

static int fake_put_number(struct fake_data *data, const struct store_link *link,
    struct store_op *op, struct schedd_error *err)
{
	(void)err;
	/* Of those that share it the lease says that they live. */
	if (!link->config->shared)
		fake_text_put(data, op->number.key, NULL, op->number.number, false);
	return 0;
}

static int fake_put_text(struct fake_data *data, const struct store_link *link,
    struct store_op *op, struct schedd_error *err)
{
	const struct fake_text *text = data->texts;

	while (text && strcmp(text->key, op->text.key) != 0)
		text = text->next;
	if (op->text.must && !text)
		return schedd_error_set(err, SCHEDD_ECONFLICT, "store '%s': another was faster (%s)",
		    link->config->name, op->text.key);
	fake_text_put(data, op->text.key, op->text.text, 0, !op->text.text);
	if (store_nodes_told(op->text.key))
		fake_feed(data, link, NODES_LINE_TEXT, op->text.key, 0, NULL);
	return 0;
}

static int fake_put_change(struct fake_data *data, const struct store_link *link,
    struct store_op *op, struct schedd_error *err)
{
	struct fake_note *note = calloc(1, sizeof(*note));

	(void)link, (void)err;
	note->when = op->change.when;
	note->key = op->change.job ? fake_make(data, op->change.job)->key : 0;
	note->json = strdup(op->change.json);
	note->next = data->notes;
	data->notes = note;
	return 0;
}

int (*const fake_verbs[STORE_OP_COUNT])(struct fake_data *, const struct store_link *,
    struct store_op *, struct schedd_error *) = {
    [STORE_OP_PUT_JOB] = fake_put_job,
    [STORE_OP_ADD_JOB] = fake_put_job,
    [STORE_OP_EXPECT] = fake_expect,
    [STORE_OP_CLAIM] = fake_claim,
    [STORE_OP_DELETE_JOB] = fake_delete_job,
    [STORE_OP_PUT_RUN] = fake_put_run,
    [STORE_OP_PURGE_RUNS] = fake_purge_runs,
    [STORE_OP_RENAME] = fake_rename,
    [STORE_OP_PUT_NUMBER] = fake_put_number,
    [STORE_OP_PUT_TEXT] = fake_put_text,
    [STORE_OP_PUT_CHANGE] = fake_put_change,
    [STORE_OP_GIVE] = fake_give,
    [STORE_OP_TELL] = fake_tell,
    [STORE_OP_NODE] = fake_change_node,
    [STORE_OP_PUT_OUTPUT] = fake_put_output,
};
