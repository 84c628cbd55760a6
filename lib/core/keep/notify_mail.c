/* SPDX-License-Identifier: MIT */
#include "core/keep/notify_mail.h"

#include <stdint.h>
#include <string.h>
#include "base/civil.h"
#include "base/duration.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "executor/output_tail.h"
#include "model/job_words.h"

#define MAIL_LINES 20       /* of output */
#define MAIL_OUTPUT 16384   /* bytes of it at most */
#define MAIL_LINE_MAX 900   /* RFC 5322 allows 998 */
#define MAIL_SUBJECT_MAX 80 /* of the reason */

/* One line of plain text, whatever is in it. */
static void mail_text(struct strbuf *out, const char *text, size_t length)
{
	size_t width = 0;

	while (length > 0) {
		size_t size = utf8_size(text, length);
		unsigned char c = (unsigned char)*text;

		if (size == 0 || (c < 0x20 && c != '\t') || c == 0x7f)
			strbuf_printf(out, "\\x%02x", c);
		else
			strbuf_add_n(out, text, size);
		size = size ? size : 1;
		text += size;
		length -= size;
		width += size;
		if (width >= MAIL_LINE_MAX && length > 0) {
			strbuf_add(out, "\n    ");
			width = 0;
		}
	}
}

/* "schedd: job backup failed on db1: exit code 3" */
static void mail_subject(struct strbuf *out, const struct notify_letter *letter)
{
	static const struct {
		const char *word, *verb;
	} verbs[] = {
	    {"recovery", "succeeds again"},
	    {"late", "started late"},
	    {"missed", "missed its time"},
	    {"success", "succeeded"},
	};
	static const char *const states[] = {
	    [RUN_SUCCESS] = "succeeded",
	    [RUN_FAILED] = "failed",
	    [RUN_TIMEOUT] = "took too long",
	    [RUN_KILLED] = "was killed",
	    [RUN_LOST] = "was lost",
	    [RUN_MISSED] = "missed its time",
	};
	enum run_state state = letter->run->state;
	const char *reason = letter->run->reason, *verb = NULL;

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].word, letter->word) == 0)
			verb = verbs[i].verb;
	if (!verb && (size_t)state < sizeof(states) / sizeof(states[0]))
		verb = states[state];
	strbuf_printf(out, "Subject: schedd: job %s %s on %s", letter->about->id,
	    verb ? verb : run_state_name(state), letter->host);
	if (reason && state != RUN_SUCCESS)
		strbuf_add(out, ": ");
	for (size_t i = 0; reason && state != RUN_SUCCESS && reason[i] && i < MAIL_SUBJECT_MAX; i++)
		strbuf_add_char(out, reason[i] >= 0x20 && reason[i] < 0x7f ? reason[i] : '?');
	strbuf_add_char(out, '\n');
}

static void mail_name(struct strbuf *out, const char *name)
{
	strbuf_printf(out, "%-10s", name);
}

static void mail_line(struct strbuf *out, const char *name, const char *text)
{
	mail_name(out, name);
	mail_text(out, text, strlen(text));
	strbuf_add_char(out, '\n');
}

/* "2026-11-29 02:30:00 Europe/Berlin" */
static void mail_time(
    struct strbuf *out, const char *name, schedd_time when, const struct zone *zone)
{
	struct civil civil;
	int64_t second = when / SCHEDD_SECOND;

	if (when == SCHEDD_TIME_NONE)
		return;
	civil_from_seconds(second + zone_offset(zone, second), &civil);
	mail_name(out, name);
	strbuf_printf(out, "%04d-%02d-%02d %02d:%02d:%02d %s\n", civil.year, civil.month, civil.day,
	    civil.hour, civil.minute, civil.second, zone_name(zone));
}

static void mail_facts(struct strbuf *out, const struct notify_letter *letter)
{
	const struct run *run = letter->run;
	struct strbuf text = STRBUF_EMPTY;

	mail_line(out, "Job:", letter->about->id);
	if (letter->about->name)
		mail_line(out, "Name:", letter->about->name);
	mail_line(out, "Host:", letter->host);
	job_words_what(letter->about, &text);
	mail_line(out, "Command:", strbuf_peek(&text));
	strbuf_reset(&text);
	job_words_when(letter->about, &text);
	mail_line(out, "Schedule:", strbuf_peek(&text));
	strbuf_reset(&text);
	mail_name(out, "Run:");
	strbuf_printf(out, "%s/%u, attempt %u\n", letter->about->id, run->number,
	    run->attempt ? run->attempt : 1);
	mail_line(out, "Ended as:", run_state_name(run->state));
	if (run->reason)
		mail_line(out, "Reason:", run->reason);
	mail_time(out, "Due:", run->scheduled_at, letter->zone);
	if (run->count > 1)
		strbuf_printf(
		    out, "%-10s%llu fire times\n", "Missed:", (unsigned long long)run->count);
	if (run->count > 1)
		mail_time(out, "Until:", run->until, letter->zone);
	mail_time(out, "Started:", run->started_at, letter->zone);
	mail_time(out, "Ended:", run->ended_at, letter->zone);
	if (run->started_at != SCHEDD_TIME_NONE && run->ended_at != SCHEDD_TIME_NONE) {
		duration_format(&text, run->ended_at - run->started_at);
		mail_line(out, "Took:", strbuf_peek(&text));
	}
	strbuf_clear(&text);
}

/* ---- Its last words ---- */

struct mail_tail {
	struct strbuf text;
	uint64_t skip; /* bytes still to be passed over */
};

/* Forgets all but the last bytes. */
static void mail_cut(struct strbuf *text)
{
	memmove(text->data, text->data + (text->length - MAIL_OUTPUT), MAIL_OUTPUT);
	text->length = MAIL_OUTPUT;
	text->data[MAIL_OUTPUT] = '\0';
}

static void mail_piece(const struct output_piece *piece, void *context)
{
	struct mail_tail *tail = context;
	size_t passed = piece->length < tail->skip ? piece->length : (size_t)tail->skip;

	if (!piece->bytes)
		return;
	tail->skip -= passed;
	strbuf_add_n(&tail->text, piece->bytes + passed, piece->length - passed);
	/* A last line without end may be as long as all that is kept. */
	if (tail->text.length > 2 * (size_t)MAIL_OUTPUT)
		mail_cut(&tail->text);
}

static void mail_output(struct strbuf *out, const struct notify_letter *letter)
{
	const struct output_source source = {.live = letter->output, .path = letter->path};
	struct mail_tail tail = {.text = STRBUF_EMPTY};
	const char *text, *end;
	int rc = 0;

	if (!letter->output && !letter->path)
		return;
	rc = output_tail_offset(&source, -1, MAIL_LINES, &tail.skip, NULL);
	if (!rc)
		rc = output_source_read(&source, mail_piece, &tail, NULL);
	if (!rc && tail.text.length > MAIL_OUTPUT)
		mail_cut(&tail.text);
	if (!rc && tail.text.length > 0)
		strbuf_add(out, "\nThe last lines it wrote:\n\n");
	text = strbuf_peek(&tail.text);
	for (end = text + tail.text.length; !rc && text < end;) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *stop = newline ? newline : end;

		strbuf_add(out, "    ");
		mail_text(out, text, (size_t)(stop - text));
		strbuf_add_char(out, '\n');
		text = stop + 1;
	}
	strbuf_clear(&tail.text);
}

char *notify_mail(const struct notify_letter *letter)
{
	struct strbuf text = STRBUF_EMPTY;
	const char *id = letter->about->id;
	uint32_t number = letter->run->number;

	strbuf_printf(&text, "To: %s\n", letter->address);
	mail_subject(&text, letter);
	strbuf_add(&text, "MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\n"
			  "Content-Transfer-Encoding: 8bit\nAuto-Submitted: auto-generated\n\n");
	mail_facts(&text, letter);
	mail_output(&text, letter);
	strbuf_printf(&text,
	    "\nTo see more:\n"
	    "    schedctl logs %s/%u    all it wrote\n"
	    "    schedctl show %s/%u    all about this run\n"
	    "    schedctl why %s        why it did or did not run\n",
	    id, number, id, number, id);
	return strbuf_take(&text);
}
