/* SPDX-License-Identifier: MIT */
/*
 * What all types do alike of a store that several daemons share: reading the
 * feed of what the others have written, slots that have changed hands, nodes
 * whose lease is over. A type adds how its server is asked.
 *
 * The feed is numbered in the order of the commits and without holes: a line
 * that does not follow the one before says that lines were thrown away which
 * this node has not seen.
 */
#ifndef SCHEDD_STORE_MODULES_STORE_NODES_H
#define SCHEDD_STORE_MODULES_STORE_NODES_H

#include "store/store_remote.h"

/* Kinds of lines beside STORE_TELL_…. */
#define NODES_LINE_JOB "job"   /* that job was written or removed */
#define NODES_LINE_TEXT "text" /* that text was */
#define NODES_LINE_SLOT "slot" /* slots have changed hands, or nodes have come */

struct nodes_line {
	int64_t seq;
	uint32_t origin;  /* who wrote it */
	uint32_t target;  /* for whom it is; 0: for all */
	const char *kind; /* NODES_LINE_…, or of a message */
	const char *id;
	const char *body;
};

/* The writer's link has one in its state, zeroed. */
struct nodes_feed {
	bool read;       /* all was loaded under this epoch, and the feed is read on */
	bool anew;       /* all has to be loaded again: the next join takes a new epoch */
	int64_t cursor;  /* the last line that was read */
	int64_t tidy_at; /* mono microseconds: then old lines are thrown away */
	uint32_t owners[NODE_SLOTS]; /* as they were read last */
};

/* What a link knows of the server that it joined last; the writer's has one in its state, zeroed. */
struct nodes_place {
	int64_t server;  /* which it was, as its type tells; 0: none was joined */
	uint64_t stored; /* serial of the group that was answered as stored last since then */
};

/* Who joins finds: */
struct nodes_moved {
	bool replaced; /* another server has taken the place of the one that was joined last */
	bool behind;   /* it lacks what that one had answered */
	bool unsure;   /* a life of ours before this one joined another server last, and nobody knows what it did there */
};

/* Each returns 0, or stops with what it says. */
typedef int (*nodes_line_fn)(const struct nodes_line *line, void *context, struct schedd_error *err);
typedef int (*nodes_dead_fn)(
    uint32_t node, uint64_t epoch, const char *name, void *context, struct schedd_error *err);

/* How a type's server is asked; each as a function of struct store_driver. */
struct nodes_driver {
	struct nodes_feed *(*feed)(const struct store_link *link);
	/* The server is heard of, and nothing else. */
	int (*ping)(struct store_link *link, struct schedd_error *err);
	/* At most `most` lines behind that one, in order; how many goes to *count. */
	int (*lines)(struct store_link *link, int64_t after, int64_t most, nodes_line_fn call,
	    void *context, int64_t *count, struct schedd_error *err);
	/* One job, as store_driver's. */
	int (*reread)(struct store_link *link, const char *id, struct store_watching *watching,
	    struct schedd_error *err);
	/* One text, by store_watching_text(). */
	int (*text)(struct store_link *link, const char *key, struct store_watching *watching,
	    struct schedd_error *err);
	/* Those of places are added to *places. */
	int (*slots)(struct store_link *link, uint32_t owners[NODE_SLOTS],
	    struct store_places *places, struct schedd_error *err);
	/*
	 * Counters of the jobs of those slots and of all places (more does no harm), by
	 * store_watching_counted().
	 */
	int (*gained)(struct store_link *link, const bool slots[NODE_SLOTS],
	    struct store_watching *watching, struct schedd_error *err);
	/* The same of that job, or (NULL) of all that are others', with what runs of them elsewhere. */
	int (*others)(struct store_link *link, const char *id, struct store_watching *watching,
	    struct schedd_error *err);
	/* Nodes whose lease is over and that nobody has taken over. */
	int (*dead)(struct store_link *link, nodes_dead_fn call, void *context,
	    struct schedd_error *err);
	/*
	 * Ends that epoch, if it still stands and the lease is still over, and takes all the node has,
	 * as one: store_watching_taken_run(), _text(). *taken: it was, and we did.
	 */
	int (*take)(struct store_link *link, uint32_t node, uint64_t epoch,
	    struct store_watching *watching, bool *taken, struct schedd_error *err);
	/* Throws away lines that are older. */
	int (*tidy)(struct store_link *link, schedd_span keep, struct schedd_error *err);
};

/* The lease must be longer than three round trips, which it measures. */
int store_nodes_measure(
    struct store_link *link, const struct nodes_driver *driver, struct schedd_error *err);
/* The writer's link has joined; again: under the epoch that it had. */
void store_nodes_joined(struct nodes_feed *feed, bool again);
/* Behind that: what it has found, which it says. server: the one that it is now. */
void store_nodes_moved(struct store_link *link, struct nodes_place *place,
    const struct nodes_moved *moved, int64_t server);
/* While everything is loaded, of the same moment: who has what, and where the feed stands. */
void store_nodes_loaded(struct nodes_feed *feed, const uint32_t owners[NODE_SLOTS],
    const struct store_places *places, int64_t cursor, struct store_loading *loading);
/* What others wrote since, and whose lease is over. */
int store_nodes_listen(struct store_link *link, const struct nodes_driver *driver,
    struct store_watching *watching, struct schedd_error *err);
/* The same, and what claims have changed of a job of another's; id NULL: of all. */
int store_nodes_refresh(struct store_link *link, const struct nodes_driver *driver, const char *id,
    struct store_watching *watching, struct schedd_error *err);

/* Must the other nodes be told when that text is written? */
bool store_nodes_told(const char *key);
/*
 * Is it a note of what is to follow a run, "after.FOLLOWER/JOB/N"? Then that run. A node that was cut off tells
 * how it ended when the run is lost already and what follows that has begun: such a note is not written.
 */
bool store_nodes_note(const char *key, char job[JOB_ID_MAX + 1], uint32_t *number);
/* Of another node that has our name; since: when it started, for people. */
int store_nodes_held(
    struct store_link *link, const char *holder, const char *since, struct schedd_error *err);
/* A live node speaks what we do not understand. */
int store_nodes_misunderstood(struct store_link *link, const char *name, const char *version,
    uint32_t protocol, struct schedd_error *err);
/* The lease is over, and others have what we had. */
int store_nodes_fenced(struct store_link *link, struct schedd_error *err);

#endif
