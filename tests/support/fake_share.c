/* SPDX-License-Identifier: MIT */
/*
 * How nodes ask the fake server: joining, the beat, the feed, those that are
 * dead. What a lock is on a real server is the server's one lock here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "base/iso8601.h"
#include "support/fake_link.h"

/* Where a link hears that others have written. */
struct fake_ear {
	struct fake_ear *next;
	int bell;
};

static const struct nodes_driver share_nodes;

static struct fake_link *share_link(const struct store_link *link)
{
	return link->state;
}

static int share_ask(struct store_link *link,
    int (*call)(struct fake_server *server, struct fake_request *request), void *context,
    const void *argument, struct schedd_error *err)
{
	struct fake_request request = {.call = call, .context = context, .argument = argument};

	return fake_ask(link, &request, err);
}

/* ---- The ear ---- */

void fake_share_ring(const struct fake_server *server)
{
	const uint64_t one = 1;

	for (const struct fake_ear *ear = server->ears; ear; ear = ear->next)
		(void)!write(ear->bell, &one, sizeof(one));
}

int fake_share_fd(const struct store_link *link)
{
	const struct fake_ear *ear = share_link(link)->ear;

	return ear ? ear->bell : -1;
}

static void share_listen(struct fake_link *link)
{
	struct fake_ear *ear = calloc(1, sizeof(*ear));

	ear->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	link->ear = ear;
	pthread_mutex_lock(&link->server->lock);
	ear->next = link->server->ears;
	link->server->ears = ear;
	pthread_mutex_unlock(&link->server->lock);
}

void fake_share_part(struct store_link *base)
{
	struct fake_link *link = share_link(base);
	struct fake_ear **at = &link->server->ears;

	if (!link->ear)
		return;
	pthread_mutex_lock(&link->server->lock);
	while (*at != link->ear)
		at = &(*at)->next;
	*at = link->ear->next;
	pthread_mutex_unlock(&link->server->lock);
	close(link->ear->bell);
	free(link->ear);
	link->ear = NULL;
}

/* ---- Joining ---- */

static int share_refuse(
    struct fake_data *data, struct store_link *link, const struct fake_node *own, struct schedd_error *err)
{
	const struct store_remote_config *config = link->config;
	struct strbuf since = STRBUF_EMPTY;

	if (own && own->dead_since == SCHEDD_TIME_NONE && own->expires_at > fake_now() &&
	    strcmp(own->life, config->life) != 0 && strcmp(own->identity, config->identity) != 0) {
		iso8601_format(&since, own->started_at / SCHEDD_SECOND * SCHEDD_SECOND, 0, true);
		(void)!store_nodes_held(link, own->address, strbuf_peek(&since), err);
		strbuf_clear(&since);
		return SCHEDD_EFAILED;
	}
	for (int i = 0; i < FAKE_NODES; i++) {
		const struct fake_node *other = &data->nodes[i];

		if (other->number && other != own && other->dead_since == SCHEDD_TIME_NONE &&
		    other->expires_at > fake_now() &&
		    abs((int)other->protocol - NODE_PROTOCOL) > 1)
			return store_nodes_misunderstood(
			    link, other->name, other->version, other->protocol, err);
	}
	return 0;
}

static void share_sit(struct fake_node *node, const struct store_link *link)
{
	const struct store_remote_config *config = link->config;

	if (strcmp(node->life, config->life) != 0) {
		node->batch = 0;
		node->draining = false;
	}
	node->epoch++;
	node->protocol = NODE_PROTOCOL;
	node->started_at = node->seen_at = fake_now();
	node->dead_since = SCHEDD_TIME_NONE;
	snprintf(node->life, sizeof(node->life), "%s", config->life);
	snprintf(node->identity, sizeof(node->identity), "%s", config->identity);
	snprintf(node->address, sizeof(node->address), "%s", config->holder);
	snprintf(node->labels, sizeof(node->labels), "%s", config->labels);
	snprintf(node->version, sizeof(node->version), "%s", SCHEDD_VERSION);
}

static struct fake_node *share_new(struct fake_data *data, const char *name)
{
	for (uint32_t i = 0; i < FAKE_NODES; i++)
		if (!data->nodes[i].number) {
			data->nodes[i] = (struct fake_node){.number = i + 1};
			snprintf(data->nodes[i].name, sizeof(data->nodes[i].name), "%s", name);
			return &data->nodes[i];
		}
	return NULL;
}

/* What is nobody's is ours; the others are told that we are there. */
static int share_do_join(struct fake_server *server, struct fake_request *request)
{
	struct fake_data *data = server->data;
	struct store_link *link = request->link;
	struct fake_node *node = fake_node_named(data, link->config->node);
	bool same;
	int rc;

	if (server->read_only)
		return fake_fail(request, STORE_FAULT_READ_ONLY, "the server takes no writes");
	rc = share_refuse(data, link, node, &request->err);
	if (rc)
		return rc;
	same = node && strcmp(node->life, link->config->life) == 0 && node->epoch == link->epoch &&
	       !share_link(link)->feed.anew;
	node = node ? node : share_new(data, link->config->node);
	if (!node)
		return fake_fail(request, STORE_FAULT_REFUSED, "the fake knows few nodes");
	if (!same)
		share_sit(node, link);
	node->expires_at = fake_now() + link->config->lease;
	link->node = node->number;
	link->epoch = node->epoch;
	for (uint32_t slot = 0; slot < NODE_SLOTS; slot++)
		if (!data->slots[slot])
			data->slots[slot] = node->number;
	for (struct fake_run *run = data->runs; run; run = run->next)
		if (!run->node && store_query_done_at(&run->run) == SCHEDD_TIME_NONE)
			run->node = run->ran = node->number;
	fake_feed(data, link, NODES_LINE_SLOT, NULL, 0, NULL);
	fake_share_ring(server);
	*(bool *)request->context = same;
	return 0;
}

int fake_share_join(struct store_link *link, struct schedd_error *err)
{
	bool same = false;
	int rc = store_nodes_measure(link, &share_nodes, err);

	share_listen(share_link(link));
	if (rc == 0)
		rc = share_ask(link, share_do_join, &same, NULL, err);
	if (rc == 0)
		store_nodes_joined(&share_link(link)->feed, same);
	return rc;
}

/* ---- The beat ---- */

static int share_do_renew(struct fake_server *server, struct fake_request *request)
{
	struct store_renewing *renewing = request->context;
	const struct store_beat *own = store_renewing_beat(renewing);
	struct fake_node *seat = fake_node_numbered(server->data, own->node);

	if (!seat || seat->epoch != own->epoch || strcmp(seat->life, request->link->config->life) != 0)
		return store_nodes_fenced(request->link, &request->err);
	seat->seen_at = fake_now();
	seat->expires_at = seat->seen_at + request->link->config->lease;
	seat->jobs = own->jobs;
	seat->running = own->running;
	seat->load = own->load;
	seat->offset = own->offset;
	for (int i = 0; i < FAKE_NODES; i++) {
		const struct fake_node *node = &server->data->nodes[i];

		if (!node->number)
			continue;
		store_renewing_node(renewing,
		    &(struct store_node){.number = node->number,
			.name = node->name,
			.epoch = node->epoch,
			.left = node->expires_at - fake_now(),
			.draining = node->draining,
			.dead_since = node->dead_since,
			.labels = node->labels,
			.version = node->version,
			.address = node->address,
			.started_at = node->started_at,
			.seen_at = node->seen_at,
			.jobs = node->jobs,
			.running = node->running,
			.load = node->load,
			.offset = node->offset,
			.protocol = node->protocol});
	}
	store_renewing_clock(renewing, fake_now());
	server->beats++;
	return 0;
}

static int share_renew(
    struct store_link *link, struct store_renewing *renewing, struct schedd_error *err)
{
	fake_server_beat(share_link(link)->server, link);
	return share_ask(link, share_do_renew, renewing, NULL, err);
}

/* ---- How it is read ---- */

static struct nodes_feed *share_feed(const struct store_link *link)
{
	return &share_link(link)->feed;
}

static int share_do_ping(struct fake_server *server, struct fake_request *request)
{
	(void)server, (void)request;
	return 0;
}

static int share_ping(struct store_link *link, struct schedd_error *err)
{
	return share_ask(link, share_do_ping, NULL, NULL, err);
}

/* A line as it was, to be read when the server's lock is open again. */
static int share_do_line(struct fake_server *server, struct fake_request *request)
{
	const struct fake_line *line = server->data->feed;
	struct fake_line *copy = request->context;

	while (line && line->seq <= copy->seq)
		line = line->next;
	if (!line)
		return 0;
	*copy = *line;
	copy->kind = strdup(line->kind);
	copy->id = strdup(line->id);
	copy->body = strdup(line->body);
	return 0;
}

static int share_lines(struct store_link *link, int64_t after, int64_t most, nodes_line_fn call,
    void *context, int64_t *count, struct schedd_error *err)
{
	int rc = 0;

	for (*count = 0; *count < most && rc == 0; ++*count) {
		struct fake_line copy = {.seq = after};

		rc = share_ask(link, share_do_line, &copy, NULL, err);
		if (!copy.kind)
			break;
		after = copy.seq;
		rc = call(&(struct nodes_line){copy.seq, copy.origin, copy.target, copy.kind, copy.id,
			      copy.body},
		    context, err);
		free(copy.kind);
		free(copy.id);
		free(copy.body);
	}
	return rc;
}

static int share_do_text(struct fake_server *server, struct fake_request *request)
{
	const struct fake_text *text = server->data->texts;

	while (text && strcmp(text->key, request->argument) != 0)
		text = text->next;
	store_watching_text(request->context, request->argument, text ? text->text : NULL);
	return 0;
}

static int share_text(struct store_link *link, const char *key, struct store_watching *watching,
    struct schedd_error *err)
{
	return share_ask(link, share_do_text, watching, key, err);
}

struct share_slots {
	uint32_t *owners;
	struct store_places *places;
};

static void share_tell_slots(
    const struct fake_data *data, uint32_t *owners, struct store_places *places)
{
	memcpy(owners, data->slots, sizeof(data->slots));
	for (uint32_t i = 0; i < data->place_count; i++)
		store_places_add(places, data->places[i].slot, data->places[i].node);
}

static int share_do_slots(struct fake_server *server, struct fake_request *request)
{
	const struct share_slots *slots = request->context;

	share_tell_slots(server->data, slots->owners, slots->places);
	return 0;
}

static int share_slots(struct store_link *link, uint32_t owners[NODE_SLOTS],
    struct store_places *places, struct schedd_error *err)
{
	struct share_slots slots = {owners, places};

	return share_ask(link, share_do_slots, &slots, NULL, err);
}

void fake_share_load(struct fake_data *data, struct store_link *link, struct store_loading *loading)
{
	struct store_places places = {.count = 0};
	uint32_t owners[NODE_SLOTS];

	share_tell_slots(data, owners, &places);
	store_nodes_loaded(share_feed(link), owners, &places, data->seq, loading);
	store_places_clear(&places);
}

/* ---- Counters ---- */

static void share_count(struct store_watching *watching, const struct fake_data *data,
    const struct fake_job *job, uint32_t own)
{
	struct store_counted counted = {.id = job->id,
	    .next_fire = job->counters.next_fire,
	    .next_run_time = job->counters.next_run_time,
	    .run_count = job->counters.run_count,
	    .last_run = job->counters.last_run,
	    .revision = job->revision,
	    .last_state = -1};
	uint32_t last = 0;

	for (const struct fake_run *run = data->runs; run; run = run->next) {
		enum run_state state = run->run.state;

		if (run->key != job->key)
			continue;
		if (store_query_done_at(&run->run) == SCHEDD_TIME_NONE)
			++*(run->node == own	     ? &(uint32_t){0}
			    : state == RUN_RUNNING ? &counted.running
						   : &counted.queued);
		else if (run->run.number > last && state != RUN_MISSED && state != RUN_SKIPPED &&
			 state != RUN_CANCELLED)
			last = run->run.number, counted.last_state = (int)state;
	}
	store_watching_counted(watching, &counted);
}

/* The slots, or (NULL) all that are others'; the job, or (NULL) all. */
struct share_counting {
	const bool *slots;
	const char *id;
	struct store_watching *watching;
};

static int share_do_count(struct fake_server *server, struct fake_request *request)
{
	const struct share_counting *counting = request->context;
	const struct fake_data *data = server->data;
	uint32_t own = request->link->node;

	for (const struct fake_job *job = data->jobs; job; job = job->next) {
		bool place = job->slot >= NODE_SLOTS;

		if (!job->json || (counting->id && strcmp(counting->id, job->id) != 0))
			continue;
		if (place || (counting->slots ? counting->slots[job->slot]
					      : data->slots[job->slot] != own))
			share_count(counting->watching, data, job, counting->slots ? 0 : own);
	}
	return 0;
}

static int share_gained(struct store_link *link, const bool slots[NODE_SLOTS],
    struct store_watching *watching, struct schedd_error *err)
{
	struct share_counting counting = {slots, NULL, watching};

	return share_ask(link, share_do_count, &counting, NULL, err);
}

static int share_others(struct store_link *link, const char *id, struct store_watching *watching,
    struct schedd_error *err)
{
	struct share_counting counting = {NULL, id, watching};

	return share_ask(link, share_do_count, &counting, NULL, err);
}

/* ---- Those whose lease is over ---- */

static bool share_is_dead(struct fake_data *data, const struct fake_node *node)
{
	bool has = node->dead_since == SCHEDD_TIME_NONE;

	for (uint32_t slot = 0; slot < NODE_SLOTS; slot++)
		has |= data->slots[slot] == node->number;
	for (uint32_t i = 0; i < data->place_count; i++)
		has |= data->places[i].node == node->number;
	return node->number && has && node->expires_at < fake_now();
}

static int share_do_dead(struct fake_server *server, struct fake_request *request)
{
	struct fake_node *dead = request->context;

	for (int i = 0; i < FAKE_NODES; i++) {
		struct fake_node *node = &server->data->nodes[i];

		if (node->number != request->link->node && share_is_dead(server->data, node))
			*dead++ = *node;
	}
	return 0;
}

static int share_dead(
    struct store_link *link, nodes_dead_fn call, void *context, struct schedd_error *err)
{
	struct fake_node dead[FAKE_NODES] = {{.number = 0}};
	int rc = share_ask(link, share_do_dead, dead, NULL, err);

	for (int i = 0; i < FAKE_NODES && dead[i].number && rc == 0; i++)
		rc = call(dead[i].number, dead[i].epoch, dead[i].name, context, err);
	return rc;
}

struct share_take {
	uint32_t node;
	uint64_t epoch;
	struct store_watching *watching;
	bool taken;
};

static void share_take_rows(struct fake_data *data, uint32_t from, uint32_t to,
    struct store_watching *watching)
{
	for (uint32_t slot = 0; slot < NODE_SLOTS; slot++)
		if (data->slots[slot] == from)
			data->slots[slot] = to;
	for (uint32_t i = 0; i < data->place_count; i++)
		if (data->places[i].node == from)
			data->places[i].node = to;
	for (struct fake_run *run = data->runs; run; run = run->next) {
		struct run row = run->run;

		if (run->node != from || store_query_done_at(&row) != SCHEDD_TIME_NONE)
			continue;
		run->node = to;
		run->run.pid = row.pid = 0;
		run->run.pid_start = row.pid_start = 0;
		row.job = fake_by_key(data, run->key)->id;
		store_watching_taken_run(watching, &row);
	}
	for (const struct fake_text *text = data->texts; text; text = text->next)
		if (text->text)
			store_watching_taken_text(watching, text->key, text->text);
}

static int share_do_take(struct fake_server *server, struct fake_request *request)
{
	struct fake_data *data = server->data;
	struct share_take *take = request->context;
	struct fake_node *node = fake_node_numbered(data, take->node);

	if (!fake_share_seat(data, request->link))
		return store_nodes_fenced(request->link, &request->err);
	if (!node || node->epoch != take->epoch || !share_is_dead(data, node))
		return 0;
	fake_node_end(node);
	share_take_rows(data, take->node, request->link->node, take->watching);
	fake_feed(data, request->link, NODES_LINE_SLOT, NULL, 0, NULL);
	fake_share_ring(server);
	take->taken = true;
	return 0;
}

static int share_take(struct store_link *link, uint32_t node, uint64_t epoch,
    struct store_watching *watching, bool *taken, struct schedd_error *err)
{
	struct share_take take = {node, epoch, watching, false};
	int rc = share_ask(link, share_do_take, &take, NULL, err);

	*taken = take.taken;
	return rc;
}

static int share_tidy(struct store_link *link, schedd_span keep, struct schedd_error *err)
{
	(void)link, (void)keep, (void)err;
	return 0;
}

static const struct nodes_driver share_nodes = {
    .feed = share_feed,
    .ping = share_ping,
    .lines = share_lines,
    .reread = fake_reread,
    .text = share_text,
    .slots = share_slots,
    .gained = share_gained,
    .others = share_others,
    .dead = share_dead,
    .take = share_take,
    .tidy = share_tidy,
};

int fake_share_listen(
    struct store_link *link, struct store_watching *watching, struct schedd_error *err)
{
	uint64_t rung;

	(void)!read(fake_share_fd(link), &rung, sizeof(rung));
	return store_nodes_listen(link, &share_nodes, watching, err);
}

static int share_refresh(struct store_link *link, const char *id, struct store_watching *watching,
    struct schedd_error *err)
{
	return store_nodes_refresh(link, &share_nodes, id, watching, err);
}

struct share_output {
	const char *job;
	uint32_t number;
	struct store_kept *kept;
};

static int share_do_output(struct fake_server *server, struct fake_request *request)
{
	const struct share_output *output = request->context;
	const struct fake_job *job = fake_find(server->data, output->job);

	for (const struct fake_run *run = server->data->runs; job && run; run = run->next)
		if (run->key == job->key && run->run.number == output->number && run->output)
			store_kept_output(output->kept, run->output, strlen(run->output));
	return 0;
}

static int share_output(struct store_link *link, const char *job, uint32_t number,
    struct store_kept *kept, struct schedd_error *err)
{
	struct share_output output = {job, number, kept};

	return share_ask(link, share_do_output, &output, NULL, err);
}

const struct store_share_driver fake_share = {
    .renew = share_renew,
    .refresh = share_refresh,
    .output = share_output,
};
