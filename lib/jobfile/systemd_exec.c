/* SPDX-License-Identifier: MIT */
/* Quotes, escapes and specifiers are resolved; $VARIABLES become those of a shell. */
#include "jobfile/systemd_exec.h"

#include <string.h>

static const char blanks[] = " \t\n\r";

struct systemd_words {
	const char *at;
	const struct systemd_name *name;
	struct arena *arena;
	struct strbuf word;
	struct schedd_error *err;
};

/* ---- Escapes ---- */

/* The number of count digits at text, in base 8 or 16; -1: they are not there. */
static long systemd_digits(const char *text, int count, int base)
{
	static const char digits[] = "0123456789abcdef";
	long number = 0;

	for (int i = 0; i < count; i++) {
		char c = text[i] >= 'A' && text[i] <= 'F' ? (char)(text[i] | 0x20) : text[i];
		const char *digit = c ? strchr(digits, c) : NULL;

		if (!digit || digit - digits >= base)
			return -1;
		number = number * base + (digit - digits);
	}
	return number;
}

static void systemd_utf8(struct strbuf *out, unsigned long code)
{
	if (code < 0x80) {
		strbuf_add_char(out, (char)code);
		return;
	}
	if (code < 0x800) {
		strbuf_add_char(out, (char)(0xc0 | code >> 6));
	} else if (code < 0x10000) {
		strbuf_add_char(out, (char)(0xe0 | code >> 12));
		strbuf_add_char(out, (char)(0x80 | (code >> 6 & 0x3f)));
	} else {
		strbuf_add_char(out, (char)(0xf0 | code >> 18));
		strbuf_add_char(out, (char)(0x80 | (code >> 12 & 0x3f)));
		strbuf_add_char(out, (char)(0x80 | (code >> 6 & 0x3f)));
	}
	strbuf_add_char(out, (char)(0x80 | (code & 0x3f)));
}

/* \xHH, \ooo, \uHHHH, \UHHHHHHHH behind the backslash: how many characters, 0: none of them. */
static int systemd_number(struct systemd_words *words, const char *text)
{
	static const struct {
		char letter; /* '0': a digit */
		int skip, count, base;
	} rows[] = {{'x', 1, 2, 16}, {'u', 1, 4, 16}, {'U', 1, 8, 16}, {'0', 0, 3, 8}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool digit = rows[i].letter == '0' && *text >= '0' && *text <= '7';
		long code;

		if (*text != rows[i].letter && !digit)
			continue;
		code = systemd_digits(text + rows[i].skip, rows[i].count, rows[i].base);
		/* An argument cannot hold a NUL. */
		if (code <= 0 || code > 0x10ffff || (rows[i].count == 3 && code > 255))
			return 0;
		if (rows[i].count <= 3)
			strbuf_add_char(&words->word, (char)code);
		else
			systemd_utf8(&words->word, (unsigned long)code);
		return rows[i].skip + rows[i].count;
	}
	return 0;
}

/* Behind the backslash and what it stands for; one that stands for nothing stays. */
static void systemd_escape(struct systemd_words *words)
{
	static const char letters[] = "abfnrtvs\\\"'", bytes[] = "\a\b\f\n\r\t\v \\\"'";
	char next = words->at[1];
	const char *letter = next ? strchr(letters, next) : NULL;
	int length;

	words->at++;
	if (letter) {
		strbuf_add_char(&words->word, bytes[letter - letters]);
		words->at++;
		return;
	}
	length = systemd_number(words, words->at);
	if (length == 0)
		strbuf_add_char(&words->word, '\\');
	words->at += length;
}

/* ---- Words ---- */

/* The word that begins at words->at into words->word. */
static int systemd_word(struct systemd_words *words)
{
	char quote = '\0';
	int rc = 0;

	strbuf_reset(&words->word);
	while (!rc) {
		char c = *words->at;

		if (!c && quote)
			return schedd_error_set(words->err, SCHEDD_EINVAL, "a quote is not closed");
		if (!c || (!quote && strchr(blanks, c)))
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
			rc = systemd_specifier(&words->word, words->name, words->at[1], words->err);
			words->at += words->at[1] ? 2 : 1;
		} else {
			strbuf_add_char(&words->word, c);
			words->at++;
		}
	}
	return rc;
}

/* Is text[0…] the word alone? */
static bool systemd_is_lone(const char *at, const char *word)
{
	size_t length = strlen(word);

	return strncmp(at, word, length) == 0 && (!at[length] || strchr(blanks, at[length]));
}

/* Reads words up to the end or, for commands, up to behind a lone ';'. */
static int systemd_read_words(struct systemd_words *words, bool command, struct value *out)
{
	int rc = 0;

	*out = value_array();
	for (;;) {
		words->at += strspn(words->at, blanks);
		if (!*words->at || rc)
			break;
		if (command && systemd_is_lone(words->at, ";")) {
			words->at++;
			words->at += strspn(words->at, blanks);
			break;
		}
		if (command && systemd_is_lone(words->at, "\\;")) {
			strbuf_reset(&words->word);
			strbuf_add_char(&words->word, ';');
			words->at += 2;
		} else {
			rc = systemd_word(words);
		}
		if (!rc && !value_append(words->arena, out,
			       value_string(words->arena, strbuf_peek(&words->word))))
			rc = schedd_error_nomem(words->err);
	}
	if (!rc && strbuf_failed(&words->word))
		rc = schedd_error_nomem(words->err);
	strbuf_clear(&words->word);
	return rc;
}

int systemd_exec_words(const char *value, const struct systemd_name *name, struct arena *arena,
    struct value *out, struct schedd_error *err)
{
	struct systemd_words words = {.at = value, .name = name, .arena = arena, .err = err};

	return systemd_read_words(&words, false, out);
}

int systemd_exec_read(const char **value, const struct systemd_name *name, struct arena *arena,
    struct systemd_exec *out, struct schedd_error *err)
{
	struct systemd_words words = {.name = name, .arena = arena, .err = err};
	int rc;

	memset(out, 0, sizeof(*out));
	*value += strspn(*value, blanks);
	for (; **value && strchr("@-:+!|", **value); *value += 1) {
		out->may_fail |= **value == '-';
		out->privileged |= **value == '+' || **value == '!';
		out->literal |= **value == ':';
		if (**value == '@')
			return schedd_error_set(
			    err, SCHEDD_EINVAL, "a command with a name of its own ('@')");
		if (**value == '|')
			return schedd_error_set(
			    err, SCHEDD_EINVAL, "a command by the shell of its user ('|')");
	}
	words.at = *value;
	rc = systemd_read_words(&words, true, &out->argv);
	*value = words.at;
	if (rc)
		return rc;
	if (out->argv.array.count == 0)
		return schedd_error_set(err, SCHEDD_EINVAL, "the command is empty");
	for (uint32_t i = 0; i < out->argv.array.count && !out->literal; i++)
		out->variables |= strchr(out->argv.array.items[i].string.text, '$') != NULL;
	return 0;
}

/* ---- For a shell ---- */

static const char systemd_letters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";

/* How long the variable's name at text is; 0: there is none. */
static size_t systemd_name_length(const char *text)
{
	return *text >= '0' && *text <= '9' ? 0 : strspn(text, systemd_letters);
}

static bool systemd_is_variable(const char *word)
{
	size_t length = word[0] == '$' ? systemd_name_length(word + 1) : 0;

	return length > 0 && !word[1 + length];
}

bool systemd_exec_splits(const struct systemd_exec *exec)
{
	for (uint32_t i = 0; i < exec->argv.array.count && !exec->literal; i++)
		if (systemd_is_variable(exec->argv.array.items[i].string.text))
			return true;
	return false;
}

/* Is it ${NAME}? */
static bool systemd_is_braced(const char *text)
{
	size_t length = text[1] == '{' ? systemd_name_length(text + 2) : 0;

	return length > 0 && text[2 + length] == '}';
}

/* $NAME alone is split into words, ${NAME} is put in, $$ is a '$'; of a literal word all stays. */
static void systemd_shell_word(struct strbuf *out, const char *word, bool literal)
{
	size_t plain = 0;

	while (word[plain] &&
	       (strchr(systemd_letters, word[plain]) || strchr("./:=@,+-", word[plain])))
		plain++;
	if ((*word && !word[plain]) || (!literal && systemd_is_variable(word))) {
		strbuf_add(out, word);
		return;
	}
	strbuf_add_char(out, '"');
	for (; *word; word++) {
		bool dollar = *word == '$';

		if (strchr("\"\\`", *word) || (dollar && (literal || !systemd_is_braced(word))))
			strbuf_add_char(out, '\\');
		strbuf_add_char(out, *word);
		if (dollar && !literal && word[1] == '$')
			word++;
	}
	strbuf_add_char(out, '"');
}

void systemd_exec_shell(struct strbuf *out, const struct systemd_exec *exec)
{
	for (uint32_t i = 0; i < exec->argv.array.count; i++) {
		if (i > 0)
			strbuf_add_char(out, ' ');
		systemd_shell_word(out, exec->argv.array.items[i].string.text, exec->literal);
	}
}
