/* SPDX-License-Identifier: MIT */
/* Signals by name: TERM, SIGTERM, term or 15; real-time ones as RTMIN+3. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "model/job_field_ops.h"

/* A small number behind "RTMIN+", or all of the text; -1: it is none. */
static int job_signal_number(const char *text)
{
	int number = 0;

	if (!*text || strlen(text) > 3)
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		number = number * 10 + (*text - '0');
	}
	return number;
}

int job_signal_parse(const char *text)
{
	int number = job_signal_number(text);

	if (number >= 0)
		return number >= 1 && number < NSIG ? number : -1;
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	if (strncasecmp(text, "RTMIN", 5) == 0 && (text[5] == '+' || !text[5])) {
		number = text[5] ? job_signal_number(text + 6) : 0;
		return number >= 0 && SIGRTMIN + number <= SIGRTMAX ? SIGRTMIN + number : -1;
	}
	for (number = 1; number < NSIG; number++) {
		const char *name = sigabbrev_np(number);

		if (name && strcasecmp(name, text) == 0)
			return number;
	}
	return -1;
}

const char *job_signal_name(int number, char *text, size_t size)
{
	const char *name = sigabbrev_np(number);

	if (name)
		snprintf(text, size, "%s", name);
	else if (number >= SIGRTMIN && number <= SIGRTMAX)
		snprintf(text, size, "RTMIN+%d", number - SIGRTMIN);
	else
		snprintf(text, size, "%d", number);
	return text;
}

static int job_signal_read(const struct job_halves *halves, const struct job_field *field,
    const struct value *value, const struct job_fields_context *context, struct schedd_error *err)
{
	int number = -1;

	(void)context;
	if (value->type == VALUE_STRING && strlen(value->string.text) == value->string.length)
		number = job_signal_parse(value->string.text);
	else if (value->type == VALUE_INT && value->integer >= 1 && value->integer < NSIG)
		number = (int)value->integer;
	else if (value->type != VALUE_STRING && value->type != VALUE_INT)
		return schedd_error_set(err, SCHEDD_EINVAL, "%s is not a signal, write TERM or 15",
		    value_type_name(value->type));
	if (number < 0 && value->type == VALUE_INT)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "there is no signal %lld", (long long)value->integer);
	if (number < 0)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "there is no signal '%.40s', kill -l lists them", value->string.text);
	if (job_place_set_integer(halves, field, number))
		return schedd_error_nomem(err);
	return 0;
}

static struct value job_signal_write(
    const struct job_halves *halves, const struct job_field *field, struct arena *arena)
{
	char text[JOB_SIGNAL_NAME_SIZE];

	return value_string(
	    arena, job_signal_name((int)job_place_integer(halves, field), text, sizeof(text)));
}

const struct job_field_ops job_signal_ops = {
    .read = job_signal_read,
    .write = job_signal_write,
    .is_default = job_place_same,
    .reset = job_place_reset,
};
