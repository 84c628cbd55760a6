/* SPDX-License-Identifier: MIT */
/* What the files of this room share: a store's nodes, and who has which slot. */
#ifndef SCHEDD_CORE_SHARE_SHARE_STATE_H
#define SCHEDD_CORE_SHARE_SHARE_STATE_H

#include "core/jobs/entry.h"
#include "core/share/share.h"
#include "store/store_share.h"

struct share {
	struct store_slot *slot;
	uint32_t own;                   /* our number; 0: not told yet */
	uint32_t owners[NODE_SLOTS];    /* as they were told; 0: nobody */
	bool closing[NODE_SLOTS];       /* ours, to be given away: nothing of it is due any more */
	bool giving[NODE_SLOTS];        /* that it is another's is on the way to the store */
	uint8_t elsewhere[NODE_SLOTS];  /* what slot->elsewhere points to */
	bool leaving;                   /* nothing is to be ours any more */
	struct store_node *nodes;       /* as they were told last */
	uint32_t node_count;
	struct schedd_mono nodes_at;    /* when they were told: leases have run on since */
	struct schedd_mono fresh_at;    /* when all jobs of others were looked at last; 0: never */
	struct arena nodes_arena;       /* their texts */
	struct timer review;            /* a slot that is closing may be idle by then */
};

/* ---- share_give.c ---- */

/* Gives away what another node should have, as far as it is idle. */
void share_review(struct share *share);
/* Whose slots are whose is known anew: entries follow. */
void share_apply(struct share *share);
/* NULL: there is none of that number or name. */
const struct store_node *share_node(const struct share *share, uint32_t number);
const struct store_node *share_named(const struct share *share, const char *name);
bool share_node_lives(const struct share *share, const struct store_node *node);

/* ---- share_ask.c ---- */

void share_told(struct share *share, const struct store_share_news *news);
/* A node is dead: what it was asked is answered. */
void share_unanswered(struct share *share, uint32_t node);
void share_asks_end(struct store_slot *slot);

#endif
