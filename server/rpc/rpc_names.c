/* SPDX-License-Identifier: MIT */
#include "server/rpc/rpc_names.h"

#include <string.h>
#include "core/scheduler.h"

/* One translation. */
struct rpc_names {
	const struct users_caller *caller;
	struct schedd_scheduler *scheduler;
	struct arena *arena;
	const char *view; /* whose ids stand alone in this call; "": full ids are given */
};

/* ---- In ---- */

/* Does the id begin with "ACCOUNT:"? */
static bool rpc_names_of(const char *id, const char *account)
{
	size_t length = strlen(account);

	return strncmp(id, account, length) == 0 && id[length] == ':';
}

/* Ids of the daemon's own jobs stand alone everywhere. */
static bool rpc_names_is_own(const char *view)
{
	return strcmp(view, USERS_OWN) == 0;
}

bool rpc_names_shown(const char *view, const char *id)
{
	if (rpc_names_is_own(view))
		return !strchr(id, ':');
	return !view[0] || rpc_names_of(id, view);
}

/* The text of an operator, who may leave out the own account where nobody else is meant. */
static const char *rpc_names_own(const struct rpc_names *names, const char *text)
{
	const char *account = names->caller->account, *slash = strchr(text, '/');
	size_t length = slash ? (size_t)(slash - text) : strlen(text);
	char id[JOB_ID_MAX + 1];
	char *own;

	if (!account[0] || strchr(text, ':') || length > JOB_ALIAS_MAX)
		return text;
	memcpy(id, text, length);
	id[length] = '\0';
	if (scheduler_job_peek(names->scheduler, id))
		return text;
	own = arena_printf(names->arena, "%s:%s", account, id);
	if (!own || !scheduler_job_peek(names->scheduler, own))
		return text;
	return arena_printf(names->arena, "%s:%s", account, text);
}

/* The full id of one, of a pattern or of a run. */
static const char *rpc_names_full(const struct rpc_names *names, const char *text)
{
	const char *plain = rpc_names_of(text, USERS_OWN) ? text + strlen(JOB_OWN_PREFIX) : text;

	if (names->view[0] && !rpc_names_is_own(names->view))
		return rpc_names_of(text, names->view)
			   ? text
			   : arena_printf(names->arena, "%s:%s", names->view, text);
	/* What is another's, or may be, keeps the word that nothing of another's is under. */
	if (names->view[0] && strpbrk(plain, ":*?[\\"))
		return arena_printf(names->arena, JOB_OWN_PREFIX "%s", plain);
	return plain;
}

static void rpc_names_text(const struct rpc_names *names, struct value *value, bool look)
{
	const char *text;

	if (value->type != VALUE_STRING)
		return;
	text = rpc_names_full(names, value->string.text);
	if (look && !names->view[0] && text)
		text = rpc_names_own(names, text);
	if (text && text != value->string.text)
		*value = value_string_ref(text);
}

static void rpc_names_list(const struct rpc_names *names, struct value *value)
{
	if (value->type == VALUE_STRING)
		rpc_names_text(names, value, false);
	for (uint32_t i = 0; value->type == VALUE_ARRAY && i < value->array.count; i++)
		rpc_names_text(names, &value->array.items[i], false);
}

/* "JOB", "JOB:ok": the condition at the end is no part of the id. */
static void rpc_names_after_text(const struct rpc_names *names, struct value *value)
{
	static const char *const conditions[] = {"ok", "fail", "any"};
	const char *text = value->string.text, *colon = strrchr(text, ':'), *full;
	bool condition = false;

	for (size_t i = 0; colon && i < sizeof(conditions) / sizeof(conditions[0]); i++)
		condition |= strcmp(colon + 1, conditions[i]) == 0;
	if (!condition) {
		rpc_names_text(names, value, false);
		return;
	}
	text = arena_strndup(names->arena, text, (size_t)(colon - text));
	full = text ? rpc_names_full(names, text) : NULL;
	if (full)
		*value = value_string_ref(arena_printf(names->arena, "%s%s", full, colon));
}

static void rpc_names_after(const struct rpc_names *names, struct value *value)
{
	if (value->type == VALUE_STRING)
		rpc_names_after_text(names, value);
	for (uint32_t i = 0; value->type == VALUE_ARRAY && i < value->array.count; i++)
		rpc_names_after(names, &value->array.items[i]);
	for (uint32_t i = 0; value->type == VALUE_MAP && i < value->map.count; i++)
		if (strcmp(value->map.members[i].key, "job") == 0)
			rpc_names_text(names, &value->map.members[i].value, false);
}

/* The fields of a job; ids: its own among them; made: the server makes one where none is given. */
static void rpc_names_fields(
    const struct rpc_names *names, struct value *fields, bool ids, bool made)
{
	bool given = rpc_names_is_own(names->view);

	for (uint32_t i = 0; fields->type == VALUE_MAP && i < fields->map.count; i++) {
		struct value_member *member = &fields->map.members[i];

		if (strcmp(member->key, "after") == 0)
			rpc_names_after(names, &member->value);
		if (strcmp(member->key, "id") != 0 || !ids)
			continue;
		if (member->value.type == VALUE_NIL && made && !given && names->view[0])
			member->value = value_string_ref("");
		rpc_names_text(names, &member->value, false);
		given = true;
	}
	if (!given && made && names->view[0])
		value_put(names->arena, fields, "id",
		    value_string_ref(arena_printf(names->arena, "%s:", names->view)));
}

static void rpc_names_param(
    const struct rpc_names *names, enum method_param_type type, struct value *value)
{
	switch (type) {
	case METHOD_ID:
	case METHOD_RUN:
		rpc_names_text(names, value, true);
		break;
	case METHOD_NEW_ID:
		rpc_names_text(names, value, false);
		break;
	case METHOD_IDS:
		rpc_names_list(names, value);
		break;
	case METHOD_JOBS:
		for (uint32_t i = 0; value->type == VALUE_ARRAY && i < value->array.count; i++)
			rpc_names_fields(names, &value->array.items[i], true, false);
		break;
	default:
		break;
	}
}

static const struct method_param *rpc_names_row(const struct method *method, const char *key)
{
	const struct method_param *row = method->params;

	while (row && row->name && (row->type == METHOD_FIELDS || strcmp(row->name, key) != 0))
		row++;
	return row && row->name ? row : NULL;
}

/* Nothing chosen is all that the caller sees: what is left out, nil or empty says so. */
static void rpc_names_choose_all(
    const struct rpc_names *names, const char *key, struct value *params)
{
	struct value_member *member = NULL;
	struct value all = value_string_ref(arena_printf(names->arena, "%s:*", names->view));

	if (params->type != VALUE_MAP)
		*params = value_map();
	for (uint32_t i = 0; i < params->map.count; i++) {
		const struct value *value = &params->map.members[i].value;

		if (strcmp(params->map.members[i].key, key) != 0)
			continue;
		member = &params->map.members[i];
		if (value->type == VALUE_NIL ||
		    (value->type == VALUE_ARRAY && value->array.count == 0))
			member->value = all;
	}
	if (!member)
		value_put(names->arena, params, key, all);
}

static void rpc_names_params(
    const struct rpc_names *names, const struct method *method, struct value *params)
{
	const struct method_param *row;
	bool fields = false;

	/* Every member, also where a key stands twice. */
	for (uint32_t i = 0; params->type == VALUE_MAP && i < params->map.count; i++) {
		row = rpc_names_row(method, params->map.members[i].key);
		if (row)
			rpc_names_param(names, row->type, &params->map.members[i].value);
	}
	for (row = method->params; row && row->name; row++) {
		fields |= row->type == METHOD_FIELDS;
		if (row->type == METHOD_IDS && names->view[0])
			rpc_names_choose_all(names, row->name, params);
	}
	if (fields && params->type != VALUE_MAP)
		*params = value_map();
	/* The id of job.modify is a parameter, that of job.add a field. */
	if (fields) {
		bool own = !rpc_names_row(method, "id");

		rpc_names_fields(names, params, own, own);
	}
}

/* Is it another's? Without an account's name it may be one's own, or else the daemon's. */
static bool rpc_names_is_foreign(const struct rpc_names *names, const char *text)
{
	size_t length = strcspn(text, "/");
	const char *account = names->caller->account;
	const char *own = arena_printf(names->arena, "%s:%.*s", account, (int)length, text);
	const char *plain = arena_printf(names->arena, "%.*s", (int)length, text);

	if (strchr(text, ':'))
		return !rpc_names_of(text, account);
	return account[0] && own && plain && !scheduler_job_peek(names->scheduler, own) &&
	       scheduler_job_peek(names->scheduler, plain);
}

/* An operator sees the job, but it is another's. */
static int rpc_names_foreign(const struct rpc_names *names, const struct method *method,
    struct value *params, struct schedd_error *err)
{
	for (uint32_t i = 0; params->type == VALUE_MAP && i < params->map.count; i++) {
		const struct value_member *member = &params->map.members[i];
		const struct method_param *row = rpc_names_row(method, member->key);
		const char *text =
		    member->value.type == VALUE_STRING ? member->value.string.text : NULL;

		if (!row || (row->type != METHOD_ID && row->type != METHOD_RUN))
			continue;
		if (text && rpc_names_is_foreign(names, text))
			return schedd_error_set(err, SCHEDD_EPERM,
			    "%s: '%.128s' is another account's: operators change jobs of their own "
			    "alone",
			    method->name, text);
	}
	return 0;
}

int rpc_names_admit(
    const struct users_caller *caller, const struct method *method, struct schedd_error *err)
{
	if (caller->role == USERS_ADMIN || method->role == METHOD_FOR_USERS)
		return 0;
	if (method->role == METHOD_FOR_ADMINS)
		return schedd_error_set(err, SCHEDD_EPERM,
		    "%s is for admins, of whom root is one; '%s' is %s %s of this schedd "
		    "(users.admins of its config)",
		    method->name, caller->account, caller->role == USERS_OPERATOR ? "an" : "a",
		    users_role_name(caller->role));
	if (caller->homeless)
		return schedd_error_set(err, SCHEDD_EPERM,
		    "%s is for jobs of one's own: operators define no others, and this token or "
		    "password has no account",
		    method->name);
	if (caller->view[0] && strcmp(caller->view, caller->account) != 0)
		return schedd_error_set(err, SCHEDD_EPERM,
		    "%s: only admins define jobs of other accounts; you are '%s'", method->name,
		    caller->account);
	return 0;
}

int rpc_names_in(const struct users_caller *caller, const struct method *method,
    struct schedd_scheduler *scheduler, struct value *params, struct arena *arena,
    struct schedd_error *err)
{
	struct rpc_names names = {caller, scheduler, arena, caller->view};
	int rc = 0;

	if (caller->role != USERS_ADMIN && method->role == METHOD_FOR_OWNERS) {
		names.view = caller->account;
		if (caller->role == USERS_OPERATOR)
			rc = rpc_names_foreign(&names, method, params, err);
	}
	if (!rc)
		rpc_names_params(&names, method, params);
	if (!rc && arena_failed(arena))
		rc = schedd_error_nomem(err);
	return rc;
}

/* ---- Out ---- */

static bool rpc_names_is(const char *key, const char *const *keys)
{
	while (*keys && strcmp(key, *keys) != 0)
		keys++;
	return *keys != NULL;
}

static bool rpc_names_begins_id(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

void rpc_names_out_text(const char *view, char *text)
{
	size_t length = strlen(view), used = 0;

	if (!view[0])
		return;
	for (size_t i = 0; text[i];) {
		bool word = i > 0 && (rpc_names_begins_id(text[i - 1]) ||
					 strchr(".-@+:", text[i - 1]) != NULL);

		if (!word && rpc_names_of(text + i, view) &&
		    rpc_names_begins_id(text[i + length + 1]))
			i += length + 1;
		text[used++] = text[i++];
	}
	text[used] = '\0';
}

static void rpc_names_out_sentence(const char *view, struct value *value, struct arena *arena)
{
	char *copy = arena_strdup(arena, value->string.text);

	if (!copy)
		return;
	rpc_names_out_text(view, copy);
	*value = value_string_ref(copy);
}

static void rpc_names_out_id(const char *view, struct value *value)
{
	if (value->type == VALUE_STRING && rpc_names_of(value->string.text, view))
		*value = value_string_ref(value->string.text + strlen(view) + 1);
}

static void rpc_names_out_member(
    const char *view, struct value_member *member, struct arena *arena)
{
	static const char *const ids[] = {"id", "job", "run", "runs", NULL};
	static const char *const sentences[] = {"reason", "error", "facts", "warning", NULL};
	/* What belongs to the job's owner is never touched. */
	static const char *const kept[] = {"env", "tags", "secrets", "command", "shell", "http",
	    "call", "args", "stdin", "rlimits", "data", NULL};
	struct value *value = &member->value;

	if (rpc_names_is(member->key, kept))
		return;
	if (value->type == VALUE_STRING && rpc_names_is(member->key, ids))
		rpc_names_out_id(view, value);
	else if (value->type == VALUE_STRING && rpc_names_is(member->key, sentences))
		rpc_names_out_sentence(view, value, arena);
	for (uint32_t i = 0; value->type == VALUE_ARRAY && i < value->array.count; i++) {
		struct value *item = &value->array.items[i];

		if (item->type == VALUE_STRING && rpc_names_is(member->key, ids))
			rpc_names_out_id(view, item);
		else if (item->type == VALUE_STRING && rpc_names_is(member->key, sentences))
			rpc_names_out_sentence(view, item, arena);
	}
	rpc_names_out(view, value, arena);
}

void rpc_names_out(const char *view, struct value *value, struct arena *arena)
{
	if (!view[0] || rpc_names_is_own(view))
		return;
	for (uint32_t i = 0; value->type == VALUE_ARRAY && i < value->array.count; i++)
		rpc_names_out(view, &value->array.items[i], arena);
	for (uint32_t i = 0; value->type == VALUE_MAP && i < value->map.count; i++)
		rpc_names_out_member(view, &value->map.members[i], arena);
}
