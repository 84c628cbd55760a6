/* SPDX-License-Identifier: MIT */
/* The grammar: where in the command line is the cursor? */
#include "cmd/complete.h"

#include <string.h>

#include "cmd/store_acts.h"
#include "cmd/verbs.h"

/* The row an option word means: --name, --name=… or -x; NULL: none. */
static const struct option *complete_option(const struct option *const *sets, const char *word)
{
	size_t length = strcspn(word, "=");

	for (; word[0] == '-' && word[1] && *sets; sets++)
		for (const struct option *option = *sets; option->name; option++) {
			if (word[1] == '-' && strlen(option->name) == length - 2 &&
			    strncmp(option->name, word + 2, length - 2) == 0)
				return option;
			if (word[1] != '-' && option->letter == word[1] && !word[2])
				return option;
		}
	return NULL;
}

static void complete_options(
    const struct option *const *sets, const char *const *words, int at, struct strbuf *out)
{
	for (const struct option *const *set = sets; *set; set++)
		for (const struct option *option = *set; option->name; option++) {
			bool used = false;
			char text[64];

			for (int i = 1; i < at; i++)
				used |= complete_option(sets, words[i]) == option;
			if (used && !option->repeat)
				continue;
			strcpy(text, "--");
			strncat(text, option->name, sizeof(text) - 3);
			complete_offer(out, words[at], text, option->doc);
		}
}

static void complete_verbs(const struct verb *const *verb, const char *prefix, struct strbuf *out)
{
	for (; *verb; verb++)
		if (!(*verb)->hidden)
			complete_offer(out, prefix, (*verb)->name, (*verb)->summary);
}

/* What a value or an argument of that kind may be: a directive and its candidates. */
static void complete_kind(struct command *command, enum complete kind, const struct option *option,
    const char *prefix, struct strbuf *out)
{
	if (kind == COMPLETE_FILE) {
		strbuf_add(out, ":files\n");
		return;
	}
	if (kind == COMPLETE_DIRECTORY) {
		strbuf_add(out, ":directories\n");
		return;
	}
	strbuf_add(out, ":words\n");
	if (kind == COMPLETE_VERB)
		complete_verbs(command->verbs, prefix, out);
	else
		complete_values(command, kind, option, prefix, out);
}

/* The option whose value is at the cursor, with what was typed of the value; NULL: none. */
static const struct option *complete_pending(
    const struct option *const *sets, const char *const *words, int at, const char **typed)
{
	const char *equals = strchr(words[at], '=');
	const struct option *option;

	if (words[at][0] == '-' && words[at][1] == '-' && equals) {
		*typed = equals + 1;
		option = complete_option(sets, words[at]);
		return option && option->value ? option : NULL;
	}
	option = at > 1 ? complete_option(sets, words[at - 1]) : NULL;
	*typed = words[at];
	return option && option->value && !strchr(words[at - 1], '=') ? option : NULL;
}

/* The verb among the words before the cursor; NULL: none yet. */
static const struct verb *complete_verb(
    const struct verb *const *verbs, const char *const *words, int at)
{
	const struct option *const sets[] = {option_global, NULL};

	for (int i = 1; i < at; i++) {
		const struct option *option = complete_option(sets, words[i]);

		if (option && option->value && !strchr(words[i], '='))
			i++;
		else if (words[i][0] != '-')
			return verbs_find(verbs, words[i]);
	}
	return NULL;
}

/* What follows the first word behind the verb. */
static enum complete complete_act_kind(const struct verb *verb, const char *const *words, int at)
{
	int act = 1;

	while (act < at && strcmp(words[act], verb->name) != 0)
		act++;
	return act + 1 < at ? store_act_complete(words[act + 1]) : COMPLETE_NONE;
}

/* What the word at the cursor is, if no option. */
static enum complete complete_word_kind(const struct verb *verb, const char *const *words, int at)
{
	if (!verb)
		return COMPLETE_VERB;
	/* The first word says what kind of files the others are. */
	if (verb->complete == COMPLETE_IMPORT && strcmp(words[at - 1], verb->name) != 0)
		return COMPLETE_FILE;
	/* And what is done what it is done to. */
	if (verb->complete == COMPLETE_STORE_ACT && strcmp(words[at - 1], verb->name) != 0)
		return complete_act_kind(verb, words, at);
	if (verb->complete == COMPLETE_NODE_ACT && strcmp(words[at - 1], verb->name) != 0)
		return COMPLETE_NODE;
	return verb->complete;
}

void complete_line(
    struct command *command, const char *const *words, int count, int at, struct strbuf *out)
{
	const struct verb *verb = complete_verb(command->verbs, words, at);
	const struct option *sets[8] = {option_global};
	const struct option *option;
	const char *typed;
	int set = 1;

	if (at < 1 || at >= count)
		return;
	command->verb = verb;
	for (int i = 1; i < at; i++)
		if (strcmp(words[i], "--") == 0) {
			strbuf_printf(out, ":command %d\n", i + 1);
			return;
		}
	for (const struct option *const *more = verb ? verb->options : NULL;
	     more && *more && set < 7; more++)
		sets[set++] = *more;
	option = complete_pending(sets, words, at, &typed);
	if (option) {
		complete_kind(command, option->complete, option, typed, out);
	} else if (words[at][0] == '-') {
		strbuf_add(out, ":words\n");
		complete_options(sets, words, at, out);
	} else {
		complete_kind(command, complete_word_kind(verb, words, at), NULL, words[at], out);
	}
}
