/* SPDX-License-Identifier: MIT */
#include "executor/subprocess_http.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/arena.h"
#include "base/dynlib.h"
#include "base/strbuf.h"
#include "executor/http_program.h"
#include "executor/sealed_text.h"

int subprocess_http_check(struct schedd_error *err)
{
	int program = dynlib_program(HTTP_PROGRAM, err);

	if (program < 0)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "http: requests of accounts are sent by the program " HTTP_PROGRAM
		    ", which schedd is built with where libcurl is, and that is not in %s",
		    dynlib_directory());
	close(program);
	return 0;
}

const char *const *subprocess_http_argv(struct arena *arena)
{
	const char **argv = arena_alloc(arena, 2 * sizeof(*argv));
	char link[48], path[PATH_MAX];
	int program = dynlib_program(HTTP_PROGRAM, NULL);
	ssize_t length = -1;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", program);
	if (program >= 0) {
		length = readlink(link, path, sizeof(path) - 1);
		close(program);
	}
	if (!argv || length <= 0)
		return NULL;
	argv[0] = arena_strndup(arena, path, (size_t)length);
	argv[1] = NULL;
	return argv[0] ? argv : NULL;
}

static void http_add(struct strbuf *out, enum http_program_part part, const char *text)
{
	strbuf_add_char(out, (char)part);
	strbuf_add_n(out, text, strlen(text) + 1);
}

int subprocess_http_files(struct subprocess_task *task, struct spawn *how, struct schedd_error *err)
{
	const struct job_http *asked = task->task.request->job->http;
	struct strbuf text = STRBUF_EMPTY;
	int note;

	http_add(&text, HTTP_PROGRAM_METHOD, asked->method);
	http_add(&text, HTTP_PROGRAM_URL, asked->url);
	for (uint32_t i = 0; i < asked->headers.count; i++) {
		http_add(&text, HTTP_PROGRAM_HEADER, asked->headers.items[i].name);
		http_add(&text, HTTP_PROGRAM_TEXT, asked->headers.items[i].text);
	}
	if (asked->body)
		http_add(&text, HTTP_PROGRAM_BODY, asked->body);
	if (strbuf_failed(&text)) {
		strbuf_clear(&text);
		return schedd_error_nomem(err);
	}
	how->fds[SPAWN_FD_INPUT] = sealed_text_new(text.data, text.length, "request", err);
	strbuf_clear(&text);
	if (how->fds[SPAWN_FD_INPUT] < 0)
		return err->code;
	note = sealed_text_blank(HTTP_PROGRAM_NOTE_MAX, "note", err);
	if (note < 0)
		return err->code;
	how->fds[SPAWN_FD_EXTRA] = note;
	task->note = fcntl(note, F_DUPFD_CLOEXEC, 0);
	return 0;
}

void subprocess_http_result(
    const struct subprocess_task *task, struct task_result *result, struct schedd_error *why)
{
	char words[HTTP_PROGRAM_NOTE_MAX] = "";

	if (task->note >= 0 && pread(task->note, words, sizeof(words) - 1, 0) < 0)
		words[0] = '\0';
	if (result->exit_code == HTTP_PROGRAM_NO_ANSWER)
		result->exit_code = -1;
	if (result->reason || result->signal || result->exit_code == 0 || !words[0])
		return;
	/* It is the account's word: whatever it is, it becomes one sentence. */
	schedd_error_set(why, SCHEDD_EFAILED, "%s", words);
	result->reason = why->message;
}
