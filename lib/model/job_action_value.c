/* SPDX-License-Identifier: MIT */
/* The four things a run can do, as fields. Setting one replaces the other. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "base/json_exact.h"
#include "model/job_field_ops.h"
#include "model/job_member.h"
#include "model/job_pairs_value.h"
#include "model/job_text.h"

static bool job_action_is(const struct job_halves *halves, enum job_kind kind)
{
	return halves->job->kind == kind && job_has_action(halves->job);
}

/* ---- command ---- */

static int job_command_read(const struct job_halves *halves, const struct job_field *field,
    const struct value *value, const struct job_fields_context *context, struct schedd_error *err)
{
	struct arena scratch;
	const char **argv;
	int rc = 0;

	(void)field;
	(void)context;
	if (value->type == VALUE_STRING)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "a line of text is for a shell: use shell, or write a list of program and "
		    "arguments");
	if (value->type != VALUE_ARRAY)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "%s is not a list of program and arguments", value_type_name(value->type));
	if (value->array.count == 0)
		return schedd_error_set(err, SCHEDD_EINVAL, "the list is empty, name a program");
	if (value->array.count > JOB_COMMAND_ARGS_MAX)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "%u arguments are more than %d: hand long lists over in a file",
		    value->array.count, JOB_COMMAND_ARGS_MAX);
	arena_init(&scratch);
	argv = arena_alloc(&scratch, (value->array.count + 1) * sizeof(*argv));
	for (uint32_t i = 0; argv && i < value->array.count && !rc; i++) {
		rc = job_text_scalar(&value->array.items[i], &scratch, &argv[i], err);
		if (rc)
			schedd_error_prefix(err, "item %u", i + 1);
	}
	if (!rc && argv && !argv[0][0])
		rc = schedd_error_set(err, SCHEDD_EINVAL, "the program's name is empty");
	if (!rc && (!argv || job_set_command(halves->job, argv, value->array.count)))
		rc = schedd_error_nomem(err);
	arena_clear(&scratch);
	return rc;
}

static struct value job_command_write(
    const struct job_halves *halves, const struct job_field *field, struct arena *arena)
{
	struct value list = value_array();

	(void)field;
	if (!job_action_is(halves, JOB_COMMAND))
		return value_nil();
	for (char **arg = halves->job->argv; *arg; arg++)
		value_append(arena, &list, value_string(arena, *arg));
	return list;
}

/* ---- shell ---- */

static int job_shell_read(const struct job_halves *halves, const struct job_field *field,
    const struct value *value, const struct job_fields_context *context, struct schedd_error *err)
{
	const char *line;
	int rc;

	(void)field;
	(void)context;
	if (value->type == VALUE_ARRAY)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "a list is run without a shell: use command, or write one line of text");
	rc = job_text_plain(value, &line, err);
	if (!rc && line[strspn(line, " \t\r\n")] == '\0')
		rc = schedd_error_set(err, SCHEDD_EINVAL, "the line is empty");
	if (!rc && job_set_shell(halves->job, line))
		rc = schedd_error_nomem(err);
	return rc;
}

static const char *job_shell_text(const struct job_halves *halves, const struct job_field *field)
{
	(void)field;
	return job_action_is(halves, JOB_SHELL) ? halves->job->shell : NULL;
}

static struct value job_shell_write(
    const struct job_halves *halves, const struct job_field *field, struct arena *arena)
{
	return value_string(arena, job_shell_text(halves, field));
}

/* ---- call ---- */

struct job_call_parts {
	const char *function;     /* NULL: not given */
	const struct value *args; /* NULL: none */
	const struct value *kwargs; /* likewise; a map */
};

static int job_call_read_function(void *target, const struct value *value, struct schedd_error *err)
{
	struct job_call_parts *parts = target;
	int rc = job_text_plain(value, &parts->function, err);

	if (rc)
		return rc;
	if (!parts->function[0] || strlen(parts->function) > 256)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "'%.60s' is not of the form FUNCTION, PLUGIN:FUNCTION or MODULE:FUNCTION", parts->function);
	for (const char *c = parts->function; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("_.-:/", *c))
			return schedd_error_set(err, SCHEDD_EINVAL,
			    "'%.60s' is not of the form FUNCTION, PLUGIN:FUNCTION or MODULE:FUNCTION",
			    parts->function);
	return 0;
}

static int job_call_read_args(void *target, const struct value *value, struct schedd_error *err)
{
	struct job_call_parts *parts = target;

	if (json_exact_needed(value))
		return schedd_error_set(err, SCHEDD_EINVAL, "a text in it is not UTF-8");
	parts->args = value->type == VALUE_NIL ? NULL : value;
	return 0;
}

static int job_call_read_kwargs(void *target, const struct value *value, struct schedd_error *err)
{
	struct job_call_parts *parts = target;

	if (value->type != VALUE_NIL && value->type != VALUE_MAP)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "must be a map of arguments by name, not %s", value_type_name(value->type));
	parts->kwargs = value->type == VALUE_NIL || value->map.count == 0 ? NULL : value;
	return 0;
}

static int job_call_read(const struct job_halves *halves, const struct job_field *field,
    const struct value *value, const struct job_fields_context *context, struct schedd_error *err)
{
	static const struct job_member rows[] = {
	    {"function", job_call_read_function},
	    {"args", job_call_read_args},
	    {"kwargs", job_call_read_kwargs},
	    {NULL, NULL},
	};
	struct job_call_parts parts = {0};
	struct strbuf args = STRBUF_EMPTY, kwargs = STRBUF_EMPTY;
	int rc;

	(void)field;
	(void)context;
	if (value->type == VALUE_MAP)
		rc = job_member_read(value, rows, &parts, err);
	else
		rc = job_call_read_function(&parts, value, err);
	if (!rc && !parts.function)
		rc = schedd_error_set(
		    err, SCHEDD_EINVAL, "function is missing, write {function: NAME, args: […], kwargs: {…}}");
	if (rc)
		return rc;
	if (parts.args)
		json_write(&args, parts.args);
	if (parts.kwargs)
		json_write(&kwargs, parts.kwargs);
	if (strbuf_failed(&args) || strbuf_failed(&kwargs) ||
	    job_set_call(halves->job, parts.function, parts.args ? strbuf_peek(&args) : NULL,
		parts.kwargs ? strbuf_peek(&kwargs) : NULL))
		rc = schedd_error_nomem(err);
	strbuf_clear(&args);
	strbuf_clear(&kwargs);
	return rc;
}

static struct value job_call_write(
    const struct job_halves *halves, const struct job_field *field, struct arena *arena)
{
	const struct job_call *call = halves->job->call;
	struct value map = value_map(), args, kwargs;

	(void)field;
	if (!job_action_is(halves, JOB_CALL))
		return value_nil();
	value_put(arena, &map, "function", value_string(arena, call->function));
	if (call->args && !json_parse(call->args, strlen(call->args), arena, &args, NULL))
		value_put(arena, &map, "args", args);
	if (call->kwargs && !json_parse(call->kwargs, strlen(call->kwargs), arena, &kwargs, NULL))
		value_put(arena, &map, "kwargs", kwargs);
	return map;
}

/* ---- http ---- */

struct job_http_parts {
	const char *method;       /* NULL: GET */
	const char *url;          /* NULL: not given */
	const char *body;         /* NULL: none */
	struct job_pairs headers; /* owned */
};

static int job_http_read_method(void *target, const struct value *value, struct schedd_error *err)
{
	struct job_http_parts *parts = target;
	int rc = value->type == VALUE_NIL ? 0 : job_text_plain(value, &parts->method, err);
	size_t length = parts->method ? strlen(parts->method) : 3;

	if (rc || !parts->method)
		return rc;
	for (const char *c = parts->method; *c; c++)
		if (*c < 'A' || *c > 'Z')
			length = 0;
	if (length < 1 || length > 20)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "'%.40s' is not a method such as GET or POST", parts->method);
	return 0;
}

static int job_http_read_url(void *target, const struct value *value, struct schedd_error *err)
{
	struct job_http_parts *parts = target;
	int rc = job_text_plain(value, &parts->url, err);
	const char *host;

	if (rc)
		return rc;
	host = strstr(parts->url, "://");
	if ((strncmp(parts->url, "http://", 7) != 0 && strncmp(parts->url, "https://", 8) != 0) ||
	    !host[3] || host[3] == '/')
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "'%.200s' is not a URL of the form http://HOST… or https://HOST…", parts->url);
	for (const char *c = parts->url; *c; c++)
		if ((unsigned char)*c <= 0x20 || *c == 0x7f)
			return schedd_error_set(err, SCHEDD_EINVAL,
			    "URL '%.200s' has a blank or control character, write it as %%XX",
			    parts->url);
	return 0;
}

static int job_http_read_body(void *target, const struct value *value, struct schedd_error *err)
{
	struct job_http_parts *parts = target;

	return value->type == VALUE_NIL ? 0 : job_text_plain(value, &parts->body, err);
}

static int job_http_read_headers(void *target, const struct value *value, struct schedd_error *err)
{
	struct job_http_parts *parts = target;
	int rc;

	if (value->type == VALUE_NIL)
		return 0;
	job_pairs_clear(&parts->headers);
	rc = job_pairs_value_read(value, JOB_FORM_ENV, &parts->headers, err);
	for (uint32_t i = 0; !rc && i < parts->headers.count; i++) {
		const struct job_pair *pair = &parts->headers.items[i];

		if (strpbrk(pair->name, ": \t") || strpbrk(pair->text, "\r\n"))
			rc = schedd_error_set(err, SCHEDD_EINVAL,
			    "'%.60s' has a character that cannot stand in a header", pair->name);
	}
	return rc;
}

/* "METHOD URL", "URL" */
static int job_http_read_text(struct job_http_parts *parts, const struct value *value,
    struct arena *scratch, struct schedd_error *err)
{
	const char *text, *blank;
	struct value word;
	int rc = job_text_plain(value, &text, err);

	if (rc)
		return rc;
	blank = strchr(text, ' ');
	if (!blank)
		return job_http_read_url(parts, value, err);
	word = value_string_n(scratch, text, (size_t)(blank - text));
	if (word.type == VALUE_NIL)
		return schedd_error_nomem(err);
	rc = job_http_read_method(parts, &word, err);
	if (rc)
		return rc;
	word = value_string_ref(blank + strspn(blank, " "));
	return job_http_read_url(parts, &word, err);
}

static int job_http_store(
    struct schedd_job *job, struct job_http_parts *parts, struct schedd_error *err)
{
	char *body = parts->body ? strdup(parts->body) : NULL;

	if ((parts->body && !body) ||
	    job_set_http(job, parts->method ? parts->method : "GET", parts->url)) {
		free(body);
		return schedd_error_nomem(err);
	}
	job->http->body = body;
	job->http->headers = parts->headers;
	parts->headers = (struct job_pairs){0};
	return 0;
}

static int job_http_read(const struct job_halves *halves, const struct job_field *field,
    const struct value *value, const struct job_fields_context *context, struct schedd_error *err)
{
	static const struct job_member rows[] = {
	    {"method", job_http_read_method},
	    {"url", job_http_read_url},
	    {"headers", job_http_read_headers},
	    {"body", job_http_read_body},
	    {NULL, NULL},
	};
	struct job_http_parts parts = {0};
	struct arena scratch;
	int rc;

	(void)field;
	(void)context;
	arena_init(&scratch);
	if (value->type == VALUE_MAP)
		rc = job_member_read(value, rows, &parts, err);
	else
		rc = job_http_read_text(&parts, value, &scratch, err);
	if (!rc && !parts.url)
		rc = schedd_error_set(
		    err, SCHEDD_EINVAL, "url is missing, write 'METHOD URL' or {method, url, …}");
	if (!rc)
		rc = job_http_store(halves->job, &parts, err);
	job_pairs_clear(&parts.headers);
	arena_clear(&scratch);
	return rc;
}

static struct value job_http_write(
    const struct job_halves *halves, const struct job_field *field, struct arena *arena)
{
	const struct job_http *http = halves->job->http;
	struct value map = value_map();

	(void)field;
	if (!job_action_is(halves, JOB_HTTP))
		return value_nil();
	value_put(arena, &map, "method", value_string(arena, http->method));
	value_put(arena, &map, "url", value_string(arena, http->url));
	if (http->headers.count > 0)
		value_put(arena, &map, "headers", job_pairs_value_write(&http->headers, arena));
	if (http->body)
		value_put(arena, &map, "body", value_string(arena, http->body));
	return map;
}

/* ---- All four ---- */

/* The rows stand in the order of enum job_kind, and their names are its words. */
static enum job_kind job_action_kind(const struct job_field *field)
{
	switch (field->type) {
	case JOB_FIELD_SHELL:
		return JOB_SHELL;
	case JOB_FIELD_CALL:
		return JOB_CALL;
	case JOB_FIELD_HTTP:
		return JOB_HTTP;
	default:
		return JOB_COMMAND;
	}
}

static bool job_action_is_default(const struct job_halves *halves, const struct job_field *field)
{
	return !job_action_is(halves, job_action_kind(field));
}

static void job_action_reset(const struct job_halves *halves, const struct job_field *field)
{
	(void)field;
	job_clear_action(halves->job);
}

#define JOB_ACTION_OPS(read_fn, write_fn, text_fn)                                                 \
	{                                                                                          \
		.read = (read_fn), .write = (write_fn), .text = (text_fn),                         \
		.is_default = job_action_is_default, .reset = job_action_reset                     \
	}

const struct job_field_ops job_command_ops =
    JOB_ACTION_OPS(job_command_read, job_command_write, NULL);
const struct job_field_ops job_shell_ops =
    JOB_ACTION_OPS(job_shell_read, job_shell_write, job_shell_text);
const struct job_field_ops job_call_ops = JOB_ACTION_OPS(job_call_read, job_call_write, NULL);
const struct job_field_ops job_http_ops = JOB_ACTION_OPS(job_http_read, job_http_write, NULL);
