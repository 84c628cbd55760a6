/* SPDX-License-Identifier: MIT */
/*
 * A shell line is cut into words and separators, just well enough to see where
 * a command begins; nothing is expanded. The first command that does something
 * names the line.
 */
#include "jobfile/crontab_name.h"

#include <stdbool.h>
#include <string.h>

#define WORDS_MAX 32

/* One simple command: slices of the line. */
struct crontab_command {
	struct {
		const char *text;
		size_t length;
	} words[WORDS_MAX];
	size_t count;
};

/* Programs that only prepare or decide. */
static const char *const crontab_silent[] = {"[", "[[", "test", "true", "false", ":", ".", "source",
    "cd", "command", "export", "set", "unset", "umask", "ulimit", "sleep", "type", "which", "echo",
    "printf", "exit", "wait", "trap", "shift", "read", "cat", "mkdir", NULL};
static const char *const crontab_keywords[] = {"if", "then", "else", "elif", "fi", "while", "until",
    "do", "done", "!", "{", "}", "time", NULL};

/* Programs that run another: how many words of theirs stand before it, and options with a word. */
static const struct {
	const char *name;
	size_t own;
	const char *valued;
} crontab_wrappers[] = {
    {"nice", 0, "n"},
    {"ionice", 0, "cnp"},
    {"sudo", 0, "ugCpr"},
    {"doas", 0, "uC"},
    {"env", 0, "uCS"},
    {"exec", 0, "a"},
    {"nohup", 0, ""},
    {"setsid", 0, ""},
    {"chronic", 0, ""},
    {"timeout", 1, "sk"},
    {"flock", 1, "wE"},
    {"chrt", 1, "TPD"},
    {"taskset", 1, ""},
    {"systemd-cat", 0, "tp"},
    {"systemd-inhibit", 0, ""},
    {"stdbuf", 0, "ioe"},
};

/* Programs that stand for the file they are given. */
static const char *const crontab_interpreters[] = {"sh", "bash", "dash", "ksh", "zsh", "python",
    "python2", "python3", "perl", "ruby", "php", "node", "Rscript", "lua", "run-parts", NULL};
static const char *const crontab_suffixes[] = {
    ".sh", ".bash", ".py", ".pl", ".rb", ".php", ".js", NULL};

/* ---- Cutting ---- */

/* The end of a word: quotes, $(…), ${…} and `…` are passed over as a whole. */
static const char *crontab_word_end(const char *at)
{
	int depth = 0;

	for (; *at; at++) {
		if (*at == '\\' && at[1])
			at++;
		else if (*at == '\'' || *at == '"' || *at == '`') {
			char quote = *at++;

			while (*at && *at != quote)
				at += *at == '\\' && quote == '"' && at[1] ? 2 : 1;
			if (!*at)
				return at;
		} else if (*at == '$' && (at[1] == '(' || at[1] == '{')) {
			depth++;
			at++;
		} else if (depth > 0 && (*at == '(' || *at == '{')) {
			depth++;
		} else if (depth > 0 && (*at == ')' || *at == '}')) {
			depth--;
		} else if (depth == 0 && strchr(" \t\n;&|()<>", *at)) {
			break;
		}
	}
	return at;
}

/* Behind a redirection with its target. */
static const char *crontab_redirection_end(const char *at)
{
	at += strspn(at, "<>&|");
	at += strspn(at, " \t");
	return crontab_word_end(at);
}

/* The next simple command; false: the line is over. */
static bool crontab_command_next(const char **line, struct crontab_command *out)
{
	const char *at = *line;

	out->count = 0;
	at += strspn(at, " \t\n;&|()");
	if (!*at)
		return false;
	while (*at && !strchr("\n;&|()", *at)) {
		const char *end;

		if (strchr("<>", *at)) {
			at = crontab_redirection_end(at);
		} else {
			end = crontab_word_end(at);
			/* "2>" is a redirection too. */
			if (out->count < WORDS_MAX && !(end == at + 1 && *at >= '0' && *at <= '9' &&
							  strchr("<>", *end) && *end)) {
				out->words[out->count].text = at;
				out->words[out->count++].length = (size_t)(end - at);
			}
			at = end;
		}
		at += strspn(at, " \t");
	}
	*line = at;
	return true;
}

/* ---- Understanding ---- */

static bool crontab_word_is(const struct crontab_command *command, size_t i, const char *word)
{
	return strlen(word) == command->words[i].length &&
	       memcmp(command->words[i].text, word, command->words[i].length) == 0;
}

static bool crontab_word_among(
    const struct crontab_command *command, size_t i, const char *const *words)
{
	for (; *words; words++)
		if (crontab_word_is(command, i, *words))
			return true;
	return false;
}

/* NAME=… */
static bool crontab_word_assigns(const struct crontab_command *command, size_t i)
{
	const char *text = command->words[i].text;
	const char *equal = memchr(text, '=', command->words[i].length);

	if (!equal || equal == text)
		return false;
	for (; text < equal; text++)
		if (!((*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
			(*text >= '0' && *text <= '9') || *text == '_'))
			return false;
	return true;
}

/* The word behind wrapper i and its options; i itself where it is none. */
static size_t crontab_wrapper_end(const struct crontab_command *command, size_t i)
{
	size_t row = 0, own;

	while (row < sizeof(crontab_wrappers) / sizeof(crontab_wrappers[0]) &&
	       !crontab_word_is(command, i, crontab_wrappers[row].name))
		row++;
	if (row == sizeof(crontab_wrappers) / sizeof(crontab_wrappers[0]))
		return i;
	own = crontab_wrappers[row].own;
	for (i++; i < command->count; i++) {
		const char *text = command->words[i].text;
		size_t length = command->words[i].length;

		if (text[0] == '-' && length == 2 && strchr(crontab_wrappers[row].valued, text[1]))
			i++;
		else if (text[0] != '-' && !crontab_word_assigns(command, i) && own-- == 0)
			break;
	}
	return i;
}

/* Takes directories, quotes and what ids cannot hold out of a word; "" where nothing is left. */
static void crontab_name_clean(
    const char *text, size_t length, bool suffix, char out[CRONTAB_NAME_SIZE])
{
	size_t used = 0;

	for (size_t i = 0; i < length; i++) {
		char c = text[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			     (c >= '0' && c <= '9') || c == '_' ||
			     (used > 0 && (c == '.' || c == '-'));

		if (c == '/' && i + 1 < length && text[i + 1] != '"')
			used = 0;
		else if (plain && used < CRONTAB_NAME_SIZE - 1)
			out[used++] = c;
	}
	out[used] = '\0';
	for (const char *const *end = crontab_suffixes; suffix && *end; end++)
		if (used > strlen(*end) && strcmp(out + used - strlen(*end), *end) == 0)
			out[used - strlen(*end)] = '\0';
}

/* The script of an interpreter; count where it has none but a text of its own (-c, -e). */
static size_t crontab_script(const struct crontab_command *command, size_t i)
{
	for (i++; i < command->count; i++) {
		const char *text = command->words[i].text;

		if (text[0] != '-')
			return i;
		if (crontab_word_is(command, i, "-m"))
			return i + 1 < command->count ? i + 1 : command->count;
		if (strchr("ceER", text[1]) && command->words[i].length == 2)
			return command->count;
	}
	return command->count;
}

static void crontab_detail(
    const struct crontab_command *command, size_t program, char detail[CRONTAB_NAME_SIZE])
{
	detail[0] = '\0';
	for (size_t i = command->count; i-- > program + 1;) {
		char first = command->words[i].text[0];

		/* One letter is more often the value of an option. */
		if (command->words[i].length < 2 ||
		    !((first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z') ||
			first == '/'))
			continue;
		crontab_name_clean(command->words[i].text, command->words[i].length, false, detail);
		return;
	}
}

/* Does the command name the line? weak: what may stand in where nothing else does. */
static bool crontab_command_name(const struct crontab_command *command,
    char name[CRONTAB_NAME_SIZE], char detail[CRONTAB_NAME_SIZE], char weak[CRONTAB_NAME_SIZE])
{
	size_t i = 0, before;

	do {
		before = i;
		while (i < command->count && (crontab_word_assigns(command, i) ||
						 crontab_word_among(command, i, crontab_keywords)))
			i++;
		if (i < command->count)
			i = crontab_wrapper_end(command, i);
	} while (i != before && i < command->count);
	if (i >= command->count)
		return false;
	crontab_name_clean(command->words[i].text, command->words[i].length, true, name);
	if (!name[0] && !crontab_word_among(command, i, crontab_silent))
		return false;
	if (!weak[0])
		memcpy(weak, name, CRONTAB_NAME_SIZE);
	if (crontab_word_among(command, i, crontab_silent))
		return false;
	for (const char *const *word = crontab_interpreters; *word; word++)
		if (strcmp(name, *word) == 0) {
			i = crontab_script(command, i);
			if (i >= command->count)
				return false;
			crontab_name_clean(
			    command->words[i].text, command->words[i].length, true, name);
			break;
		}
	crontab_detail(command, i, detail);
	return name[0] != '\0';
}

void crontab_name(const char *line, char name[CRONTAB_NAME_SIZE], char detail[CRONTAB_NAME_SIZE])
{
	char weak[CRONTAB_NAME_SIZE] = "";
	struct crontab_command command;

	name[0] = '\0';
	detail[0] = '\0';
	while (crontab_command_next(&line, &command))
		if (crontab_command_name(&command, name, detail, weak))
			return;
	detail[0] = '\0';
	memcpy(name, weak[0] ? weak : "job", weak[0] ? sizeof(weak) : sizeof("job"));
}
