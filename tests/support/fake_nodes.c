/* SPDX-License-Identifier: MIT */
/* What nodes change on the fake server: the feed, slots, themselves; each under its lock. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "support/fake_link.h"

schedd_time fake_now(void)
{
	return schedd_clock_system()->wall(NULL);
}

/* ---- The feed ---- */

void fake_feed(struct fake_data *data, const struct store_link *link, const char *kind,
    const char *id, uint32_t target, const char *body)
{
	struct fake_line *line, **last = &data->feed;

	if (!link->config->shared)
		return;
	line = calloc(1, sizeof(*line));
	line->seq = ++data->seq;
	line->origin = link->node;
	line->target = target;
	line->kind = strdup(kind);
	line->id = strdup(id ? id : "");
	line->body = strdup(body ? body : "");
	while (*last)
		last = &(*last)->next;
	*last = line;
}

void fake_feed_clear(struct fake_data *data)
{
	while (data->feed) {
		struct fake_line *line = data->feed;

		data->feed = line->next;
		free(line->kind);
		free(line->id);
		free(line->body);
		free(line);
	}
}

/* ---- Nodes ---- */

struct fake_node *fake_node_named(struct fake_data *data, const char *name)
{
	for (int i = 0; i < FAKE_NODES; i++)
		if (data->nodes[i].number && strcmp(data->nodes[i].name, name) == 0)
			return &data->nodes[i];
	return NULL;
}

struct fake_node *fake_node_numbered(struct fake_data *data, uint32_t number)
{
	for (int i = 0; i < FAKE_NODES && number; i++)
		if (data->nodes[i].number == number)
			return &data->nodes[i];
	return NULL;
}

struct fake_node *fake_share_seat(struct fake_data *data, const struct store_link *link)
{
	struct fake_node *node = link->config->shared ? fake_node_numbered(data, link->node) : NULL;

	return node && node->epoch == link->epoch && strcmp(node->life, link->config->life) == 0
		   ? node
		   : NULL;
}

/* ---- Entries of a commit ---- */

static bool node_has_open_run(const struct fake_data *data, int64_t key)
{
	const struct fake_run *run = data->runs;

	while (run && (run->key != key || store_query_done_at(&run->run) != SCHEDD_TIME_NONE))
		run = run->next;
	return run != NULL;
}

int fake_expect_same(struct fake_data *data, const struct store_link *link, struct store_op *op,
    struct schedd_error *err)
{
	const struct fake_job *job = fake_find(data, op->expect.id);
	const char *name = link->config->name, *id = op->expect.id;

	if (op->expect.idle)
		return job && node_has_open_run(data, job->key)
			   ? schedd_error_set(err, SCHEDD_ECONFLICT,
				 "store '%s': job '%s' has a run that is not over", name, id)
			   : 0;
	if (job && job->json && job->revision == op->expect.revision &&
	    job->counters.last_run == op->expect.last_run &&
	    job->counters.next_fire == op->expect.next_fire)
		return 0;
	return schedd_error_set(err, SCHEDD_ECONFLICT, "store '%s': job '%s' was %s by another meanwhile",
	    name, id, job && job->json ? "changed" : "removed");
}

/* Where it is ours or nobody's, and never to a node that is dead. */
int fake_give(struct fake_data *data, const struct store_link *link, struct store_op *op,
    struct schedd_error *err)
{
	const struct fake_node *to = fake_node_numbered(data, op->give.node);
	uint32_t *node = op->give.slot < NODE_SLOTS ? &data->slots[op->give.slot] : NULL;

	for (uint32_t i = 0; !node && i < data->place_count; i++)
		if (data->places[i].slot == op->give.slot)
			node = &data->places[i].node;
	if (!node && data->place_count == FAKE_PLACES)
		return schedd_error_set(err, SCHEDD_EFAILED, "the fake knows few places");
	if (!node) {
		data->places[data->place_count] = (struct fake_place){op->give.slot, 0};
		node = &data->places[data->place_count++].node;
	}
	if ((!*node || *node == link->node) &&
	    (!op->give.node || (to && to->dead_since == SCHEDD_TIME_NONE)))
		*node = op->give.node;
	data->given = true;
	return 0;
}

int fake_tell(struct fake_data *data, const struct store_link *link, struct store_op *op,
    struct schedd_error *err)
{
	(void)err;
	fake_feed(data, link, op->tell.what, op->tell.id, op->tell.node, op->tell.text);
	return 0;
}

void fake_node_end(struct fake_node *node)
{
	node->epoch++;
	node->dead_since = fake_now();
	node->expires_at = 0;
}

int fake_change_node(struct fake_data *data, const struct store_link *link, struct store_op *op,
    struct schedd_error *err)
{
	struct fake_node *node = fake_node_named(data, op->node.name);

	if (!node)
		return schedd_error_set(err, SCHEDD_ENOTFOUND, "store '%s': there is no node '%s'",
		    link->config->name, op->node.name);
	if (op->node.verb == STORE_NODE_FORGET && node->dead_since == SCHEDD_TIME_NONE)
		return schedd_error_set(err, SCHEDD_ECONFLICT,
		    "store '%s': node '%s' lives: stop it, or wait until its lease is over",
		    link->config->name, op->node.name);
	if (op->node.verb == STORE_NODE_FORGET)
		node->number = 0;
	else if (op->node.verb == STORE_NODE_LEAVE)
		fake_node_end(node);
	else
		node->draining = op->node.verb == STORE_NODE_DRAIN;
	return 0;
}

int fake_put_output(struct fake_data *data, const struct store_link *link, struct store_op *op,
    struct schedd_error *err)
{
	int64_t key = fake_make(data, op->output.job)->key;

	(void)link, (void)err;
	for (struct fake_run *run = data->runs; run; run = run->next)
		if (run->key == key && run->run.number == op->output.number) {
			free(run->output);
			run->output = strndup(op->output.bytes, op->output.length);
		}
	return 0;
}
