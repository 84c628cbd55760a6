/* SPDX-License-Identifier: MIT */
/*
 * A store on a server. What all of them have in common is here: the threads,
 * the state machine (connecting, ok, away, …), back-off and time-outs, batches
 * that wait or whose outcome is unknown, loading in pieces, questions on a
 * connection of their own, options, secrets. A type adds a driver: functions
 * that talk to its server, each called on one thread at a time, that may block
 * until their deadline and never longer.
 *
 *	const struct store_ops store_x_ops = STORE_REMOTE_OPS("x", &x_driver);
 *	SCHEDD_API const struct schedd_module schedd_module = {.abi = SCHEDD_MODULE_ABI,
 *	    .name = "store_x", .version = SCHEDD_VERSION, .store = &store_x_ops};
 */
#ifndef SCHEDD_STORE_STORE_REMOTE_H
#define SCHEDD_STORE_STORE_REMOTE_H

#include "store/store_batch.h"
#include "store/store_query.h"
#include "store/store_retention.h"
#include "store/store_stats.h"
#include "store/store_url.h"

#define STORE_DURABILITY_MAX 288 /* bytes of the sentence about it, with the NUL */

/* What is configured, read and checked. */
struct store_remote_config {
	const char *name;      /* alias, for sentences */
	struct store_url url;  /* its password already taken from password_file where that is given */
	const char *prefix;    /* of keys; NULL: the type's default */
	bool compact;          /* the server may be told to forget what was; of drivers that compact */
	const char *tls_ca;    /* file; NULL: none */
	const char *tls_cert;  /* likewise */
	const char *tls_key;   /* likewise */
	const char *identity;  /* of this daemon, the same over restarts: for locks and leases */
	const char *life;      /* of this opening: another one with the same identity is our successor */
	const char *holder;    /* for people: host and pid, to tell others who holds the store */
	schedd_span connect_timeout;
	schedd_span timeout;   /* of one call */
	schedd_span lease;     /* for servers without sessions, and of a node */
	bool shared;           /* with other daemons, which are nodes beside us */
	const char *node;      /* shared: our name among them */
	const char *labels;    /* likewise: as node_labels_read() */
};

/* Why a driver's call failed, beyond what its sentence says: what becomes of the connection. */
enum store_fault {
	STORE_FAULT_NONE,      /* this request was refused, the connection is good */
	STORE_FAULT_GONE,      /* the connection is gone or unusable; nothing of the batches is stored */
	STORE_FAULT_UNKNOWN,   /* it went after the commit was sent */
	STORE_FAULT_READ_ONLY, /* the server takes no writes: nothing is stored */
	STORE_FAULT_HELD,      /* another daemon owns it */
	STORE_FAULT_REFUSED,   /* will not get better by itself: password, schema, rights */
	STORE_FAULT_FENCED,    /* another daemon has become the owner: nothing is stored */
};

/* One connection: the writer's (jobs, claims, the owner's lock) or the asker's (questions). */
struct store_link {
	const struct store_remote_config *config;
	const struct schedd_log *log;
	const struct schedd_clock *clock;
	const struct store_host *host;  /* encode() alone */
	const struct store *store;      /* whose it is; for store_op_verdict() */
	bool writer;                    /* false: the asker's */
	int64_t deadline;               /* of this call; schedd_clock_system()'s mono, microseconds */
	enum store_fault fault;         /* set by store_link_fail() */
	uint64_t epoch;                 /* the writer sets it when it owns the store */
	uint32_t node;                  /* shared: our number; the writer sets it with the epoch */
	uint64_t behind;                /* shared: the epoch under which the server lacks what it had; 0: none */
	uint64_t unsure;                /* shared: the epoch that began so, see store_unsure(); 0: none */
	bool look;                      /* shared: a lease may be over, idle() is to look */
	bool told;                      /* shared: there is news, idle() is to be called soon */
	char durability[STORE_DURABILITY_MAX]; /* the writer sets what the server promises; "" */
	void *state;                    /* the driver's own, size bytes, zeroed when it was made */
};

/* Milliseconds until the deadline, at least 0; for poll(). */
int store_link_left(const struct store_link *link);
/*
 * Fails a call: sets link->fault and the sentence behind "store 'NAME': ", without any password.
 * Returns SCHEDD_EFAILED.
 */
int store_link_fail(struct store_link *link, enum store_fault fault, struct schedd_error *err,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* ---- What a driver hands over while it answers ---- */

/* Slots of places while they are read, see store_share.h; begins as {.count = 0}. */
struct store_places {
	struct store_place *items;
	uint32_t count, capacity;
	bool failed; /* no memory for one: those that are told them will not be told */
};
void store_places_add(struct store_places *places, uint32_t slot, uint32_t node);
void store_places_clear(struct store_places *places);

/* What claims change, kept beside the definition. */
struct store_counters {
	schedd_time next_fire;
	schedd_time next_run_time;
	uint64_t run_count;
	uint32_t last_run;
};

struct store_loading;
/* A job as it was encoded. Negative: stop, nobody waits any more. */
int store_loading_job(struct store_loading *loading, const char *id, const char *json,
    size_t length, const struct store_counters *counters);
void store_loading_number(struct store_loading *loading, const char *key, int64_t number);
void store_loading_text(struct store_loading *loading, const char *key, const char *text);
/* An open run, oldest first; where jobs_alone, any run. */
void store_loading_run(struct store_loading *loading, const struct run *run);

/* Of a store that is shared: who has which slot, as of the moment of loading; before its jobs. */
void store_loading_slots(struct store_loading *loading, const uint32_t owners[NODE_SLOTS],
    const struct store_places *places);

struct store_asked;
/* A run, newest first. False: there are enough, stop. What does not match is passed over. */
bool store_asked_run(struct store_asked *asked, const struct run *run);
/* A change, newest first. */
void store_asked_change(
    struct store_asked *asked, schedd_time when, const char *job, const char *json);
/* A run that was done since then, for counting: job, state, times and count. */
void store_asked_count(struct store_asked *asked, const struct run *run);

struct store_kept;
void store_kept_output(struct store_kept *kept, const char *bytes, size_t length);

/* What another wrote; from the writer's idle() or notified(). json NULL: the job is gone. */
struct store_watching;
void store_watching_job(struct store_watching *watching, const char *id, const char *json,
    size_t length, const struct store_counters *counters);

/* ---- Of a store that is shared: what idle() hands over, in the order of the store's commits ---- */

void store_watching_text(struct store_watching *watching, const char *key, const char *text);
/* A job of another's, or of a slot that has just become ours. */
void store_watching_counted(struct store_watching *watching, const struct store_counted *job);
void store_watching_slots(struct store_watching *watching, const uint32_t owners[NODE_SLOTS],
    const struct store_places *places);
void store_watching_told(struct store_watching *watching, uint32_t origin, const char *what,
    const char *id, const char *text);
/* A dead node's open runs and all texts, until _taken_end() says whether it was taken over. */
void store_watching_taken(struct store_watching *watching, const char *from);
void store_watching_taken_run(struct store_watching *watching, const struct run *run);
void store_watching_taken_text(struct store_watching *watching, const char *key, const char *text);
void store_watching_taken_end(struct store_watching *watching, bool taken);

struct store_renewing;
/* What the beat says of us. */
struct store_beat {
	uint32_t node;
	uint64_t epoch;
	int64_t jobs, running;
	double load;
	schedd_span offset; /* our clock less the store's, when it was seen last */
};
const struct store_beat *store_renewing_beat(const struct store_renewing *renewing);
/* A node, ourselves too, by name; and what the store's clock said. */
void store_renewing_node(struct store_renewing *renewing, const struct store_node *node);
void store_renewing_clock(struct store_renewing *renewing, schedd_time now);

/*
 * Of a type that can be shared. Beside what struct store_driver says: connect()
 * of the writer's link joins the nodes (STORE_FAULT_HELD: another has our name,
 * with its address and start) and sets node and epoch, the same where the lease
 * was not taken; the lease's link comes through connect() as the asker's does.
 * commit() refuses (STORE_FAULT_FENCED) under an epoch that is over, compared
 * in its transaction; claims compare the revision too. idle() reads what the
 * others have written, and takes over those whose lease is over.
 */
struct store_share_driver {
	/* On the lease's link. STORE_FAULT_FENCED: the epoch is over. */
	int (*renew)(struct store_link *link, struct store_renewing *renewing,
	    struct schedd_error *err);
	/* As store_share_refresh(), on the writer's link. */
	int (*refresh)(struct store_link *link, const char *id, struct store_watching *watching,
	    struct schedd_error *err);
	/* On the asker's link: store_kept_output() with what was put of the run. NULL: none is kept. */
	int (*output)(struct store_link *link, const char *job, uint32_t number,
	    struct store_kept *kept, struct schedd_error *err);
};

/*
 * Each returns 0 or a negative code with the sentence in err; failures of the
 * connection go through store_link_fail(). "May be NULL" is said where it may.
 */
struct store_driver {
	size_t size;               /* of link->state */
	const char *const *params; /* that may stand in the url; NULL-terminated */
	const char *schemes;       /* "redis, rediss": that the url may begin with; "none": with none */
	/*
	 * It keeps no history, as another store does: of runs it has a row until they are purged one
	 * by one, and answers all of them in load(). Changes never come to it.
	 */
	bool jobs_alone;
	bool compacts; /* it has the option compact */

	/* On the loop's thread, before any link: is the url one it can use? Must not block. */
	int (*check)(const struct store_remote_config *config, struct schedd_error *err);

	/*
	 * Reaches the server within link->deadline, logs in. The writer's: makes or migrates the
	 * schema, takes the owner's lock (STORE_FAULT_HELD: who holds it and since when), sets epoch
	 * and durability.
	 */
	int (*connect)(struct store_link *link, struct schedd_error *err);
	/* Also after a failed connect. Must not block. */
	void (*disconnect)(struct store_link *link);
	/*
	 * Stores the batches from first up to, not including, end, as one, with their ids, under
	 * link->epoch; fills in claims' and added jobs' given. What store_op_void() says is passed
	 * over. Called again for single batches when a group was refused.
	 */
	int (*commit)(struct store_link *link, struct store_batch *first, struct store_batch *end,
	    struct schedd_error *err);
	/*
	 * After STORE_FAULT_UNKNOWN, on a new connection: was the group that began with that batch
	 * stored? If so fills in what commit() would have. Must be sure: nothing of the old
	 * connection may still be under way.
	 */
	int (*resolve)(struct store_link *link, struct store_batch *first, struct store_batch *end,
	    bool *stored, struct schedd_error *err);
	int (*load)(
	    struct store_link *link, struct store_loading *loading, struct schedd_error *err);
	/* One job, by store_watching_job(); gone or there. */
	int (*reread)(struct store_link *link, const char *id, struct store_watching *watching,
	    struct schedd_error *err);
	int (*last_run)(
	    struct store_link *link, const char *id, int64_t *out, struct schedd_error *err);
	/* While nothing is asked: every `beat`, and when fd() is readable. Keeps the lease, finds out
	 * that the server is gone. NULL: nothing to do. */
	schedd_span beat;
	int (*idle)(
	    struct store_link *link, struct store_watching *watching, struct schedd_error *err);
	/* To be watched while idle; -1: nothing. May be NULL. */
	int (*fd)(const struct store_link *link);

	/* Nothing wakes it when others write: it is looked at more often while something goes on. */
	bool polls;

	/* Several daemons may share it; NULL: they cannot. */
	const struct store_share_driver *share;

	/* History; NULL where jobs_alone. */
	int (*runs)(struct store_link *link, const struct store_query *query,
	    struct store_asked *asked, struct schedd_error *err);
	int (*changes)(struct store_link *link, const char *job, schedd_time since, uint64_t limit,
	    struct store_asked *asked, struct schedd_error *err);
	int (*stats)(struct store_link *link, const char *job, schedd_time since,
	    struct store_asked *asked, struct schedd_error *err);
	/* Deletes at most budget rows, oldest first; how many goes to *deleted. */
	int (*retain)(struct store_link *link, const struct store_rules *rules, uint32_t budget,
	    schedd_time now, uint32_t *deleted, struct schedd_error *err);
	/* Rows of runs and bytes taken, for status; -1: not known. May be NULL. */
	int (*sizes)(
	    struct store_link *link, int64_t *runs, int64_t *bytes, struct schedd_error *err);
};

extern const struct job_store_ops store_remote_jobs;
extern const struct history_ops store_remote_history;
/* Bytes of the frame's own struct. */
#define STORE_REMOTE_SIZE 16384

#define STORE_REMOTE_OPS(name, its_driver)                                                         \
	{                                                                                          \
		.type = (name), .durable = true, .needs_url = true, .keeps_jobs = true,            \
		.size = STORE_REMOTE_SIZE, .jobs = &store_remote_jobs,                             \
		.history = &store_remote_history, .driver = (its_driver)                           \
	}

/* The same for a driver of jobs_alone. */
#define STORE_REMOTE_JOBS_OPS(name, its_driver)                                                    \
	{                                                                                          \
		.type = (name), .durable = true, .needs_url = true, .keeps_jobs = true,            \
		.size = STORE_REMOTE_SIZE, .jobs = &store_remote_jobs, .driver = (its_driver)      \
	}

#endif
