/* SPDX-License-Identifier: MIT */
#include "cmd/say.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "cmd/out.h"

static void say_error_json(int code, const char *message, int status)
{
	struct strbuf line = STRBUF_EMPTY;

	strbuf_printf(&line, "{\"error\":{\"code\":\"%s\",\"message\":", schedd_error_name(code));
	json_write_string(&line, message, strlen(message));
	strbuf_printf(&line, ",\"exit\":%d}}\n", status);
	fputs(strbuf_peek(&line), stderr);
	strbuf_clear(&line);
}

int say_error(struct command *command, const struct schedd_error *err)
{
	int status = command->job_status ? EXIT_OWN_FAILURE : exit_code_of(err->code);
	struct strbuf line = STRBUF_EMPTY;

	if (out_is_json(command)) {
		say_error_json(err->code, err->message, status);
		return status;
	}
	out_safe(&line, err->message, strlen(err->message), true);
	fprintf(stderr, "schedctl: %s\n", strbuf_peek(&line));
	strbuf_clear(&line);
	return status;
}

static void __attribute__((format(printf, 2, 0))) say_line(
    const struct command *command, const char *format, va_list ap)
{
	if (command->out.quiet)
		return;
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
}

void say(const struct command *command, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say_line(command, format, ap);
	va_end(ap);
}

void say_hint(const struct command *command, const char *format, ...)
{
	va_list ap;

	if (out_is_json(command))
		return;
	va_start(ap, format);
	say_line(command, format, ap);
	va_end(ap);
}

void say_ended(struct command *command, int status, const char *text)
{
	if (status == EXIT_DONE || !out_is_json(command))
		say(command, "%s", text);
	else if (!command->out.quiet)
		say_error_json(SCHEDD_EFAILED, text, status);
}

int say_usage(struct command *command, const char *format, ...)
{
	struct schedd_error err = {.code = SCHEDD_EINVAL, .offset = -1};
	va_list ap;

	va_start(ap, format);
	vsnprintf(err.message, sizeof(err.message), format, ap);
	va_end(ap);
	return say_error(command, &err);
}

bool say_confirm(struct command *command, int *status, const char *format, ...)
{
	char question[512], answer[16];
	va_list ap;

	if (args_has(&command->args, "yes"))
		return true;
	va_start(ap, format);
	vsnprintf(question, sizeof(question), format, ap);
	va_end(ap);
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
		*status = say_usage(command, "to %s needs -y where nobody can be asked", question);
		return false;
	}
	question[0] = (char)(question[0] - 'a' + 'A');
	fprintf(stderr, "%s? [y/N] ", question);
	fflush(stderr);
	if (fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y'))
		return true;
	say(command, "Nothing was changed.");
	*status = EXIT_FAILED;
	return false;
}
