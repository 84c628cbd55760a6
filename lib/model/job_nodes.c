/* SPDX-License-Identifier: MIT */
/* nodes: "any", "all", or a list of names and labels, kept as one text; see node.h. */
#include <stdlib.h>
#include <string.h>
#include "base/strbuf.h"
#include "model/job_details.h"
#include "model/job_field_ops.h"
#include "model/job_text.h"
#include "model/node.h"

#define JOB_NODES_MAX 256  /* elements */
#define JOB_NODES_BYTES 8192 /* of all together */

static int job_nodes_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* One element of a list, or the text alone. */
static int job_nodes_term(const struct value *value, const char **term, struct schedd_error *err)
{
	int rc = job_text_plain(value, term, err);

	/* The copy of a job on all nodes says whose it is; people name nodes as they are. */
	if (rc == 0 && (*term)[0] == '@')
		return node_name_check(*term + 1, err);
	return rc ? rc : node_term_check(*term, err);
}

/* In one order and each once, so that what means the same is the same place. */
static int job_nodes_join(const char **terms, uint32_t count, struct strbuf *out, struct schedd_error *err)
{
	const char *last = NULL;

	qsort(terms, count, sizeof(terms[0]), job_nodes_compare);
	for (uint32_t i = 0; i < count; i++) {
		if (count > 1 && (strcmp(terms[i], "any") == 0 || strcmp(terms[i], NODE_ALL) == 0 ||
				     terms[i][0] == '@'))
			return schedd_error_set(err, SCHEDD_EINVAL, "'%.64s' stands alone", terms[i]);
		if (last && strcmp(terms[i], last) == 0)
			continue;
		last = terms[i];
		strbuf_printf(out, "%s%s", out->length ? "|" : "", terms[i]);
	}
	if (out->length > JOB_NODES_BYTES)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "it is longer than %d bytes", JOB_NODES_BYTES);
	return 0;
}

static int job_nodes_text(const struct value *value, struct strbuf *out, struct schedd_error *err)
{
	const char *terms[JOB_NODES_MAX];
	int rc = 0;

	if (value->type != VALUE_ARRAY) {
		rc = job_nodes_term(value, &terms[0], err);
		return rc ? rc : job_nodes_join(terms, 1, out, err);
	}
	if (value->array.count == 0)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "an empty list is no node: write any, or leave it out");
	if (value->array.count > JOB_NODES_MAX)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "there are more than %d of them", JOB_NODES_MAX);
	for (uint32_t i = 0; i < value->array.count && rc == 0; i++)
		rc = job_nodes_term(&value->array.items[i], &terms[i], err);
	return rc ? rc : job_nodes_join(terms, value->array.count, out, err);
}

static void job_nodes_set(struct job_details *details, char *text)
{
	free(details->nodes);
	details->nodes = text;
}

static int job_nodes_read(const struct job_halves *halves, const struct job_field *field,
    const struct value *value, const struct job_fields_context *context, struct schedd_error *err)
{
	struct strbuf text = STRBUF_EMPTY;
	struct job_details *details;
	int rc = job_nodes_text(value, &text, err);

	(void)field;
	(void)context;
	details = rc ? NULL : job_details_edit(halves->job);
	if (!rc && (!details || strbuf_failed(&text)))
		rc = schedd_error_nomem(err);
	if (!rc && strcmp(strbuf_peek(&text), "any") != 0)
		job_nodes_set(details, strbuf_take(&text));
	else if (!rc)
		job_nodes_set(details, NULL);
	strbuf_clear(&text);
	return rc;
}

static struct value job_nodes_write(
    const struct job_halves *halves, const struct job_field *field, struct arena *arena)
{
	const char *at = job_details(halves->job)->nodes;
	struct value list = value_array();

	(void)field;
	if (!at)
		return value_nil();
	if (strcmp(at, NODE_ALL) == 0)
		return value_string_ref(NODE_ALL);
	while (*at) {
		size_t length = strcspn(at, "|");

		value_append(arena, &list, value_string(arena, arena_strndup(arena, at, length)));
		at += length + (at[length] == '|');
	}
	return list;
}

static bool job_nodes_is_default(const struct job_halves *halves, const struct job_field *field)
{
	(void)field;
	return !job_details(halves->job)->nodes;
}

static void job_nodes_reset(const struct job_halves *halves, const struct job_field *field)
{
	(void)field;
	job_nodes_set(halves->job->details, NULL);
}

const struct job_field_ops job_nodes_ops = {
    .read = job_nodes_read,
    .write = job_nodes_write,
    .is_default = job_nodes_is_default,
    .reset = job_nodes_reset,
};
