/* SPDX-License-Identifier: MIT */
/* __complete AT WORD…: what the completion scripts call. Says nothing on stderr and never fails. */
#include <stdlib.h>

#include "cmd/complete.h"
#include "cmd/out.h"
#include "cmd/verb_rows.h"

static int complete_run(struct command *command)
{
	const struct args *args = &command->args;
	struct strbuf out = STRBUF_EMPTY;
	int at = args->word_count > 0 ? atoi(args->words[0]) : 0;

	complete_line(command, args->rest, args->rest_count, at, &out);
	out_write(strbuf_peek(&out), out.length);
	strbuf_clear(&out);
	return EXIT_DONE;
}

const struct verb verb_complete = {
    .name = "__complete",
    .group = "About",
    .summary = "answer a completion script",
    .usage = "AT -- WORD…",
    .min_words = 1,
    .max_words = 1,
    .rest = true,
    .hidden = true,
    .run = complete_run,
};
