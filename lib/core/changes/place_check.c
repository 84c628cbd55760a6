/* SPDX-License-Identifier: MIT */
#include "core/changes/place_check.h"

#include <string.h>
#include "core/runs/admission.h"
#include "model/node.h"
#include "store/store_share.h"

/* Of a job on all nodes; the rest is for the names of nodes. */
#define PLACE_ID_MAX 63

static bool place_same(const char *a, const char *b)
{
	return (!a && !b) || (a && b && strcmp(a, b) == 0);
}

/* Another job of the group that may run elsewhere; NULL: none. All are looked at: few clusters ask. */
static const struct entry *place_other(const struct schedd_scheduler *scheduler,
    const struct store_slot *store, const char *group, const char *id, const char *nodes)
{
	uint32_t position = 0;
	const struct entry *entry;

	while ((entry = entry_walk(scheduler, &position))) {
		const struct job_details *details = job_details(entry->job);

		if (entry->store == store && !entry->hidden && details->group &&
		    strcmp(details->group, group) == 0 && strcmp(entry->job->id, id) != 0 &&
		    !place_same(details->nodes, nodes))
			return entry;
	}
	return NULL;
}

static int place_check_mates(const struct store_slot *store, const struct schedd_job *job,
    struct schedd_error *err)
{
	const struct schedd_scheduler *scheduler = store->scheduler;
	const char *name = job_details(job)->group, *nodes = job_details(job)->nodes;
	const struct group_slot *group = name ? admission_group_find(scheduler, name) : NULL;
	const struct entry *other;

	if (!group || !group->parallel)
		return 0;
	if (nodes && (strcmp(nodes, NODE_ALL) == 0))
		return schedd_error_set(err, SCHEDD_ECONFLICT,
		    "nodes: group %s has a limit, which one node counts: a job on all nodes cannot be in it",
		    name);
	if (!nodes && store->places.count == 0)
		return 0;
	other = place_other(scheduler, store, name, job->id, nodes);
	if (!other)
		return 0;
	return schedd_error_set(err, SCHEDD_ECONFLICT,
	    "nodes: group %s has a limit, which one node counts: say the same nodes as its job %s (%s)",
	    name, other->job->id, job_details(other->job)->nodes ? job_details(other->job)->nodes : "any");
}

static int place_check_slot(const struct store_slot *store, const struct schedd_job *job,
    struct schedd_error *err)
{
	uint32_t number = node_job_slot(job);
	const struct place_slot *slot;

	if (number < NODE_SLOTS)
		return 0;
	slot = place_slots_find(&store->places, number);
	if (!slot && store->places.count >= PLACE_SLOTS_MAX)
		return schedd_error_set(err, SCHEDD_ECONFLICT,
		    "nodes: the jobs of store %s run in too many different places already (%d): use labels that "
		    "several of them share",
		    store->name, PLACE_SLOTS_MAX);
	if (slot && slot->jobs && !place_same(slot->place, job_details(job)->nodes))
		return schedd_error_set(err, SCHEDD_ECONFLICT,
		    "nodes: by chance they have the number of '%.64s' of another job: write them in another "
		    "way",
		    slot->place);
	return 0;
}

int place_check(const struct store_slot *store, const struct schedd_job *job,
    const struct schedd_job *old, struct schedd_error *err)
{
	const struct job_details *details = job_details(job);
	const struct job_details *before = old ? job_details(old) : NULL;
	int rc = 0;

	if (before && place_same(details->nodes, before->nodes) && place_same(details->group, before->group))
		return 0;
	if (details->nodes && !store->shared && !(before && place_same(details->nodes, before->nodes)))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "nodes: store %s is this schedd's alone, there are no nodes to choose from: leave nodes "
		    "out, or put the job into a store with shared: true (see schedd-cluster(7))",
		    store->name);
	if (details->nodes && strcmp(details->nodes, NODE_ALL) == 0 &&
	    strlen(job_id_plain(job->id)) > PLACE_ID_MAX)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "nodes: the id of a job on all nodes has at most %d characters, as each node's part bears "
		    "the node's name behind it",
		    PLACE_ID_MAX);
	if (store->shared)
		rc = place_check_slot(store, job, err);
	if (rc == 0 && store->shared)
		rc = place_check_mates(store, job, err);
	return rc;
}

void place_guard(struct change *change)
{
	const struct entry *entry = change->entry;

	if (!change->store->shared || entry->hidden || !change->job ||
	    node_job_slot(change->job) == entry_slot(entry))
		return;
	store_batch_expect_idle(change->batch, entry->job->id);
}

int place_check_group(
    struct schedd_scheduler *scheduler, const char *group, struct schedd_error *err)
{
	uint32_t position = 0;
	const struct entry *entry;

	while ((entry = entry_walk(scheduler, &position))) {
		const struct job_details *details = job_details(entry->job);

		if (entry->hidden || !entry->store->shared || !details->group || !details->nodes ||
		    strcmp(details->group, group) != 0)
			continue;
		if (strcmp(details->nodes, NODE_ALL) == 0 ||
		    place_other(scheduler, entry->store, group, entry->job->id, details->nodes))
			return schedd_error_set(err, SCHEDD_ECONFLICT,
			    "group %s: a limit is counted by one node, and its jobs do not all say the same "
			    "nodes (job %s: %s)",
			    group, entry->job->id, details->nodes);
	}
	return 0;
}
