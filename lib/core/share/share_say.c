/* SPDX-License-Identifier: MIT */
/* What becomes of other nodes, for the log. */
#include "core/share/share_state.h"

/* What has become of another since it was told last; NULL: nothing that people want to know. */
static const char *share_became(const struct store_node *before, const struct store_node *node)
{
	bool dead = node->dead_since != SCHEDD_TIME_NONE;

	if (!before)
		return dead ? NULL : "has joined";
	if (dead)
		return before->dead_since == SCHEDD_TIME_NONE ? "is gone, others have its jobs" : NULL;
	if (before->dead_since != SCHEDD_TIME_NONE || before->epoch != node->epoch)
		return "is back";
	if (before->draining != node->draining)
		return node->draining ? "is drained, others take its jobs" : "takes jobs again";
	return NULL;
}

void share_say_drained(const struct share *share, const struct store_node *node)
{
	struct store_node before = *node;

	before.draining = !node->draining;
	log_info(share->slot->scheduler->log, "store %s: node %s %s", share->slot->name, node->name,
	    share_became(&before, node));
}

void share_say_nodes(const struct share *share, const struct store_share_news *news)
{
	const struct schedd_scheduler *scheduler = share->slot->scheduler;

	/* Of the first time all would be news. */
	for (uint32_t i = 0; share->node_count && i < news->node_count; i++) {
		const struct store_node *node = &news->nodes[i];
		const char *became = share_became(share_node(share, node->number), node);

		if (became && node->number != share->own)
			log_info(scheduler->log, "store %s: node %s %s", share->slot->name, node->name, became);
	}
}
