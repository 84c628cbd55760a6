/* SPDX-License-Identifier: MIT */
/* Finding the form of a map, and sorting its members by it: nothing is accepted and ignored. */
#include "trigger/trigger_form.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/suggest.h"

/* By enum trigger_key. */
static const char *const form_common[TRIGGER_KEY_COUNT] = {
    "timezone", "start", "end", "jitter", "splay", "seed"};

/* More names than any list of candidates has. */
#define FORM_NAMES_MAX 48

int trigger_form_error(
    const struct trigger_frame *frame, struct schedd_error *err, const char *format, ...)
{
	char sentence[SCHEDD_ERROR_MESSAGE_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(sentence, sizeof(sentence), format, ap);
	va_end(ap);
	return schedd_error_set(
	    err, SCHEDD_EINVAL, "%s%s", frame->depth == 0 ? "trigger: " : "", sentence);
}

const char *trigger_form_text(const struct trigger_frame *frame, const struct value *value,
    const char *key, struct schedd_error *err)
{
	if (value->type != VALUE_STRING) {
		trigger_form_error(
		    frame, err, "'%s' must be a string, not %s", key, value_type_name(value->type));
		return NULL;
	}
	if (strlen(value->string.text) != value->string.length) {
		trigger_form_error(frame, err, "'%s' holds a NUL character", key);
		return NULL;
	}
	return value->string.text;
}

/* A short form by its key. */
static const struct trigger_form *form_short(const struct trigger_frame *frame, const char *key)
{
	for (const struct trigger_form *form = frame->forms; form->read; form++)
		if (!form->type && strcmp(form->key, key) == 0)
			return form;
	return NULL;
}

/* The form of a type whose key is there, else the first of the type; NULL: no such type. */
static const struct trigger_form *form_typed(const struct trigger_frame *frame, const char *type)
{
	const struct trigger_form *first = NULL;

	for (const struct trigger_form *form = frame->forms; form->read; form++) {
		if (!form->type || strcmp(form->type, type) != 0)
			continue;
		if (!form->key || value_find(frame->map, form->key))
			return form;
		if (!first)
			first = form;
	}
	return first;
}

static int form_unknown_type(
    const struct trigger_frame *frame, const char *type, struct schedd_error *err)
{
	const char *names[FORM_NAMES_MAX], *near;
	size_t count = 0;

	for (const struct trigger_form *form = frame->forms; form->type; form++)
		names[count++] = form->type;
	near = suggest_closest(type, names, count);
	if (near)
		return trigger_form_error(
		    frame, err, "unknown type '%.60s', did you mean '%s'?", type, near);
	return trigger_form_error(frame, err,
	    "unknown type '%.60s'; there are date, interval, calendar, cron, or, and, manual, "
	    "on_start and on_boot",
	    type);
}

/* The map has neither "type" nor the key of a short form. */
static int form_missing(const struct trigger_frame *frame, struct schedd_error *err)
{
	const char *names[FORM_NAMES_MAX];
	size_t count = 0;

	names[count++] = "type";
	for (const struct trigger_form *form = frame->forms; form->read; form++)
		if (!form->type)
			names[count++] = form->key;
	for (uint32_t i = 0; i < frame->map->map.count; i++) {
		const char *key = frame->map->map.members[i].key;
		const char *near = suggest_closest(key, names, count);

		if (near)
			return trigger_form_error(
			    frame, err, "unknown key '%.60s', did you mean '%s'?", key, near);
	}
	return trigger_form_error(frame, err,
	    "nothing says when: give 'type', or one of at, every, calendar, cron, fields, quartz, "
	    "on_calendar, any, all, manual, on_start, on_boot");
}

int trigger_form_find(struct trigger_frame *frame, struct schedd_error *err)
{
	const struct value *type = value_get(frame->map, "type");
	const char *text;

	if (type) {
		text = trigger_form_text(frame, type, "type", err);
		if (!text)
			return SCHEDD_EINVAL;
		frame->form = form_typed(frame, text);
		return frame->form ? 0 : form_unknown_type(frame, text, err);
	}
	for (uint32_t i = 0; i < frame->map->map.count && !frame->form; i++)
		frame->form = form_short(frame, frame->map->map.members[i].key);
	return frame->form ? 0 : form_missing(frame, err);
}

/* What the form is called in sentences. */
static const char *form_name(const struct trigger_form *form)
{
	return form->type ? form->type : form->key;
}

static int form_unknown_key(
    const struct trigger_frame *frame, const char *key, struct schedd_error *err)
{
	const struct trigger_form *form = frame->form, *other = form_short(frame, key);
	const char *names[FORM_NAMES_MAX], *near;
	size_t count = 0, length = 0;
	char list[256] = ""; /* of all keys there are: longer than any */

	if (other && form->type && form->read == other->read && value_get(frame->map, form->key))
		return trigger_form_error(
		    frame, err, "'%s' and '%s' are two rules: give one of them", form->key, key);
	if (other && form->type)
		return trigger_form_error(
		    frame, err, "'%s' is a short form of its own and does not go with 'type'", key);
	if (other)
		return trigger_form_error(frame, err,
		    "'%s' and '%s' are two triggers: join them in a list under 'any' or 'all'",
		    form->key, key);
	if (form->key)
		names[count++] = form->key;
	for (const char *const *more = form->more; more && *more; more++)
		names[count++] = *more;
	for (int i = 0; i < TRIGGER_KEY_COUNT; i++)
		if (form->common & (1u << i))
			names[count++] = form_common[i];
		else if (strcmp(form_common[i], key) == 0)
			return trigger_form_error(
			    frame, err, "'%s' does not go with '%s'", key, form_name(form));
	near = suggest_closest(key, names, count);
	if (near)
		return trigger_form_error(
		    frame, err, "unknown key '%.60s', did you mean '%s'?", key, near);
	for (size_t i = 0; i < count && length < sizeof(list); i++)
		length += (size_t)snprintf(
		    list + length, sizeof(list) - length, "%s%s", i > 0 ? ", " : "", names[i]);
	return trigger_form_error(frame, err, "unknown key '%.60s' beside '%s'; there are %s", key,
	    form_name(form), list);
}

/* Places of a map's members, as bits, so that none is taken twice. */
enum form_place {
	FORM_PLACE_OWN = TRIGGER_KEY_COUNT, /* before it: enum trigger_key */
	FORM_PLACE_TYPE,
	FORM_PLACE_MORE, /* the first of form->more */
};

/* Where a member belongs; -1: nowhere. */
static int form_place(const struct trigger_form *form, const char *key)
{
	if (form->key && strcmp(key, form->key) == 0)
		return FORM_PLACE_OWN;
	if (form->type && strcmp(key, "type") == 0)
		return FORM_PLACE_TYPE;
	for (int i = 0; i < TRIGGER_KEY_COUNT; i++)
		if ((form->common & (1u << i)) && strcmp(key, form_common[i]) == 0)
			return i;
	for (int i = 0; form->more && form->more[i]; i++)
		if (strcmp(form->more[i], key) == 0)
			return FORM_PLACE_MORE + i;
	return -1;
}

int trigger_form_sort(struct trigger_frame *frame, struct schedd_error *err)
{
	const struct trigger_form *form = frame->form;
	unsigned seen = 0;

	for (uint32_t i = 0; i < frame->map->map.count; i++) {
		const struct value_member *member = &frame->map->map.members[i];
		int place = form_place(form, member->key);

		if (place < 0)
			return form_unknown_key(frame, member->key, err);
		if (seen & (1u << place))
			return trigger_form_error(frame, err, "'%s' is given twice", member->key);
		seen |= 1u << place;
		if (member->value.type == VALUE_NIL)
			continue;
		if (place == FORM_PLACE_OWN)
			frame->own = &member->value;
		else if (place < TRIGGER_KEY_COUNT)
			frame->keys[place] = &member->value;
	}
	if (!form->key || frame->own)
		return 0;
	if (form->common & (1u << TRIGGER_KEY_SEED))
		return trigger_form_error(
		    frame, err, "'cron' needs one of 'expr', 'fields', 'quartz' and 'on_calendar'");
	return trigger_form_error(frame, err, "'%s' needs '%s'", form_name(form), form->key);
}
