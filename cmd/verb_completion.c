/* SPDX-License-Identifier: MIT */
/* completion: the scripts of completions/, built in. */
#include <string.h>

#include "cmd/completion_scripts.h"
#include "cmd/out.h"
#include "cmd/say.h"
#include "cmd/verb_rows.h"

static int completion_run(struct command *command)
{
	const char *shell = command->args.words[0];

	for (const struct completion_script *script = completion_scripts; script->shell; script++)
		if (strcmp(script->shell, shell) == 0)
			return out_write(script->text, strlen(script->text)) ? EXIT_DONE
									     : EXIT_PIPE;
	return say_usage(command, "there is no completion for '%s': bash, zsh or fish", shell);
}

const struct verb verb_completion = {
    .name = "completion",
    .group = "About",
    .summary = "print the completion script of a shell",
    .usage = "bash|zsh|fish",
    .examples = "source <(schedctl completion bash)\n"
		"schedctl completion zsh > ~/.zfunc/_schedctl\n"
		"schedctl completion fish > ~/.config/fish/completions/schedctl.fish",
    .complete = COMPLETE_SHELL,
    .min_words = 1,
    .max_words = 1,
    .run = completion_run,
};
