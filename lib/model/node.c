/* SPDX-License-Identifier: MIT */
#include "model/node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/strbuf.h"
#include "model/job.h"

int node_name_check(const char *name, struct schedd_error *err)
{
	if (strlen(name) > NODE_NAME_MAX || !job_alias_valid(name))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "'%.64s' is no name of a node: letters, digits, '.', '_' and '-', up to %d, the first a "
		    "letter, a digit or '_'",
		    name, NODE_NAME_MAX);
	if (strcmp(name, "any") == 0 || strcmp(name, "all") == 0)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "no node can be called '%s': it stands for any node, or all", name);
	return 0;
}

/* ---- Labels ---- */

static int node_compare_members(const void *a, const void *b)
{
	const struct value_member *const *left = a, *const *right = b;

	return strcmp((*left)->key, (*right)->key);
}

/* From 1 to NODE_WEIGHT_MAX; 0: it is none. */
static unsigned node_weight_read(const char *text, size_t length)
{
	unsigned weight = 0;

	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9' || i > 1)
			return 0;
		weight = weight * 10 + (unsigned)(text[i] - '0');
	}
	return weight <= NODE_WEIGHT_MAX ? weight : 0;
}

static int node_weight_write(const struct value *value, struct strbuf *out, struct schedd_error *err)
{
	unsigned weight = 0;

	if (value->type == VALUE_INT && value->integer > 0 && value->integer <= NODE_WEIGHT_MAX)
		weight = (unsigned)value->integer;
	else if (value->type == VALUE_STRING)
		weight = node_weight_read(value->string.text, strlen(value->string.text));
	if (!weight)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "label 'weight' must be a number from 1 to %d: so many times as many jobs as a node without it",
		    NODE_WEIGHT_MAX);
	strbuf_printf(out, "%s" NODE_WEIGHT "=%u", out->length ? "," : "", weight);
	return 0;
}

static int node_label_write(
    const struct value_member *member, struct strbuf *out, struct schedd_error *err)
{
	const struct value *value = &member->value;

	if (strcmp(member->key, NODE_WEIGHT) == 0)
		return node_weight_write(value, out, err);
	if (!job_alias_valid(member->key))
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "'%.64s' is no name of a label", member->key);
	if (value->type != VALUE_STRING || (value->string.text[0] && !job_alias_valid(value->string.text)))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "label '%.64s' must have a word as its value: letters, digits, '.', '_' and '-'",
		    member->key);
	strbuf_printf(out, "%s%s=%s", out->length ? "," : "", member->key, value->string.text);
	return 0;
}

int node_labels_read(
    const struct value *map, struct arena *arena, const char **out, struct schedd_error *err)
{
	const struct value_member **members;
	struct strbuf text = STRBUF_EMPTY;
	int rc = 0;

	*out = "";
	if (map->type == VALUE_NIL)
		return 0;
	if (map->type != VALUE_MAP)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "labels are written as a map, as in {zone: a}");
	members = arena_alloc(arena, (map->map.count + 1) * sizeof(members[0]));
	if (!members)
		return schedd_error_nomem(err);
	for (uint32_t i = 0; i < map->map.count; i++)
		members[i] = &map->map.members[i];
	qsort(members, map->map.count, sizeof(members[0]), node_compare_members);
	for (uint32_t i = 0; i < map->map.count && rc == 0; i++)
		rc = node_label_write(members[i], &text, err);
	if (rc == 0 && text.length > NODE_LABELS_MAX)
		rc = schedd_error_set(
		    err, SCHEDD_EINVAL, "labels are longer than %d bytes", NODE_LABELS_MAX);
	if (rc == 0)
		*out = arena_strdup(arena, strbuf_peek(&text));
	strbuf_clear(&text);
	return rc == 0 && !*out ? schedd_error_nomem(err) : rc;
}

struct value node_labels_value(const char *labels, struct arena *arena)
{
	struct value map = value_map();

	while (labels && *labels) {
		size_t length = strcspn(labels, ","), name = strcspn(labels, "=");
		const char *key = arena_strndup(arena, labels, name);
		const char *text = name < length
				       ? arena_strndup(arena, labels + name + 1, length - name - 1)
				       : "";

		value_put(arena, &map, key ? key : "", value_string(arena, text));
		labels += length + (labels[length] == ',');
	}
	return map;
}

/* The value of a label; NULL: there is none of that name. */
static const char *node_label(
    const char *labels, const char *name, size_t length, size_t *value_length)
{
	while (labels && *labels) {
		size_t whole = strcspn(labels, ","), key = strcspn(labels, "=");

		if (key == length && memcmp(labels, name, length) == 0) {
			*value_length = key < whole ? whole - key - 1 : 0;
			return labels + key + (key < whole);
		}
		labels += whole + (labels[whole] == ',');
	}
	return NULL;
}

/* ---- Places ---- */

int node_term_check(const char *term, struct schedd_error *err)
{
	char part[NODE_NAME_MAX + 2];

	if (!term[0])
		return schedd_error_set(err, SCHEDD_EINVAL, "an empty text is no node");
	for (const char *at = term;; at++) {
		size_t length = strcspn(at, ","), name;
		const char *from = at + (*at == '!');

		name = strcspn(from, "=,");
		if (length > 2 * (size_t)NODE_NAME_MAX || name > NODE_NAME_MAX ||
		    length - (size_t)(from - at) - name > NODE_NAME_MAX)
			return schedd_error_set(err, SCHEDD_EINVAL, "'%.64s' is too long", term);
		snprintf(part, sizeof(part), "%.*s", (int)name, from);
		if (!job_alias_valid(part))
			return schedd_error_set(err, SCHEDD_EINVAL,
			    "'%.64s' is neither a node's name nor labels: write web1, zone=a, !spot, or "
			    "some of them with commas between",
			    term);
		if (from[name] == '=') {
			snprintf(part, sizeof(part), "%.*s",
			    (int)strcspn(from + name + 1, ","), from + name + 1);
			if (part[0] && !job_alias_valid(part))
				return schedd_error_set(err, SCHEDD_EINVAL,
				    "'%.64s': '%.64s' is no label's value", term, part);
		}
		at += length;
		if (!*at)
			return 0;
	}
}

static bool node_part_matches(
    const char *part, size_t length, const char *node, const char *labels)
{
	bool not = part[0] == '!';
	const char *from = part + not, *value;
	size_t rest = length - not, name = strcspn(from, "=,"), got = 0;
	bool matches;

	value = node_label(labels, from, name < rest ? name : rest, &got);
	matches = value != NULL;
	if (matches && name < rest)
		matches = got == rest - name - 1 && memcmp(value, from + name + 1, got) == 0;
	matches |= rest == strlen(node) && memcmp(from, node, rest) == 0;
	return matches != not;
}

bool node_term_matches(const char *term, const char *name, const char *labels)
{
	for (;;) {
		size_t length = strcspn(term, ",|");

		if (!node_part_matches(term, length, name, labels))
			return false;
		term += length;
		if (*term++ != ',')
			return true;
	}
}

bool node_place_matches(const char *place, const char *name, const char *labels)
{
	if (!place || strcmp(place, NODE_ALL) == 0)
		return true;
	if (place[0] == '@')
		return strcmp(place + 1, name) == 0;
	for (;; place++) {
		if (node_term_matches(place, name, labels))
			return true;
		place += strcspn(place, "|");
		if (!*place)
			return false;
	}
}

/* ---- Slots ---- */

/* FNV-1a, then the finaliser of MurmurHash3: the same on all nodes and in all versions. */
static uint64_t node_hash(uint64_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
	hash ^= hash >> 33;
	hash *= UINT64_C(0xff51afd7ed558ccd);
	hash ^= hash >> 33;
	hash *= UINT64_C(0xc4ceb9fe1a85ec53);
	return hash ^ hash >> 33;
}

uint32_t node_slot(const char *group, const char *id)
{
	return (uint32_t)(node_hash(UINT64_C(14695981039346656037), group ? group : id) % NODE_SLOTS);
}

/* Of one place: so many nodes may share its jobs. */
#define NODE_PLACE_SLOTS 16

uint32_t node_job_slot(const struct schedd_job *job)
{
	const struct job_details *details = job_details(job);
	uint32_t part;

	if (!details->nodes || strcmp(details->nodes, NODE_ALL) == 0)
		return node_slot(details->group, job->id);
	part = node_slot(details->group, job->id) % NODE_PLACE_SLOTS;
	return (uint32_t)(NODE_SLOTS + node_hash(UINT64_C(14695981039346656037) ^ (uint64_t)(part + 1) << 20,
					   details->nodes) %
					   (INT32_MAX - NODE_SLOTS));
}

int64_t node_job_column(const struct schedd_job *job)
{
	uint32_t slot = node_job_slot(job);

	return slot < NODE_SLOTS ? slot : SCHEDD_TIME_NONE;
}

unsigned node_weight(const char *labels)
{
	size_t length = 0;
	const char *text = node_label(labels, NODE_WEIGHT, strlen(NODE_WEIGHT), &length);
	unsigned weight = text ? node_weight_read(text, length) : 1;

	return weight ? weight : 1;
}

uint64_t node_wants(const char *name, const char *labels, uint32_t slot)
{
	const uint64_t seed = UINT64_C(14695981039346656037) ^ (uint64_t)(slot + 1) << 20;
	unsigned weight = node_weight(labels);
	uint64_t most = node_hash(seed, name);

	/* As nodes that nobody can be called. */
	for (unsigned i = 2; i <= weight; i++) {
		char other[NODE_NAME_MAX + 8];
		uint64_t wants;

		snprintf(other, sizeof(other), "%s#%u", name, i);
		wants = node_hash(seed, other);
		most = wants > most ? wants : most;
	}
	return most;
}
