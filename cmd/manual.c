/* SPDX-License-Identifier: MIT */
#include "cmd/manual.h"

#include <stdio.h>
#include <string.h>

#include "cmd/verb_rows.h"
#include "model/event_rows.h"
#include "model/job_fields.h"
#include "model/variable_rows.h"
#include "proto/methods.h"

/* ---- roff ---- */

/* Text as it is: backslashes, hyphens and a leading dot or quote mean themselves. */
static void manual_text_n(struct strbuf *out, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		char c = text[i];

		if ((c == '.' || c == '\'') && (i == 0 || text[i - 1] == '\n'))
			strbuf_add(out, "\\&");
		if (c == '\\')
			strbuf_add(out, "\\e");
		else if (c == '-')
			strbuf_add(out, "\\-");
		else if (c == '\'')
			strbuf_add(out, "\\(aq");
		else if (c == '`')
			strbuf_add(out, "\\(ga");
		else if (c == '^')
			strbuf_add(out, "\\(ha");
		else if (c == '~')
			strbuf_add(out, "\\(ti");
		else
			strbuf_add_char(out, c);
	}
}

static void manual_text(struct strbuf *out, const char *text)
{
	manual_text_n(out, text, strlen(text));
}

/* A paragraph with a tag: the name in bold, what stands for a value in italics. */
static void manual_tag(struct strbuf *out, const char *name, const char *value)
{
	strbuf_add(out, ".TP\n\\fB");
	manual_text(out, name);
	strbuf_add(out, "\\fR");
	if (value) {
		strbuf_add(out, " \\fI");
		manual_text(out, value);
		strbuf_add(out, "\\fR");
	}
	strbuf_add_char(out, '\n');
}

static void manual_line(struct strbuf *out, const char *text)
{
	manual_text(out, text);
	strbuf_add_char(out, '\n');
}

/* ---- Lists ---- */

static void manual_option(struct strbuf *out, const struct option *option)
{
	strbuf_add(out, ".TP\n");
	if (option->letter)
		strbuf_printf(out, "\\fB\\-%c\\fR, ", option->letter);
	strbuf_add(out, "\\fB\\-\\-");
	manual_text(out, option->name);
	strbuf_add(out, "\\fR");
	if (option->value) {
		strbuf_add(out, " \\fI");
		manual_text(out, option->value);
		strbuf_add(out, "\\fR");
	}
	strbuf_add_char(out, '\n');
	manual_line(out, option->doc);
}

static void manual_options(struct strbuf *out, const struct option *options)
{
	for (; options->name; options++) {
		if (options->section)
			strbuf_printf(out, ".PP\n\\fI%s\\fR\n", options->section);
		manual_option(out, options);
	}
}

/* Sets that several verbs share are described once, with add and below OPTIONS. */
static bool manual_is_shared(const struct option *set)
{
	return set == option_trigger || set == option_job || set == option_label ||
	       set == option_target;
}

static void manual_verb(struct strbuf *out, const struct verb *verb)
{
	bool shared = strcmp(verb->name, "add") != 0;

	strbuf_add(out, ".SS ");
	manual_text(out, verb->name);
	strbuf_printf(out, "%s%s\n.B schedctl %s\n.I ", verb->alias ? ", " : "",
	    verb->alias ? verb->alias : "", verb->name);
	if (verb->usage[0])
		manual_line(out, verb->usage);
	else
		strbuf_add(out, "\\&\n");
	strbuf_add(out, ".PP\n");
	manual_text_n(out, verb->summary, strlen(verb->summary));
	strbuf_add(out, ".\n");
	if (verb->notes)
		manual_line(out, verb->notes);
	if (verb->examples) {
		strbuf_add(out, ".PP\n.nf\n.RS 4\n");
		manual_line(out, verb->examples);
		strbuf_add(out, ".RE\n.fi\n");
	}
	for (const struct option *const *set = verb->options; set && *set; set++)
		if (!shared || !manual_is_shared(*set))
			manual_options(out, *set);
}

static void manual_verbs(struct strbuf *out)
{
	for (const struct verb *const *verb = verb_rows; *verb; verb++)
		if (!(*verb)->hidden)
			manual_verb(out, *verb);
}

static void manual_global(struct strbuf *out)
{
	manual_options(out, option_global);
	strbuf_add(out, ".PP\nVerbs that act on several jobs take\n");
	manual_options(out, option_label);
	manual_options(out, option_target);
}

static void manual_field(struct strbuf *out, const struct job_field *field)
{
	manual_tag(out, field->name, field->value_name);
	manual_text(out, field->doc);
	strbuf_add(out, ".");
	if (field->fallback) {
		strbuf_add(out, " Default: ");
		manual_text(out, field->fallback);
		strbuf_add(out, ".");
	}
	strbuf_add_char(out, '\n');
}

static void manual_fields(struct strbuf *out)
{
	strbuf_add(out, ".SS In job files\n");
	for (const struct job_field *field = job_fields(); field->name; field++)
		if (field->flags & JOB_FIELD_FILE)
			manual_field(out, field);
	strbuf_add(out, ".SS Told by the daemon\n");
	for (const struct job_field *field = job_fields(); field->name; field++)
		if (!(field->flags & (JOB_FIELD_FILE | JOB_FIELD_HIDDEN)))
			manual_field(out, field);
}

static const char *manual_type(enum method_param_type type)
{
	static const char *const names[] = {[METHOD_TEXT] = "text",
	    [METHOD_TEXTS] = "texts",
	    [METHOD_BOOL] = "bool",
	    [METHOD_INT] = "int",
	    [METHOD_TIME] = "time",
	    [METHOD_SPAN] = "duration",
	    [METHOD_MAP] = "map",
	    [METHOD_LIST] = "list",
	    [METHOD_ANY] = "any",
	    [METHOD_ID] = "text",
	    [METHOD_NEW_ID] = "text",
	    [METHOD_IDS] = "texts",
	    [METHOD_RUN] = "text",
	    [METHOD_JOBS] = "list",
	    [METHOD_FIELDS] = "fields of a job"};

	return names[type];
}

static void manual_methods(struct strbuf *out)
{
	for (const struct method *method = methods_all(); method->name; method++) {
		strbuf_add(out, ".SS ");
		manual_line(out, method->name);
		manual_text(out, method->doc);
		strbuf_add(out, " Answers ");
		manual_text(out, method->answer);
		strbuf_printf(out, ". For %s.\n", methods_role_name(method->role));
		for (const struct method_param *param = method->params; param && param->name;
		     param++) {
			manual_tag(out, param->name, manual_type(param->type));
			manual_text(out, param->doc);
			strbuf_add(out, param->required ? " (required)\n" : "\n");
		}
	}
}

static void manual_events(struct strbuf *out)
{
	for (const struct event_row *row = event_rows(); row->name; row++) {
		char code[16];

		snprintf(code, sizeof(code), "%u", (unsigned)row->code);
		manual_tag(out, row->name, code);
		manual_line(out, row->doc);
	}
}

static void manual_variables(struct strbuf *out, const struct variable_row *row)
{
	for (; row->name; row++) {
		manual_tag(out, row->name, NULL);
		manual_line(out, row->doc);
	}
}

static void manual_command_variables(struct strbuf *out)
{
	manual_variables(out, variable_rows_command());
}

static void manual_notify_variables(struct strbuf *out)
{
	manual_variables(out, variable_rows_notify());
}

static void manual_directory(struct strbuf *out, const char *path)
{
	strbuf_add(out, ".TP\n.I ");
	manual_line(out, path);
}

static void manual_plugin_directory(struct strbuf *out)
{
	manual_directory(out, SCHEDD_PLUGIN_DIR);
}

static void manual_module_directory(struct strbuf *out)
{
	manual_directory(out, SCHEDD_MODULE_DIR);
}

static void manual_version(struct strbuf *out)
{
	strbuf_add(out, ".PP\nschedd " SCHEDD_VERSION "\n");
}

int manual_fill(struct strbuf *out, const char *page, struct schedd_error *err)
{
	static const struct {
		const char *name;
		void (*write)(struct strbuf *out);
	} lists[] = {
	    {"@verbs@", manual_verbs},
	    {"@options@", manual_global},
	    {"@fields@", manual_fields},
	    {"@methods@", manual_methods},
	    {"@events@", manual_events},
	    {"@variables@", manual_command_variables},
	    {"@notify-variables@", manual_notify_variables},
	    {"@plugin-directory@", manual_plugin_directory},
	    {"@module-directory@", manual_module_directory},
	    {"@version@", manual_version},
	};
	const size_t count = sizeof(lists) / sizeof(lists[0]);

	while (*page) {
		size_t length = strcspn(page, "\n"), i = 0;

		if (length < 3 || page[0] != '@' || page[length - 1] != '@') {
			strbuf_add_n(out, page, length);
			strbuf_add_char(out, '\n');
		} else {
			while (i < count && (strlen(lists[i].name) != length ||
						strncmp(lists[i].name, page, length) != 0))
				i++;
			if (i == count)
				return schedd_error_set(err, SCHEDD_EFILE,
				    "there is no list '%.*s'", (int)length, page);
			lists[i].write(out);
		}
		page += length + (page[length] == '\n');
	}
	return strbuf_failed(out) ? schedd_error_nomem(err) : 0;
}
