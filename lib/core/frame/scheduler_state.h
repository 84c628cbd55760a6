/* SPDX-License-Identifier: MIT */
/*
 * What a scheduler consists of; shared by the files of lib/core alone.
 *
 * The folders of lib/core are rooms; a room needs itself and those below it:
 * top, ask, share, changes, keep, runs, jobs, frame.
 *
 * The path of a due job: tick.c takes it off the due queue, due.c and misfire.c
 * decide what its fire times become, claim.c makes that durable, admission.c
 * holds it until an instance, its group and a worker are free, dispatch.c
 * starts it, and outcome.c ends it. Requests go through change.c, one at a time
 * per job.
 *
 * A callback from outside (executor, store, timer, caller) is bracketed by
 * scheduler_enter() and scheduler_leave(); what was put off until the
 * scheduler comes to rest (starting what is ready, writing rows of ended runs,
 * setting alarms) is done by the outermost leave, which walks a table that the
 * top room fills: so the frame needs none of those who rest in it.
 */
#ifndef SCHEDD_CORE_FRAME_SCHEDULER_STATE_H
#define SCHEDD_CORE_FRAME_SCHEDULER_STATE_H

#include "base/siphash.h"
#include "base/heap.h"
#include "base/histogram.h"
#include "base/log.h"
#include "base/strmap.h"
#include "core/frame/event_ring.h"
#include "core/frame/place_slots.h"
#include "core/frame/timers.h"
#include "core/scheduler.h"
#include "executor/executor.h"
#include "loop/alarm.h"
#include "model/job_pool.h"
#include "model/node.h"

/* Stores of one scheduler. */
#define SCHEDULER_STORES_MAX 64

struct change;
struct dump;
struct entry_waiter;
struct undump;
struct claim_batch;
struct entry;
struct gone_jobs;
struct handover;
struct janitor;
struct job_move;
struct job_start;
struct moved_note;
struct moved_record;
struct store_parcel;
struct store_name;
struct stores_check;
struct run;
struct run_live;
struct share;
struct share_ask;
struct share_later;
struct store_await;

/* A store and what is on its way to it. */
struct store_slot {
	struct schedd_scheduler *scheduler;
	struct store_slot *next;    /* of those that were removed */
	struct store *store;        /* NULL: removed */
	char *name;                 /* owned; lives as long as the scheduler */
	struct store_snapshot *snapshot; /* what it had when it was read; NULL: taken up */
	uint32_t left;              /* of its runs, that found no memory to be taken up */
	char left_of[NODE_NAME_MAX + 1]; /* likewise: the dead node whose they were; "": our own */
	struct timer again;         /* likewise: then they are tried again */
	int load_rc;                /* how reading it ended; 1: it has not */
	bool taken_up;              /* its jobs were read, at least once */
	/* Of one that is added while the scheduler runs: it is open, refused, or was read (or not).
	 * NULL: nobody waits for it. */
	void (*waited)(struct store_slot *slot, const struct schedd_error *why);
	struct stores_adding *adding; /* likewise: the request */
	bool leaving;               /* it is taken out: what still comes of it is of no interest */
	uint64_t epoch;             /* of its owner when they were */
	struct schedd_error load_err;
	bool durable;               /* outlives the process: intermediate states are written too */
	struct store_batch *outbox; /* rows of runs, not committed yet; NULL: none */
	uint32_t outbox_count;      /* of rows in it */
	struct store_parcel *parcel;    /* copies of the rows in a durable store's outbox */
	struct store_parcel *unwritten; /* rows that the store refused; NULL: none */
	uint64_t sent;                  /* parcels that were committed, which are numbered so */
	uint32_t in_flight;             /* of them, not answered yet */
	struct store_await *awaits;     /* who waits for those; see store_await.h */
	int64_t behind_since;             /* monotonic: there are such; 0: there are none */
	struct store_name *origins;       /* stores that have runs of its jobs; see store_origin.h */
	struct store_name *shadows;       /* jobs in it that are not used, as another has them */
	uint32_t outbox_most;             /* runs that ended and wait for it with their output */
	uint32_t dropping;                /* that lost their output since it failed */
	uint64_t dropped;                 /* likewise since the start */
	uint32_t entries;                 /* jobs that live in it */
	uint32_t stalled;                 /* runs that have their turn when it works again */
	uint64_t failures;                /* commits that failed since the start */
	schedd_span backoff;              /* between attempts; 0: it works */
	struct schedd_mono retry_at;      /* while failing: nothing is tried again before */
	struct timer retry;               /* then it is */
	bool shared;                      /* other daemons have it too */
	bool unsure;                      /* shared: of what was taken up last more may be over than was stored */
	uint32_t owed;                    /* shared: changes under way that write what its server lost; see change_owe() */
	bool again_read;                  /* shared: it is read under another epoch of this life */
	struct gone_jobs *gone;           /* shared: jobs that were removed of late; NULL: none */
	const uint8_t *elsewhere;         /* shared: by slot of its jobs, is it another node's? */
	struct place_slots places;        /* shared: slots of jobs that say where they may run */
	struct share *share;              /* the room share's; NULL: it is not shared */
	bool failing;                     /* the last commit failed */
	char last_error[256];             /* why it failed last; "": never */
};

/* An executor and the runs that wait for one of its workers. */
struct executor_slot {
	struct executor *executor; /* NULL: removed and closed */
	char *name;                /* owned; lives as long as the scheduler */
	struct heap ready; /* of run_live.queue, by priority, then age */
	uint32_t entries;  /* jobs that use it */
	uint32_t expected; /* claims under way of runs that are to start at once */
	uint32_t marking;  /* runs whose beginning is on the way to their store */
	uint16_t place;    /* in scheduler.executors, for good */
	bool removed;      /* no new jobs; kept for those that run */
};

/* A named group with a limit of its own. */
struct group_slot {
	char *name;
	uint32_t parallel;   /* 0: no limit */
	uint32_t running;    /* runs that hold a place */
	uint32_t expected;   /* claims under way of runs that are to take one */
	struct heap waiting; /* of run_live.queue, by priority, then age */
};

enum scheduler_phase {
	SCHEDULER_NEW, /* parts may be added */
	SCHEDULER_RUNNING,
	SCHEDULER_DRAINING, /* nothing new starts */
	SCHEDULER_STOPPED,
};

struct scheduler_drain_state {
	struct scheduler_reply reply;
	struct timer limit; /* then runs are ended */
	enum scheduler_drain_how how;
	bool ending; /* the limit is over: runs were signalled */
};

/* Counters for status and metrics, since the start. */
struct scheduler_counts {
	uint64_t fires;               /* fire times claimed as runs */
	uint64_t started;             /* attempts */
	uint64_t ended[RUN_LOST + 1]; /* runs by their final state */
	uint64_t missed_times;        /* fire times in missed rows */
	uint64_t skipped_times;       /* fire times in skipped rows */
	uint64_t coalesced;           /* fire times counted on runs */
	uint64_t ticks;
	int64_t lateness_max; /* µs between due and start, worst */
	int64_t lateness_sum; /* µs over all starts */
	struct histogram delays;    /* from due to start, of scheduled runs */
	struct histogram durations; /* of runs that started and ended */
	uint64_t notify_failed;
	uint64_t notify_dropped;
};

/*
 * What each room keeps. The frame's is the scheduler itself, which all may use;
 * each of these is touched by the files of its room alone.
 */
struct jobs_room {
	scheduler_guard_fn guard; /* of what accounts give their jobs; NULL: nothing is refused */
	void *guard_context;
	scheduler_account_fn account_judge; /* NULL: accounts may have what they want */
	void *account_context;
	struct strmap account_slots;    /* struct account_slot by name */
	struct job_pool *definitions;   /* what many jobs share of theirs */
	struct account_cache *accounts; /* those that new jobs name; NULL: none did yet */
	struct offloop *looks;          /* at files that new jobs name; NULL: none yet */
	struct strmap entries;          /* struct entry by id */
	struct entry **sorted;          /* the same in the order of ids; see entry_order.c */
	uint16_t *sorted_slots;         /* of each of these; NULL: not wanted yet; see entry_slots.c */
	uint32_t sorted_count;          /* entries in order, holes included */
	uint32_t sorted_tail;           /* others behind them */
	bool sorted_tail_ordered;       /* but they came in order */
	uint32_t sorted_holes;
	uint32_t sorted_capacity;
	struct entry **exhausted; /* jobs that ran for the last time, to be removed */
	uint32_t exhausted_count, exhausted_capacity;
	bool exhausted_left;          /* others, which found no memory to be noted or removed */
	struct timer exhausted_again; /* likewise: then they are looked for */
	uint32_t visible; /* entries that are jobs (not being added) */
	uint32_t paused;
	struct strmap owners;    /* how many jobs each has; see owners.c */
	bool owners_unknown;     /* memory ran out for that */
	uint32_t own_retention; /* jobs with limits of their own for their history */
	struct heap due;        /* of entry.due, by wall time: of the daemon's own; see due_queue.c */
	struct heap due_accounts;      /* of account_slot.due_node, by their earliest entry */
	struct account_slot *due_ring; /* accounts whose entries are dealt; NULL: none */
	uint32_t due_ring_count;       /* of them */
	bool due_ring_grown;           /* one of them has had no turn yet */
	bool due_own_last;             /* whose turn was last */
	struct strmap after;    /* struct after_list by the id that is waited for */
	struct executor_slot **executors;
	uint32_t executor_count;
};

struct runs_room {
	struct strmap groups;  /* struct group_slot by name */
	struct run_live *live; /* all runs that have not ended */
	uint32_t live_count;
	uint32_t running_count; /* attempts under way */
	struct run_live *unwritten; /* whose process their rows do not say yet; see run_process.h */
	struct timer write;         /* of those */
	struct run_live *spare; /* recycled */
	uint32_t spare_count;
	uint64_t turn;      /* of the run that was started last; see admission.c */
	uint64_t own_turn;  /* of the daemon's own run that was queued last */
	uint32_t tidying;   /* pieces of work on the directories of output that are not done */
	bool tidy_again;    /* output has to be looked at once more after them */
	struct schedd_mono disk_looked; /* when disk_free was found; 0: not yet */
	int64_t disk_free;
};

struct keep_room {
	struct notifier *notifier; /* tells people; NULL: it was not needed yet */
	char notify_error[256];    /* why it failed last; "": never */
	char *sendmail;            /* for mail; NULL: /usr/sbin/sendmail */
	struct retention *retention;
	struct output_sweep *sweep; /* of output without history */
	struct account_history *account_history;
};

struct changes_room {
	struct claim_batch *spare_batch;
	uint64_t round;              /* of pieces of ticks that accounts share; see tick.c */
	uint32_t round_claims;       /* batches of it that are on their way to their stores */
	struct schedd_mono round_until; /* when the next one begins, whatever has become of them */
	struct apply *applies; /* job files that wait for jobs to be idle */
	struct apply *applying; /* the one that is taken up, until it is committed; NULL: none */
	struct apply *committing; /* those whose commit is under way, or whose jobs are being told */
	struct job_move *moves;   /* jobs on their way to another store */
	struct job_start *starts; /* runs that a store refused to claim */
};

struct share_room {
	scheduler_asked_fn asked; /* what another node asks of the program around; NULL: nothing */
	void *asked_context;      /* passed back, not owned */
	struct share_ask *asks;   /* not answered yet */
	uint64_t ask;             /* number of the latest */
	struct share_later *later; /* who looks again in a moment */
	uint32_t told;            /* asks of others that are not answered yet */
};

struct ask_room {
	struct scheduler_wait *waits;
};

struct top_room {
	bool loaded;   /* the stores were read */
	char *boot_id; /* NULL: unknown */
	bool booted;   /* first start after a boot */
	const char *taken_from;        /* the dead node whose runs are taken over; NULL: they are our own */
	struct process_census *census; /* while starting: who says he belongs to a run; NULL: not asked yet */
	struct mailbox_letter hear; /* comes back until ends were heard of: then it ticks */
	uint32_t hearing;           /* turns left; 0: it is not under way */
	struct scheduler_drain_state drain;
	struct moved_note *moved_notes;     /* of moves, not settled yet */
	struct moved_record *moved_records; /* jobs whose id another store has */
	void (*moved_resume)(struct store_slot *slot, const char *id); /* see moved.h */
	struct scheduler_mover *movers;     /* requests that move jobs between stores */
	struct dump *dumps;                 /* backups being written */
	struct undump *undumps;             /* backups being read */
	struct stores_check *checks; /* of stores, under way */
	struct stores_adding *adding; /* stores that are being added */
	struct stores_leaving *leaving; /* stores that are taken out */
	struct handover *handover; /* from the program before; NULL: none, this is a start */
	struct scheduler_thread *thread; /* NULL: driven by the caller */
};

/* What was put off until the scheduler comes to rest. */
typedef void (*scheduler_rest_fn)(struct schedd_scheduler *scheduler);
/* The run is over: row, event, those who wait for it. live is gone after it. reason may be NULL. */
typedef void (*run_ended_fn)(struct run_live *live, enum run_state state, const char *reason);
/* The store did not take that row of a run that had not ended. */
typedef void (*run_refused_fn)(struct store_slot *store, const struct run *row);
/*
 * A run that no request asked for, of a job that is another node's; note may be NULL. False: it is
 * nobody's for now.
 */
typedef bool (*run_elsewhere_fn)(
    struct entry *entry, enum run_trigger trigger, const char *because, const char *note);
/* A dead node's open runs are ours: its snapshot is in the slot. */
typedef void (*runs_taken_fn)(struct store_slot *slot, const char *node);

/* A node of a store that is shared has paused all jobs; why NULL: resumed them. */
typedef void (*pause_told_fn)(struct schedd_scheduler *scheduler, const char *why);

struct schedd_scheduler {
	struct schedd_loop *loop; /* NULL only while being made */
	bool loop_owned;
	const struct schedd_clock *clock;
	const struct schedd_log *log;
	char *state_dir;              /* NULL: output in memory */
	char *socket;                 /* NULL: none */
	char *timezone;               /* as configured; NULL: the machine's */
	struct spawn_inherit inherit; /* as the scheduler was found, before anything changed it */
	struct spawner_pool *spawners; /* of all executors; NULL: no executor needs them yet */
	char *cgroup;                 /* under which runs get theirs; NULL: none */
	struct scheduler_settings settings;

	struct zone_cache *zones;
	struct trigger_cache *triggers; /* those that many jobs share */
	struct zone_local zone;
	struct trigger_context trigger; /* what scheduler_trigger_context() answers */
	char host[256];

	struct mailbox *mailbox;
	struct alarm *wall_alarm;
	struct alarm *mono_alarm;
	schedd_time wall_set; /* what the alarms were set to last */
	struct schedd_mono mono_set;
	struct timers timers;
	schedd_time seen; /* what time it was at the latest end of a run */
	uint64_t touched; /* counts scheduler_enter() and scheduler_leave() */
	uint32_t depth;   /* of scheduler_enter() */
	const scheduler_rest_fn *rest; /* done when it comes to rest, in order; ends with NULL */
	/* Appends the end of the output of a run that ended, as output_source_last(); set by the top. */
	void (*output_last)(const struct schedd_scheduler *scheduler, const char *job, uint32_t number,
	    const struct output *output, struct strbuf *out);
	/* Removes the output of a run that ended; set by the top. */
	void (*output_drop)(struct schedd_scheduler *scheduler, const char *job, uint32_t number);
	run_ended_fn run_ended;        /* the one door for the end of a run */
	run_refused_fn run_refused;    /* set by the room of runs */
	run_elsewhere_fn run_elsewhere;
	/* Name of the node that has a job; NULL: nobody, or its store is not shared; set by the top. */
	const char *(*node_of)(const struct entry *entry);
	runs_taken_fn runs_taken;
	pause_told_fn pause_told;
	bool tick_again;  /* a tick stopped half-way to let the loop turn */
	bool start_again; /* so did starting what is ready */
	bool handing_over; /* while draining: another program goes on with what is left */
	enum scheduler_phase phase;
	bool paused;      /* all jobs */
	char *paused_why; /* "scheduler paused by uid 0"; owned; NULL: not paused */
	schedd_time paused_at;
	schedd_time started_at;
	schedd_time down_since; /* when the last process was seen alive; NONE: never */
	uint64_t random;        /* state of scheduler_random() */
	uint8_t key[SIPHASH_KEY]; /* of the runs' invocations; see core/runs/invocation.h */

	struct store_slot **stores;
	uint32_t store_count;
	struct store_slot *default_store; /* that of the scheduler itself; NULL: not opened yet */
	struct store_slot *retired; /* removed ones, for their names */
	struct function_table *functions;

	struct event_ring events;
	struct janitor *janitor; /* for work on directories */
	struct scheduler_counts counts;

	struct jobs_room jobs;
	struct runs_room runs;
	struct keep_room keep;
	struct changes_room changes;
	struct share_room share;
	struct ask_room ask;
	struct top_room top;
};

/* Brackets every callback; see above. */
void scheduler_enter(struct schedd_scheduler *scheduler);
void scheduler_leave(struct schedd_scheduler *scheduler);
schedd_time scheduler_now(const struct schedd_scheduler *scheduler);
struct schedd_mono scheduler_mono(const struct schedd_scheduler *scheduler);
/* 64 random bits, for jitter and ids. */
uint64_t scheduler_random(struct schedd_scheduler *scheduler);
/* "uid 1000" for reasons. */
const char *scheduler_actor_text(const struct scheduler_actor *actor, char *text, size_t size);
/* Answers, if somebody is interested. */
void scheduler_answer(struct scheduler_reply reply, int rc, const struct schedd_error *err,
    const struct value *result);
/* The same with what was built in that arena: nil where it failed, for it has been done already. */
void scheduler_answer_done(struct scheduler_reply reply, int rc, const struct schedd_error *err,
    const struct value *result, const struct arena *arena);
/* Of a question: out of memory, where the arena failed that the answer was built in. */
void scheduler_answer_built(
    struct scheduler_reply reply, const struct value *result, const struct arena *arena);

#endif
