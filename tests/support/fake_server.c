/* SPDX-License-Identifier: MIT */
/* The servers by their names, and what a test does with them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "support/fake_data.h"
#include "support/fake_store.h"

#define FAKE_SERVERS 16

static struct fake_server fake_servers[FAKE_SERVERS];
static pthread_mutex_t fake_lock = PTHREAD_MUTEX_INITIALIZER;

struct fake_server *fake_server(const char *name)
{
	struct fake_server *server = fake_servers;

	pthread_mutex_lock(&fake_lock);
	while (server->name[0] && strcmp(server->name, name) != 0)
		server++;
	if (!server->name[0]) {
		snprintf(server->name, sizeof(server->name), "%s", name);
		pthread_mutex_init(&server->lock, NULL);
		server->data = calloc(1, sizeof(*server->data));
	}
	pthread_mutex_unlock(&fake_lock);
	return server;
}

/* ---- What a test does with it ---- */

void fake_server_reset(const char *name)
{
	struct fake_server *server = fake_server(name);

	pthread_mutex_lock(&server->lock);
	fake_data_clear(server->data);
	server->data = calloc(1, sizeof(*server->data));
	server->identity[0] = server->life[0] = server->holder[0] = '\0';
	server->owned = server->frozen = server->down = server->read_only = server->shuffled = false;
	memset(server->barred, 0, sizeof(server->barred));
	server->epoch = 0;
	server->delay = 0;
	server->dies_before = server->dies_after = server->commits = 0;
	pthread_mutex_unlock(&server->lock);
}

void fake_server_delay(const char *name, int64_t delay)
{
	fake_server(name)->delay = delay;
}

void fake_server_end(const char *name, enum fake_end end, int count)
{
	struct fake_server *server = fake_server(name);

	pthread_mutex_lock(&server->lock);
	*(end == FAKE_DIES_BEFORE ? &server->dies_before : &server->dies_after) = count;
	pthread_mutex_unlock(&server->lock);
}

void fake_server_freeze(const char *name, bool frozen)
{
	fake_server(name)->frozen = frozen;
}

void fake_server_down(const char *name, bool down)
{
	fake_server(name)->down = down;
}

void fake_server_read_only(const char *name, bool read_only)
{
	fake_server(name)->read_only = read_only;
}

void fake_server_hold(const char *name, const char *holder)
{
	struct fake_server *server = fake_server(name);

	pthread_mutex_lock(&server->lock);
	server->epoch++;
	server->identity[0] = server->life[0] = '\0';
	snprintf(server->holder, sizeof(server->holder), "%s", holder ? holder : "");
	server->owned = holder != NULL;
	pthread_mutex_unlock(&server->lock);
}

void fake_server_claim(const char *name, const char *id, uint32_t last_run)
{
	struct fake_server *server = fake_server(name);
	struct fake_job *job;

	pthread_mutex_lock(&server->lock);
	job = fake_make(server->data, id);
	if (last_run == 0) {
		free(job->json);
		job->json = NULL;
	} else {
		job->counters.last_run = last_run;
	}
	pthread_mutex_unlock(&server->lock);
}

int fake_server_commits(const char *name)
{
	return fake_server(name)->commits;
}

void fake_server_shuffle(const char *name, bool shuffled)
{
	fake_server(name)->shuffled = shuffled;
}

void fake_server_bar(const char *name, const char *node, bool barred)
{
	struct fake_server *server = fake_server(name);
	int free_place = 0;

	pthread_mutex_lock(&server->lock);
	for (int i = 0; i < FAKE_NODES; i++) {
		if (strcmp(server->barred[i], node) == 0)
			server->barred[i][0] = '\0';
		if (!server->barred[i][0])
			free_place = i;
	}
	if (barred)
		snprintf(server->barred[free_place], sizeof(server->barred[0]), "%s", node);
	pthread_mutex_unlock(&server->lock);
}

void fake_server_expire(const char *name, const char *node)
{
	struct fake_server *server = fake_server(name);

	pthread_mutex_lock(&server->lock);
	for (int i = 0; i < FAKE_NODES; i++)
		if (strcmp(server->data->nodes[i].name, node) == 0)
			server->data->nodes[i].expires_at = 1;
	pthread_mutex_unlock(&server->lock);
}

void fake_server_stick(const char *name, const char *node)
{
	struct fake_server *server = fake_server(name);

	pthread_mutex_lock(&server->lock);
	snprintf(server->stuck, sizeof(server->stuck), "%s", node ? node : "");
	pthread_mutex_unlock(&server->lock);
}

static bool fake_sticks(struct fake_server *server, const char *node, int by)
{
	bool sticks;

	pthread_mutex_lock(&server->lock);
	sticks = strcmp(server->stuck, node) == 0;
	server->stuck_beats += by;
	pthread_mutex_unlock(&server->lock);
	return sticks;
}

void fake_server_beat(struct fake_server *server, struct store_link *link)
{
	if (!fake_sticks(server, link->config->node, 0))
		return;
	(void)fake_sticks(server, link->config->node, 1);
	while (fake_sticks(server, link->config->node, 0)) {
		(void)usleep(1000);
		link->deadline += 10000; /* whoever waits for it is patient */
	}
	(void)fake_sticks(server, link->config->node, -1);
}

int fake_server_stuck_beats(const char *name)
{
	struct fake_server *server = fake_server(name);
	int count;

	pthread_mutex_lock(&server->lock);
	count = server->stuck_beats;
	pthread_mutex_unlock(&server->lock);
	return count;
}

int fake_server_beats(const char *name)
{
	struct fake_server *server = fake_server(name);
	int count;

	pthread_mutex_lock(&server->lock);
	count = server->beats;
	pthread_mutex_unlock(&server->lock);
	return count;
}

void fake_server_forget_feed(const char *name)
{
	struct fake_server *server = fake_server(name);

	pthread_mutex_lock(&server->lock);
	fake_feed_clear(server->data);
	pthread_mutex_unlock(&server->lock);
}
