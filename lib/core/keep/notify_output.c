/* SPDX-License-Identifier: MIT */
/* Header by header what Debian's cron 3.0pl1 writes; programs that sort its mail go on doing so. */
#include "core/keep/notify_output.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/system_user.h"
#include "model/job_words.h"

const char *const notify_output_options[] = {"-FCronDaemon", "-i", "-B8BITMIME", "-oem", NULL};

/* A value of a header: what would end it does not get in. */
static void output_header(struct strbuf *out, const char *name, const char *text)
{
	strbuf_printf(out, "%s: ", name);
	for (; *text; text++)
		strbuf_add_char(out, (char)(*text == '\n' || *text == '\r' ? ' ' : *text));
	strbuf_add_char(out, '\n');
}

/* The account whose run it is. What nobody says of it in time is left out. */
static void output_account(const struct job_details *details, struct system_user *user)
{
	size_t length = details->user ? strcspn(details->user, ":") : 0;
	char name[sizeof(user->name)] = "";

	if (length > 0 && length < sizeof(name))
		memcpy(name, details->user, length);
	if ((name[0] ? system_user_named(name, user, NULL) : system_user_numbered(geteuid(), user, NULL)) == 0)
		return;
	memset(user, 0, sizeof(*user));
	snprintf(user->name, sizeof(user->name), "%s", name[0] ? name : "root");
}

static void output_subject(
    struct strbuf *out, const struct notify_letter *letter, const char *account)
{
	const struct run *run = letter->run;
	struct strbuf subject = STRBUF_EMPTY;

	strbuf_printf(
	    &subject, "Cron <%s@%.*s> ", account, (int)strcspn(letter->host, "."), letter->host);
	job_words_what(letter->about, &subject);
	if (run->state != RUN_SUCCESS)
		strbuf_add(&subject, " (failed)");
	output_header(out, "Subject", strbuf_peek(&subject));
	out->failed |= strbuf_failed(&subject);
	strbuf_clear(&subject);
}

static void output_variable(
    struct strbuf *out, const struct job_pairs *env, const char *name, const char *text)
{
	struct strbuf value = STRBUF_EMPTY;

	if (!text || (env && job_pairs_get(env, name)))
		return;
	strbuf_printf(&value, "<%s=%s>", name, text);
	output_header(out, "X-Cron-Env", strbuf_peek(&value));
	strbuf_clear(&value);
}

static void output_environment(struct strbuf *out, const struct job_details *details,
    const struct system_user *user)
{
	const struct job_pairs *env = &details->env;

	for (uint32_t i = 0; i < env->count; i++)
		output_variable(out, NULL, env->items[i].name, env->items[i].text);
	output_variable(out, env, "SHELL", details->shell_path ? details->shell_path : "/bin/sh");
	output_variable(out, env, "HOME", user->home[0] ? user->home : NULL);
	output_variable(out, env, "LOGNAME", user->name);
}

static void output_piece(const struct output_piece *piece, void *context)
{
	struct strbuf *out = context;

	if (piece->bytes)
		strbuf_add_n(out, piece->bytes, piece->length);
	else
		strbuf_printf(out, "\n[%zu bytes were not kept]\n", piece->length);
}

void notify_output_mail(const struct notify_letter *letter, struct strbuf *out)
{
	const struct job_details *details = job_details(letter->about);
	const char *from = job_pairs_get(&details->env, "MAILFROM");
	const char *type = job_pairs_get(&details->env, "CONTENT_TYPE");
	const char *encoding = job_pairs_get(&details->env, "CONTENT_TRANSFER_ENCODING");
	struct system_user user;

	output_account(details, &user);
	output_header(out, "From", from && *from ? from : "root (Cron Daemon)");
	output_header(out, "To", letter->address);
	output_subject(out, letter, user.name);
	strbuf_add(out, "MIME-Version: 1.0\n");
	output_header(out, "Content-Type", type && *type ? type : "text/plain; charset=UTF-8");
	output_header(out, "Content-Transfer-Encoding", encoding && *encoding ? encoding : "8bit");
	output_environment(out, details, &user);
	strbuf_add_char(out, '\n');
	if (letter->output)
		output_read(letter->output, output_piece, out);
	else if (letter->path && output_read_file(letter->path, output_piece, out, NULL) != 0)
		strbuf_add(out, "[the output cannot be read]\n");
}
