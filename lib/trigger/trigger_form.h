/* SPDX-License-Identifier: MIT */
/*
 * The forms a trigger can be written in: one row each, with the keys it takes
 * and how it is read. "type" tells canonical forms, a key of their own the
 * short ones.
 */
#ifndef SCHEDD_TRIGGER_TRIGGER_FORM_H
#define SCHEDD_TRIGGER_TRIGGER_FORM_H

#include "trigger/trigger_ops.h"

/* Keys that several forms take. */
enum trigger_key {
	TRIGGER_KEY_TIMEZONE,
	TRIGGER_KEY_START,
	TRIGGER_KEY_END,
	TRIGGER_KEY_JITTER,
	TRIGGER_KEY_SPLAY,
	TRIGGER_KEY_SEED,
	TRIGGER_KEY_COUNT,
};

/* The reading of one map. */
struct trigger_frame {
	/* Set by who wants it read. */
	const struct trigger_context *context;
	const struct schedd_trigger *previous; /* whose anchors and draws may be kept; NULL: none */
	const struct zone *zone;               /* what holds around; becomes that of "timezone" */
	uint32_t *total;                       /* triggers read so far, all levels */
	const struct trigger_bounds *around;   /* splay and bounds that hold here too; NULL: none */
	int depth;                             /* 0: the outermost */

	/* Found on the way. */
	const struct trigger_form *forms; /* the table, up to a row without read */
	const struct trigger_form *form;
	const struct value *map;                     /* the whole */
	const struct value *own;                     /* of form->key; NULL: absent or null */
	const struct value *keys[TRIGGER_KEY_COUNT]; /* NULL: absent or null */
	struct trigger_bounds bounds;                /* as read so far */
};

struct trigger_form {
	const char *type;        /* of a canonical form; NULL: a short one */
	const char *key;         /* the member that says what; NULL: none */
	const char *const *more; /* further members of its own, NULL at the end; may be NULL */
	unsigned common;         /* bits 1 << enum trigger_key: what may stand beside */
	int variant;             /* for read: dialect, event, or whether "all" */
	bool own_start;          /* read takes care of "start" */
	bool end_is_day;         /* an "end" that is a date includes that day */
	int (*read)(
	    struct trigger_frame *frame, struct schedd_trigger **out, struct schedd_error *err);
};

/* The form of a map in frame->forms, SCHEDD_EINVAL if it has none or more than one. Sets
 * frame->form. */
int trigger_form_find(struct trigger_frame *frame, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Sorts the map's members into own and keys; what does not belong there is an error. */
int trigger_form_sort(struct trigger_frame *frame, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* SCHEDD_EINVAL with a sentence that begins with "trigger: " on the outermost level. */
int trigger_form_error(const struct trigger_frame *frame, struct schedd_error *err,
    const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The text of a string without NULs; NULL with *err set otherwise. key is for the sentence. */
const char *trigger_form_text(const struct trigger_frame *frame, const struct value *value,
    const char *key, struct schedd_error *err);

#endif
