/* SPDX-License-Identifier: MIT */
/* The frame of a store that is shared; see the header. */
#include "store/modules/store_nodes.h"

#include <string.h>
#include "base/log.h"

/* Lines of the feed are kept so many leases, and no less than: */
#define NODES_KEEP_LEASES 20
#define NODES_KEEP_LEAST (10 * SCHEDD_MINUTE)
#define NODES_LINES 1000

/* A lease that a few round trips use up would be lost again and again. */
int store_nodes_measure(
    struct store_link *link, const struct nodes_driver *driver, struct schedd_error *err)
{
	int least = link->config->lease > INT32_MAX ? INT32_MAX : (int)link->config->lease;
	int rc = 0;

	for (int i = 0; i < 3 && rc == 0; i++) {
		int before = store_link_left(link), taken;

		rc = driver->ping(link, err);
		taken = (before - store_link_left(link)) * 1000;
		least = taken < least ? taken : least;
	}
	if (rc == 0 && (schedd_span)least * 3 > link->config->lease)
		rc = store_link_fail(link, STORE_FAULT_REFUSED, err,
		    "lease: it is shorter than 3 round trips to the server, which take %d ms each: make it "
		    "longer",
		    least / 1000);
	return rc;
}

void store_nodes_joined(struct nodes_feed *feed, bool again)
{
	if (!again) {
		feed->cursor = 0;
		memset(feed->owners, 0, sizeof(feed->owners));
	}
	/* After a new epoch everything is loaded anew before anything is listened to. */
	feed->read = again && feed->cursor > 0;
	feed->anew = false;
}

void store_nodes_moved(struct store_link *link, struct nodes_place *place,
    const struct nodes_moved *moved, int64_t server)
{
	*place = (struct nodes_place){.server = server};
	if (moved->replaced || moved->behind) {
		link->behind = link->epoch;
		log_error(link->log, "store '%s': %s: jobs that are known here as they were later are written there again, "
				     "each is named",
		    link->config->name,
		    moved->behind ? "another server has taken its place, or it was started from older files, which lacks "
				    "what the one before had answered"
				  : "another server has taken its place");
	}
	if (moved->unsure) {
		link->unsure = link->epoch;
		log_error(link->log,
		    "store '%s': another server has taken its place since this node was here: what it had done last may be "
		    "gone with the other: its jobs are held, each is named",
		    link->config->name);
	}
}

void store_nodes_loaded(struct nodes_feed *feed, const uint32_t owners[NODE_SLOTS],
    const struct store_places *places, int64_t cursor, struct store_loading *loading)
{
	memcpy(feed->owners, owners, sizeof(feed->owners));
	feed->cursor = cursor;
	feed->read = true;
	store_loading_slots(loading, feed->owners, places);
}

/* ---- The feed ---- */

struct nodes_reading {
	struct store_link *link;
	const struct nodes_driver *driver;
	struct store_watching *watching;
	bool slots; /* they have changed */
};

static int nodes_read_line(
    struct nodes_reading *reading, const struct nodes_line *line, struct schedd_error *err)
{
	struct store_link *link = reading->link;
	bool others = line->origin != link->node;

	if (strcmp(line->kind, NODES_LINE_SLOT) == 0)
		reading->slots = true;
	else if (strcmp(line->kind, NODES_LINE_JOB) == 0)
		return others ? reading->driver->reread(link, line->id, reading->watching, err) : 0;
	else if (strcmp(line->kind, NODES_LINE_TEXT) == 0)
		return others ? reading->driver->text(link, line->id, reading->watching, err) : 0;
	else if (line->target == link->node)
		store_watching_told(
		    reading->watching, line->origin, line->kind, line->id, line->body);
	return 0;
}

static int nodes_take_line(const struct nodes_line *line, void *context, struct schedd_error *err)
{
	struct nodes_reading *reading = context;
	struct nodes_feed *feed = reading->driver->feed(reading->link);
	int rc;

	/* Lines were thrown away that we have not seen: we were gone for that long. */
	feed->anew = line->seq != feed->cursor + 1;
	if (feed->anew)
		return store_link_fail(reading->link, STORE_FAULT_FENCED, err,
		    "what others wrote meanwhile is not kept any more; all is read anew");
	rc = nodes_read_line(reading, line, err);
	if (rc == 0)
		feed->cursor = line->seq;
	return rc;
}

/* Who has which is told behind the counters of those that are ours now. */
static int nodes_look_at_slots(struct nodes_reading *reading, struct schedd_error *err)
{
	struct store_link *link = reading->link;
	struct nodes_feed *feed = reading->driver->feed(link);
	struct store_places places = {.count = 0};
	uint32_t owners[NODE_SLOTS];
	bool gained[NODE_SLOTS], any = false;
	int rc = reading->driver->slots(link, owners, &places, err);

	for (uint32_t slot = 0; slot < NODE_SLOTS && rc == 0; slot++) {
		gained[slot] = owners[slot] == link->node && feed->owners[slot] != link->node;
		any |= gained[slot];
	}
	/* Of places it is not known which were ours before. */
	for (uint32_t i = 0; i < places.count && rc == 0; i++)
		any |= places.items[i].node == link->node;
	if (rc == 0 && any)
		rc = reading->driver->gained(link, gained, reading->watching, err);
	if (rc == 0) {
		memcpy(feed->owners, owners, sizeof(feed->owners));
		store_watching_slots(reading->watching, feed->owners, &places);
	}
	store_places_clear(&places);
	return rc;
}

static int nodes_read(struct store_link *link, const struct nodes_driver *driver,
    struct store_watching *watching, struct schedd_error *err)
{
	struct nodes_reading reading = {link, driver, watching, false};
	int64_t count = 0;
	int rc;

	do
		rc = driver->lines(link, driver->feed(link)->cursor, NODES_LINES, nodes_take_line,
		    &reading, &count, err);
	while (rc == 0 && count == NODES_LINES);
	return rc == 0 && reading.slots ? nodes_look_at_slots(&reading, err) : rc;
}

/* ---- Those whose lease is over ---- */

static int nodes_take(
    uint32_t node, uint64_t epoch, const char *name, void *context, struct schedd_error *err)
{
	struct nodes_reading *reading = context;
	struct store_link *link = reading->link;
	bool taken = false;
	int rc;

	store_watching_taken(reading->watching, name);
	rc = reading->driver->take(link, node, epoch, reading->watching, &taken, err);
	/* Definitions that he had changed come first, then what is due of his. */
	if (rc == 0 && taken)
		rc = nodes_read(link, reading->driver, reading->watching, err);
	store_watching_taken_end(reading->watching, rc == 0 && taken);
	/* What we may have taken and were not told of is only found by loading all. */
	if (rc && (taken || link->fault != STORE_FAULT_NONE) && link->fault != STORE_FAULT_FENCED) {
		reading->driver->feed(link)->anew = true;
		rc = store_link_fail(link, STORE_FAULT_FENCED, err,
		    "the connection ended while node '%s' was taken over; all is read anew", name);
	}
	return rc;
}

/* One of the nodes throws away what all have seen. */
static int nodes_tidy(
    struct store_link *link, const struct nodes_driver *driver, struct schedd_error *err)
{
	struct nodes_feed *feed = driver->feed(link);
	int64_t now = link->clock->mono(link->clock->context).us;
	schedd_span keep = NODES_KEEP_LEASES * link->config->lease;

	if (feed->owners[0] != link->node || now < feed->tidy_at)
		return 0;
	feed->tidy_at = now + SCHEDD_MINUTE;
	return driver->tidy(link, keep > NODES_KEEP_LEAST ? keep : NODES_KEEP_LEAST, err);
}

/* A failure on a good connection would leave the feed standing still. */
static int nodes_broken(struct store_link *link, int rc)
{
	if (rc && link->fault == STORE_FAULT_NONE)
		link->fault = STORE_FAULT_GONE;
	return rc;
}

int store_nodes_listen(struct store_link *link, const struct nodes_driver *driver,
    struct store_watching *watching, struct schedd_error *err)
{
	struct nodes_reading reading = {link, driver, watching, false};
	int64_t before;
	int rc;

	/* Before all is loaded: only to see that it is there. */
	if (!driver->feed(link)->read)
		return nodes_broken(link, driver->ping(link, err));
	before = driver->feed(link)->cursor;
	rc = nodes_read(link, driver, watching, err);
	link->told = rc == 0 && driver->feed(link)->cursor != before;
	if (rc == 0 && link->look)
		rc = driver->dead(link, nodes_take, &reading, err);
	if (rc == 0)
		rc = nodes_tidy(link, driver, err);
	return nodes_broken(link, rc);
}

int store_nodes_refresh(struct store_link *link, const struct nodes_driver *driver, const char *id,
    struct store_watching *watching, struct schedd_error *err)
{
	int rc = store_nodes_listen(link, driver, watching, err);

	return rc ? rc : nodes_broken(link, driver->others(link, id, watching, err));
}

/* ---- Words ---- */

bool store_nodes_told(const char *key)
{
	static const char *const told[] = {"group.", "part.", "paused.", "scheduler.paused"};

	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
		if (strncmp(key, told[i], strlen(told[i])) == 0)
			return true;
	return false;
}

bool store_nodes_note(const char *key, char job[JOB_ID_MAX + 1], uint32_t *number)
{
	const char *slash = strncmp(key, "after.", 6) == 0 ? strchr(key, '/') : NULL;

	return slash && run_parse_id(slash + 1, job, number);
}

int store_nodes_held(
    struct store_link *link, const char *holder, const char *since, struct schedd_error *err)
{
	return store_link_fail(link, STORE_FAULT_HELD, err,
	    "node '%s' is %s already, started at %s: give one of them another node.name",
	    link->config->node, holder, since);
}

int store_nodes_misunderstood(struct store_link *link, const char *name, const char *version,
    uint32_t protocol, struct schedd_error *err)
{
	bool older = protocol < NODE_PROTOCOL;

	return store_link_fail(link, STORE_FAULT_REFUSED, err,
	    "node '%s' runs schedd %s, which is too %s for %s: nodes understand each other one step "
	    "apart (it speaks %u, this one %d): %s",
	    name, version, older ? "old" : "new", SCHEDD_VERSION, (unsigned)protocol, NODE_PROTOCOL,
	    older ? "upgrade that one first, by a version in between" : "upgrade this one");
}

int store_nodes_fenced(struct store_link *link, struct schedd_error *err)
{
	return store_link_fail(link, STORE_FAULT_FENCED, err,
	    "this node's lease was over, others have taken its jobs");
}
