/* SPDX-License-Identifier: MIT */
/* What the files of this room share: a store's nodes, and who has which slot. */
#ifndef SCHEDD_CORE_SHARE_SHARE_STATE_H
#define SCHEDD_CORE_SHARE_SHARE_STATE_H

#include "core/jobs/entry.h"
#include "core/share/share.h"
#include "store/store_share.h"

struct share_unheard;

/* What is remembered of a node between two looks at who should have what. */
struct share_seat {
	uint32_t node;
	unsigned weight;
	bool due; /* its share of the slots is to be given to it */
};

struct share {
	struct store_slot *slot;
	uint32_t own;                   /* our number; 0: not told yet */
	struct place_slot slots[NODE_SLOTS]; /* those of jobs of any node; others are in slot->places */
	uint8_t elsewhere[NODE_SLOTS];  /* what slot->elsewhere points to */
	const char *labels;             /* our own; NULL: not told yet */
	bool leaving;                   /* nothing is to be ours any more */
	bool over;                      /* nobody is asked any more */
	struct store_node *nodes;       /* as they were told last */
	uint32_t node_count;
	struct schedd_mono nodes_at;    /* when they were told: leases have run on since */
	struct schedd_mono fresh_at;    /* when all jobs of others were looked at last; 0: never */
	struct arena nodes_arena;       /* their texts */
	struct share_seat *seats;       /* one of each node ever told; see share_spread.c */
	uint32_t seat_count;
	struct schedd_mono settled_at;  /* until then what was taken over stays here, to be caught up */
	struct share_unheard *unheard;  /* nodes that have not come since the server was replaced; see share_behind.c */
	uint32_t unheard_count;
	bool unsettled;                 /* what such a server lacks is not written again or held there, as far as we know it */
	bool settling;                  /* it is, and that is on its way there */
	bool moved;                     /* of this epoch, or of what was taken, something was lacking */
	struct schedd_mono gives_at;    /* so others are told first that it is settled; 0: nothing was */
	bool doubtful;                  /* what others did with what we had is waited for: nothing of it is due here */
	struct strmap known_runs;       /* texts: those that went on here as the last epoch ended */
	struct timer partition;         /* looks whether we are cut off */
	struct timer review;            /* a slot that is closing may be idle by then */
};

/* All slots: those of jobs of any node come first. */
static inline uint32_t share_slots(const struct share *share)
{
	return NODE_SLOTS + share->slot->places.count;
}

static inline struct place_slot *share_slot(struct share *share, uint32_t at)
{
	return at < NODE_SLOTS ? &share->slots[at] : &share->slot->places.items[at - NODE_SLOTS];
}

/* ---- share_place.c ---- */

/* NULL: there is none of that number or name. */
const struct store_node *share_node(const struct share *share, uint32_t number);
const struct store_node *share_named(const struct share *share, const char *name);
bool share_node_lives(const struct share *share, const struct store_node *node);
/* Number of the node that has the job; 0: nobody. */
uint32_t share_owner(const struct share *share, const struct entry *entry);
/* How many jobs are in the slots of that node. */
int64_t share_jobs(const struct share *share, uint32_t number);
/* May that slot be that node's, by where its jobs may run? */
bool share_fits(const struct place_slot *slot, const struct store_node *node);
/* Do its jobs suit this node? */
bool share_fits_here(const struct share *share, const struct place_slot *slot);

/* May it be given slots? urgent: of one that leaves, who has just come may as well. */
bool share_may_have(const struct share *share, const struct store_node *node, bool urgent);
/* What keeps slots here: sets hold of each. */
void share_hold(struct share *share);
/* What keeps a slot here. */
enum share_hold {
	SHARE_IDLE,
	SHARE_BUSY, /* a commit of one of its jobs is under way */
	SHARE_RUNS, /* one of them runs, or waits to */
};

/* ---- share_parts.c ---- */

/* Jobs on all nodes, or their parts, have changed: this node's parts follow. */
void share_parts_review(struct share *share);

/* ---- share_give.c ---- */

/* Gives away what another node should have, as far as it is idle. */
void share_review(struct share *share);
/* Whose slots are whose is known anew: entries follow. */
void share_apply(struct share *share);

/* ---- share_spread.c ---- */

/* Nodes or slots were told: who has too few is to get its share. */
void share_spread_note(struct share *share);
/* Is what was taken over of a node that died still being caught up here? */
bool share_settles(const struct share *share);
/* Do all nodes that live let who has a slot keep it? */
bool share_spread_all(const struct share *share);
/* Sets wanted of our own slots so; by what each has, and how busy it is. */
void share_spread(struct share *share, bool leaving);

/* ---- share_partition.c ---- */

/* In a lease so often it is looked whether it is still good. */
#define SHARE_PARTITION_LOOKS 15

void share_partition_begin(struct share *share);
/* Ends what is not to go on while its node is cut off. */
void share_partition_kill(struct share *share);

/* ---- share_behind.c ---- */

/* An epoch has begun: perhaps as the server was replaced. */
void share_behind_begin(struct share *share);
void share_behind_end(struct share *share);
/* The nodes were told. To be called before share_apply(). */
void share_behind_heard(struct share *share);
/* That slot was the node's and is ours: what it knew of its jobs may be gone. */
void share_behind_hold(struct share *share, uint32_t slot, uint32_t from);
/* What was taken from a node may have to be held, or we are ourselves behind: it is settled when that is done. */
void share_behind_rest(struct share *share);
/* May slots be given? Of who is not settled, as far as another has been told, they are held. */
bool share_behind_gives(const struct share *share);
/* What that node left open, is more of it over than stands here? Asked before it is known to be dead. */
bool share_behind_unsure(const struct share *share, const char *name);

/* ---- share_ask.c ---- */

void share_told(struct share *share, const struct store_share_news *news);
/* A node is dead: what it was asked is answered. */
void share_unanswered(struct share *share, uint32_t node);
/* Nobody is asked any more, and what is not answered yet is answered so. */
void share_asks_end(struct share *share);

/* ---- share_say.c ---- */

/* What has become of others, by what is told now. */
void share_say_nodes(const struct share *share, const struct store_share_news *news);
/* That it is drained, or is not any more. */
void share_say_drained(const struct share *share, const struct store_node *node);

/* ---- share_nodes.c ---- */

/* Who waits for a moment goes on now. */
void share_later_end(struct schedd_scheduler *scheduler);

#endif
