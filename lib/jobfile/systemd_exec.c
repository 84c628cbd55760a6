/* SPDX-License-Identifier: MIT */
/* Quotes, escapes and specifiers are resolved; $VARIABLES become those of a shell. */
#include "jobfile/systemd_exec.h"

#include <string.h>

struct systemd_words {
	const char *at;
	const char *unit;
	struct arena *arena;
	struct strbuf word;
	struct schedd_error *err;
};

/* ---- Specifiers ---- */

/* %n, %N, %p, %i and %% of the unit's name; false: another. */
static bool systemd_specifier(struct systemd_words *words, char letter)
{
	const char *unit = words->unit;
	const char *dot = strrchr(unit, '.');
	size_t whole = dot ? (size_t)(dot - unit) : strlen(unit);
	const char *at = memchr(unit, '@', whole);
	size_t prefix = at ? (size_t)(at - unit) : whole;

	switch (letter) {
	case '%':
		strbuf_add_char(&words->word, '%');
		return true;
	case 'n':
		strbuf_add(&words->word, unit);
		return true;
	case 'N':
		strbuf_add_n(&words->word, unit, whole);
		return true;
	case 'p':
		strbuf_add_n(&words->word, unit, prefix);
		return true;
	case 'i':
		if (!at || whole == prefix + 1)
			return false;
		strbuf_add_n(&words->word, at + 1, whole - prefix - 1);
		return true;
	default:
		return false;
	}
}

/* ---- Words ---- */

/* Behind the backslash and what it stands for. */
static void systemd_escape(struct systemd_words *words)
{
	static const char letters[] = "abfnrtvs", bytes[] = "\a\b\f\n\r\t\v ";
	const char *letter = strchr(letters, words->at[1]);

	if (!words->at[1]) {
		strbuf_add_char(&words->word, '\\');
		words->at++;
		return;
	}
	if (letter)
		strbuf_add_char(&words->word, bytes[letter - letters]);
	else if (words->at[1] == '\\' || words->at[1] == '"' || words->at[1] == '\'')
		strbuf_add_char(&words->word, words->at[1]);
	else
		strbuf_add_n(&words->word, words->at, 2);
	words->at += 2;
}

/* The word that begins at words->at into words->word. */
static int systemd_word(struct systemd_words *words)
{
	char quote = '\0';

	strbuf_reset(&words->word);
	for (;;) {
		char c = *words->at;

		if (!c && quote)
			return schedd_error_set(words->err, SCHEDD_EINVAL, "a quote is not closed");
		if (!c || (!quote && strchr(" \t", c)))
			return 0;
		if (c == quote) {
			quote = '\0';
			words->at++;
		} else if (!quote && (c == '"' || c == '\'')) {
			quote = c;
			words->at++;
		} else if (c == '\\') {
			systemd_escape(words);
		} else if (c == '%') {
			if (!words->at[1] || !systemd_specifier(words, words->at[1]))
				return schedd_error_set(words->err, SCHEDD_EINVAL,
				    "the specifier '%.2s' is not known here", words->at);
			words->at += 2;
		} else {
			strbuf_add_char(&words->word, c);
			words->at++;
		}
	}
}

int systemd_exec_words(const char *value, const char *unit, struct arena *arena, struct value *out,
    struct schedd_error *err)
{
	struct systemd_words words = {.at = value, .unit = unit, .arena = arena, .err = err};
	int rc = 0;

	*out = value_array();
	for (;;) {
		words.at += strspn(words.at, " \t");
		if (!*words.at || rc)
			break;
		rc = systemd_word(&words);
		if (!rc && !value_append(arena, out, value_string(arena, strbuf_peek(&words.word))))
			rc = schedd_error_nomem(err);
	}
	if (!rc && strbuf_failed(&words.word))
		rc = schedd_error_nomem(err);
	strbuf_clear(&words.word);
	return rc;
}

int systemd_exec_read(const char *value, const char *unit, struct arena *arena,
    struct systemd_exec *out, struct schedd_error *err)
{
	int rc;

	memset(out, 0, sizeof(*out));
	for (; *value && strchr("@-:+!|", *value); value++) {
		out->may_fail |= *value == '-';
		out->privileged |= *value == '+' || *value == '!';
		if (*value == '@')
			return schedd_error_set(
			    err, SCHEDD_EINVAL, "a command with a name of its own ('@')");
	}
	rc = systemd_exec_words(value, unit, arena, &out->argv, err);
	if (rc)
		return rc;
	if (out->argv.array.count == 0)
		return schedd_error_set(err, SCHEDD_EINVAL, "the command is empty");
	for (uint32_t i = 0; i < out->argv.array.count; i++)
		out->variables |= strchr(out->argv.array.items[i].string.text, '$') != NULL;
	return 0;
}

/* ---- For a shell ---- */

static bool systemd_is_name(const char *text)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";

	return *text && strspn(text, letters) > 0 &&
	       text[strspn(text,
		   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789")] == '\0';
}

/* $NAME alone is split into words, ${NAME} is put in, $$ is a '$'. */
static void systemd_shell_word(struct strbuf *out, const char *word)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				    "_./:=@,+-";

	if (word[0] == '$' && systemd_is_name(word + 1)) {
		strbuf_add(out, word);
		return;
	}
	if (*word && word[strspn(word, plain)] == '\0') {
		strbuf_add(out, word);
		return;
	}
	strbuf_add_char(out, '"');
	for (; *word; word++) {
		if (word[0] == '$' && word[1] == '$') {
			strbuf_add(out, "\\$");
			word++;
			continue;
		}
		if (strchr("\"\\`", *word) || (*word == '$' && word[1] != '{'))
			strbuf_add_char(out, '\\');
		strbuf_add_char(out, *word);
	}
	strbuf_add_char(out, '"');
}

void systemd_exec_shell(struct strbuf *out, const struct systemd_exec *exec)
{
	for (uint32_t i = 0; i < exec->argv.array.count; i++) {
		if (i > 0)
			strbuf_add_char(out, ' ');
		systemd_shell_word(out, exec->argv.array.items[i].string.text);
	}
}
