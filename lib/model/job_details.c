/* SPDX-License-Identifier: MIT */
/*
 * Details are allocated only for jobs that set one of them; all others read
 * the const defaults. Shared ones are copied before they are written to.
 */
#include "model/job_details.h"

#include <stdlib.h>
#include <string.h>

const char *const job_after_words[] = {"ok", "fail", "any", NULL};
const char *const job_notify_words[] = {
    "failure", "recovery", "change", "success", "late", "missed", "output", NULL};
const char *const job_capture_words[] = {"merged", "split", "none", NULL};

const struct job_details job_details_defaults = JOB_DETAILS_DEFAULTS;

void job_details_clear_after(struct job_details *details)
{
	for (uint32_t i = 0; i < details->after_count; i++)
		free(details->after[i].job);
	free(details->after);
	details->after = NULL;
	details->after_count = 0;
}

void job_details_clear_notify(struct job_details *details)
{
	for (uint32_t i = 0; i < details->notify_count; i++)
		free(details->notify[i].target);
	free(details->notify);
	details->notify = NULL;
	details->notify_count = 0;
}

int job_details_add_after(struct job_details *details, const char *job, enum job_after_on on)
{
	struct job_after *after =
	    realloc(details->after, (details->after_count + 1) * sizeof(*after));
	char *copy = strdup(job);

	if (after)
		details->after = after;
	if (!after || !copy) {
		free(copy);
		return SCHEDD_ENOMEM;
	}
	after[details->after_count++] = (struct job_after){.job = copy, .on = on};
	return 0;
}

int job_details_add_notify(struct job_details *details, enum job_notify_on on, const char *target)
{
	struct job_notify *notify =
	    realloc(details->notify, (details->notify_count + 1) * sizeof(*notify));
	char *copy = strdup(target);

	if (notify)
		details->notify = notify;
	if (!notify || !copy) {
		free(copy);
		return SCHEDD_ENOMEM;
	}
	notify[details->notify_count++] = (struct job_notify){.on = on, .target = copy};
	return 0;
}

int job_details_add_rlimit(struct job_details *details, const struct job_rlimit *limit)
{
	struct job_rlimit *limits =
	    realloc(details->rlimits, (details->rlimit_count + 1) * sizeof(*limits));

	if (!limits)
		return SCHEDD_ENOMEM;
	details->rlimits = limits;
	limits[details->rlimit_count++] = *limit;
	return 0;
}

int job_details_set_stdin_text(struct job_details *details, const char *text, size_t length)
{
	char *copy = NULL;

	if (text) {
		copy = malloc(length + 1);
		if (!copy)
			return SCHEDD_ENOMEM;
		memcpy(copy, text, length);
		copy[length] = '\0';
	}
	free(details->stdin_text);
	details->stdin_text = copy;
	details->stdin_length = copy ? length : 0;
	return 0;
}

/* Where the plain texts lie. */
static const size_t job_details_texts[] = {
    offsetof(struct job_details, executor),
    offsetof(struct job_details, store),
    offsetof(struct job_details, owner),
    offsetof(struct job_details, description),
    offsetof(struct job_details, group),
    offsetof(struct job_details, nodes),
    offsetof(struct job_details, cwd),
    offsetof(struct job_details, user),
    offsetof(struct job_details, stdin_path),
    offsetof(struct job_details, shell_path),
    offsetof(struct job_details, hook_secret_file),
};
static const size_t job_details_pairs[] = {
    offsetof(struct job_details, tags),
    offsetof(struct job_details, env),
    offsetof(struct job_details, secrets),
};

#define AT(details, type, offset) ((type *)((char *)(details) + (offset)))
#define AT_CONST(details, type, offset) ((type const *)((const char *)(details) + (offset)))
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void job_details_free(struct job_details *details)
{
	for (size_t i = 0; i < COUNT(job_details_texts); i++)
		free(*AT(details, char *, job_details_texts[i]));
	for (size_t i = 0; i < COUNT(job_details_pairs); i++)
		job_pairs_clear(AT(details, struct job_pairs, job_details_pairs[i]));
	job_details_clear_after(details);
	job_details_clear_notify(details);
	free(details->rlimits);
	free(details->stdin_text);
	free(details);
}

/* Takes the owned pointers out of a copy made by assignment. */
static void job_details_disown(struct job_details *details)
{
	for (size_t i = 0; i < COUNT(job_details_texts); i++)
		*AT(details, char *, job_details_texts[i]) = NULL;
	for (size_t i = 0; i < COUNT(job_details_pairs); i++)
		*AT(details, struct job_pairs, job_details_pairs[i]) = (struct job_pairs){0};
	details->after = NULL;
	details->after_count = 0;
	details->notify = NULL;
	details->notify_count = 0;
	details->rlimits = NULL;
	details->rlimit_count = 0;
	details->stdin_text = NULL;
	details->stdin_length = 0;
}

static int job_details_copy_lists(struct job_details *to, const struct job_details *from)
{
	int rc = 0;

	for (uint32_t i = 0; i < from->after_count && !rc; i++)
		rc = job_details_add_after(to, from->after[i].job, from->after[i].on);
	for (uint32_t i = 0; i < from->notify_count && !rc; i++)
		rc = job_details_add_notify(to, from->notify[i].on, from->notify[i].target);
	for (uint32_t i = 0; i < from->rlimit_count && !rc; i++)
		rc = job_details_add_rlimit(to, &from->rlimits[i]);
	if (!rc && from->stdin_text)
		rc = job_details_set_stdin_text(to, from->stdin_text, from->stdin_length);
	return rc;
}

static struct job_details *job_details_copy(const struct job_details *from)
{
	struct job_details *to = malloc(sizeof(*to));
	int rc = 0;

	if (!to)
		return NULL;
	*to = *from;
	job_details_disown(to);
	to->refs = 1;
	for (size_t i = 0; i < COUNT(job_details_texts) && !rc; i++) {
		const char *text = *AT_CONST(from, char *, job_details_texts[i]);
		char *copy = text ? strdup(text) : NULL;

		*AT(to, char *, job_details_texts[i]) = copy;
		rc = !copy != !text;
	}
	for (size_t i = 0; i < COUNT(job_details_pairs) && !rc; i++)
		rc = job_pairs_copy(AT(to, struct job_pairs, job_details_pairs[i]),
		    AT_CONST(from, struct job_pairs, job_details_pairs[i]));
	if (!rc)
		rc = job_details_copy_lists(to, from);
	if (rc) {
		job_details_free(to);
		return NULL;
	}
	return to;
}

struct job_details *job_details_edit(struct schedd_job *job)
{
	const struct job_details *from = job_details(job);
	struct job_details *own;

	if (job->details && __atomic_load_n(&from->refs, __ATOMIC_ACQUIRE) == 1)
		return job->details;
	own = job_details_copy(from);
	if (own) {
		job_details_unref(job->details);
		job->details = own;
	}
	return own;
}

struct job_details *job_details_ref(struct job_details *details)
{
	if (details)
		__atomic_add_fetch(&details->refs, 1, __ATOMIC_RELAXED);
	return details;
}

void job_details_unref(struct job_details *details)
{
	if (details && __atomic_sub_fetch(&details->refs, 1, __ATOMIC_ACQ_REL) == 0)
		job_details_free(details);
}

static bool job_details_same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool job_details_same_pairs(const struct job_pairs *a, const struct job_pairs *b)
{
	if (a->count != b->count)
		return false;
	for (uint32_t i = 0; i < a->count; i++)
		if (strcmp(a->items[i].name, b->items[i].name) != 0 ||
		    !job_details_same_text(a->items[i].text, b->items[i].text))
			return false;
	return true;
}

static bool job_details_same_lists(const struct job_details *a, const struct job_details *b)
{
	if (a->after_count != b->after_count || a->notify_count != b->notify_count ||
	    a->rlimit_count != b->rlimit_count || a->stdin_length != b->stdin_length)
		return false;
	for (uint32_t i = 0; i < a->after_count; i++)
		if (a->after[i].on != b->after[i].on ||
		    strcmp(a->after[i].job, b->after[i].job) != 0)
			return false;
	for (uint32_t i = 0; i < a->notify_count; i++)
		if (a->notify[i].on != b->notify[i].on ||
		    strcmp(a->notify[i].target, b->notify[i].target) != 0)
			return false;
	for (uint32_t i = 0; i < a->rlimit_count; i++)
		if (a->rlimits[i].resource != b->rlimits[i].resource ||
		    a->rlimits[i].soft != b->rlimits[i].soft ||
		    a->rlimits[i].hard != b->rlimits[i].hard)
			return false;
	if (!a->stdin_text || !b->stdin_text)
		return a->stdin_text == b->stdin_text;
	return memcmp(a->stdin_text, b->stdin_text, a->stdin_length) == 0;
}

bool job_details_equal(const struct job_details *a, const struct job_details *b)
{
	struct job_details left = *a, right = *b;

	/* What remains are plain numbers. */
	job_details_disown(&left);
	job_details_disown(&right);
	right.refs = left.refs;
	if (memcmp(&left, &right, sizeof(left)) != 0)
		return false;
	for (size_t i = 0; i < COUNT(job_details_texts); i++)
		if (!job_details_same_text(*AT_CONST(a, char *, job_details_texts[i]),
			*AT_CONST(b, char *, job_details_texts[i])))
			return false;
	for (size_t i = 0; i < COUNT(job_details_pairs); i++)
		if (!job_details_same_pairs(AT_CONST(a, struct job_pairs, job_details_pairs[i]),
			AT_CONST(b, struct job_pairs, job_details_pairs[i])))
			return false;
	return job_details_same_lists(a, b);
}
