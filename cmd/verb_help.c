/* SPDX-License-Identifier: MIT */
#include "cmd/help.h"
#include "cmd/out.h"
#include "cmd/verb_rows.h"

static int help_run(struct command *command)
{
	struct strbuf text = STRBUF_EMPTY;
	const struct verb *verb = NULL;
	bool written;

	if (command->args.word_count > 0) {
		verb = verbs_find(command->verbs, command->args.words[0]);
		if (!verb)
			return verbs_unknown(command, command->args.words[0]);
		help_verb(&text, verb, true);
	} else {
		help_overview(&text, command->verbs);
	}
	written = out_write(strbuf_peek(&text), text.length);
	strbuf_clear(&text);
	return written ? EXIT_DONE : EXIT_PIPE;
}

const struct verb verb_help = {
    .name = "help",
    .group = "About",
    .summary = "show help, of all or of one verb",
    .usage = "[VERB]",
    .examples = "schedctl help\nschedctl help add",
    .complete = COMPLETE_VERB,
    .max_words = 1,
    .run = help_run,
};
