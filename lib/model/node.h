/* SPDX-License-Identifier: MIT */
/*
 * Nodes of a cluster by name and labels, as text, and which of them a job may
 * run on.
 *
 * Labels are "zone=a,gpu=yes", in the order of their names. Where a job may run
 * is any node (NULL), "all", or terms joined by '|' of which one must hold: each
 * of parts joined by commas that all must hold, "zone=a", "web1" (the node's name,
 * or there is such a label), "!spot" (neither). "@web1" is the node of that name
 * alone: so the copy of a job on all nodes says whose it is.
 */
#ifndef SCHEDD_MODEL_NODE_H
#define SCHEDD_MODEL_NODE_H

#include <stdbool.h>
#include <stdint.h>
#include <schedd/error.h>
#include "base/arena.h"
#include "base/value.h"

struct schedd_job;

/* Slots that jobs of a shared store fall into; each belongs to one node. */
#define NODE_SLOTS 256
#define NODE_NAME_MAX 128
/*
 * What nodes say to each other, and write for each other. Those one step apart
 * work together, so that a cluster is upgraded node by node.
 */
#define NODE_PROTOCOL 3
/* From here on who has a slot keeps it, and load counts where one is placed: see node_spread.h. */
#define NODE_PROTOCOL_SPREAD 3
#define NODE_LABELS_MAX 4096

/* As the alias of a store, but neither "any" nor "all". SCHEDD_EINVAL. */
int node_name_check(const char *name, struct schedd_error *err) __attribute__((warn_unused_result));
/* A map of labels as text; nil is "". SCHEDD_EINVAL. */
int node_labels_read(const struct value *map, struct arena *arena, const char **out,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* The map that the text was made of. */
struct value node_labels_value(const char *labels, struct arena *arena);
/* One element of a place; SCHEDD_EINVAL names what it is not. */
int node_term_check(const char *term, struct schedd_error *err) __attribute__((warn_unused_result));
bool node_term_matches(const char *term, const char *name, const char *labels);
/* Jobs on all nodes. */
#define NODE_ALL "all"
/* May what says so run on that node? NULL is any node, and so is "all". */
bool node_place_matches(const char *place, const char *name, const char *labels);
/* The slot of a job: that of its group, so that a group's limit is one node's business; else of its id. */
uint32_t node_slot(const char *group, const char *id);
/*
 * The same of a job that says where it may run: there each place has slots of its
 * own, with numbers from NODE_SLOTS to INT32_MAX; among them as above.
 */
uint32_t node_job_slot(const struct schedd_job *job);
/* The same for a column that tells NODE_SLOTS apart; SCHEDD_TIME_NONE: it is one of a place. */
int64_t node_job_column(const struct schedd_job *job);
/* The label "weight": how many parts of the jobs a node has, 1 where it says nothing. */
#define NODE_WEIGHT "weight"
#define NODE_WEIGHT_MAX 16
unsigned node_weight(const char *labels);
/*
 * How much a node wants a slot: the node that wants it most has it, wherever that is computed. One of
 * weight n wants as n nodes do.
 */
uint64_t node_wants(const char *name, const char *labels, uint32_t slot);

#endif
