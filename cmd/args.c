/* SPDX-License-Identifier: MIT */
/* Parsing by rows. Nothing is copied: texts point into argv. */
#include "cmd/args.h"

#include <stdlib.h>
#include <string.h>

#include "base/suggest.h"

static const struct option *args_find_long(
    const struct option *const *sets, const char *name, size_t length)
{
	for (; *sets; sets++)
		for (const struct option *option = *sets; option->name; option++)
			if (strlen(option->name) == length &&
			    strncmp(option->name, name, length) == 0)
				return option;
	return NULL;
}

static const struct option *args_find_letter(const struct option *const *sets, char letter)
{
	for (; *sets; sets++)
		for (const struct option *option = *sets; option->name; option++)
			if (option->letter == letter)
				return option;
	return NULL;
}

static int args_unknown(
    const struct option *const *sets, const char *name, size_t length, struct schedd_error *err)
{
	char word[SUGGEST_LENGTH_MAX + 1];
	struct suggest suggest;

	if (length >= sizeof(word))
		length = sizeof(word) - 1;
	memcpy(word, name, length);
	word[length] = '\0';
	suggest_init(&suggest, word);
	for (; *sets; sets++)
		for (const struct option *option = *sets; option->name; option++)
			suggest_offer(&suggest, option->name);
	if (suggest_result(&suggest))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "unknown option '--%s', did you mean '--%s'?", word, suggest_result(&suggest));
	return schedd_error_set(
	    err, SCHEDD_EINVAL, "unknown option '--%s'; see schedctl help", word);
}

static int args_check_word(
    const struct option *option, const char *text, size_t length, struct schedd_error *err)
{
	char word[SUGGEST_LENGTH_MAX + 1] = "", known[256] = "";
	const char *closest;
	size_t count = 0;

	for (; option->words[count]; count++)
		if (strlen(option->words[count]) == length &&
		    strncmp(option->words[count], text, length) == 0)
			return 0;
	strncat(word, text, length < sizeof(word) ? length : sizeof(word) - 1);
	for (size_t i = 0; i < count; i++)
		if (strlen(known) + strlen(option->words[i]) + 2 < sizeof(known)) {
			strcat(known, i ? "|" : "");
			strcat(known, option->words[i]);
		}
	closest = suggest_closest(word, option->words, count);
	return schedd_error_set(err, SCHEDD_EINVAL, "--%s: '%s' is not one of %s%s%s%s",
	    option->name, word, strchr(option->value, '|') ? option->value : known,
	    closest ? ", did you mean '" : "", closest ? closest : "", closest ? "'?" : "");
}

/* What may be given several times may also be joined by commas. */
static int args_check_words(const struct option *option, const char *text, struct schedd_error *err)
{
	size_t length;
	int rc;

	if (!option->words)
		return 0;
	do {
		length = option->repeat ? strcspn(text, ",") : strlen(text);
		rc = args_check_word(option, text, length, err);
		text += length;
	} while (!rc && *text++ == ',');
	return rc;
}

/* One of those that an alias of the shell may hold, so that the last one counts. */
static bool args_is_global(const struct option *option)
{
	for (const struct option *global = option_global; global->name; global++)
		if (global == option)
			return true;
	return false;
}

static int args_add(
    struct args *args, const struct option *option, const char *text, struct schedd_error *err)
{
	if (!option->repeat && option->value && args_has(args, option->name) &&
	    !args_is_global(option))
		return schedd_error_set(err, SCHEDD_EINVAL, "--%s is given twice", option->name);
	args->values[args->value_count].option = option;
	args->values[args->value_count].text = text;
	args->value_count++;
	return text ? args_check_words(option, text, err) : 0;
}

/* --name, --name=value, --name value. Returns how many words it took, or an error code. */
static int args_long(struct args *args, const struct option *const *sets, const char *const *argv,
    struct schedd_error *err)
{
	const char *name = argv[0] + 2;
	const char *equals = strchr(name, '=');
	size_t length = equals ? (size_t)(equals - name) : strlen(name);
	const struct option *option = args_find_long(sets, name, length);
	int rc;

	if (!option)
		return args_unknown(sets, name, length, err);
	if (!option->value && equals)
		return schedd_error_set(err, SCHEDD_EINVAL, "--%s takes no value", option->name);
	if (!option->value || equals) {
		rc = args_add(args, option, equals ? equals + 1 : NULL, err);
		return rc ? rc : 1;
	}
	if (!argv[1])
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "--%s needs a value (%s)", option->name, option->value);
	rc = args_add(args, option, argv[1], err);
	return rc ? rc : 2;
}

/* -q, -qv, -n5, -n 5. */
static int args_letters(struct args *args, const struct option *const *sets,
    const char *const *argv, struct schedd_error *err)
{
	for (const char *letter = argv[0] + 1; *letter; letter++) {
		const struct option *option = args_find_letter(sets, *letter);
		int rc;

		if (!option)
			return schedd_error_set(
			    err, SCHEDD_EINVAL, "unknown option '-%c'; see schedctl help", *letter);
		if (!option->value) {
			rc = args_add(args, option, NULL, err);
			if (rc)
				return rc;
			continue;
		}
		if (!letter[1] && !argv[1])
			return schedd_error_set(
			    err, SCHEDD_EINVAL, "-%c needs a value (%s)", *letter, option->value);
		rc = args_add(args, option, letter[1] ? letter + 1 : argv[1], err);
		return rc ? rc : letter[1] ? 1 : 2;
	}
	return 1;
}

int args_parse(struct args *args, const struct option *const *sets, int argc,
    const char *const *argv, struct schedd_error *err)
{
	memset(args, 0, sizeof(*args));
	/* A word may hold several letters; no argument makes more values than it has bytes. */
	size_t most = 1;

	for (int i = 0; i < argc; i++)
		most += argv[i][0] == '-' && argv[i][1] != '-' ? strlen(argv[i]) : 1;
	args->values = calloc(most, sizeof(args->values[0]));
	args->words = calloc((size_t)argc + 1, sizeof(args->words[0]));
	if (!args->values || !args->words)
		return schedd_error_nomem(err);
	for (int i = 0; i < argc;) {
		int taken = 1;

		if (strcmp(argv[i], "--") == 0) {
			args->rest = argv + i + 1;
			args->rest_count = argc - i - 1;
			break;
		}
		if (argv[i][0] != '-' || !argv[i][1])
			args->words[args->word_count++] = argv[i];
		else if (argv[i][1] == '-')
			taken = args_long(args, sets, argv + i, err);
		else
			taken = args_letters(args, sets, argv + i, err);
		if (taken < 0)
			return taken;
		i += taken;
	}
	return 0;
}

void args_clear(struct args *args)
{
	free(args->values);
	free(args->words);
	memset(args, 0, sizeof(*args));
}

bool args_has(const struct args *args, const char *name)
{
	for (int i = 0; i < args->value_count; i++)
		if (strcmp(args->values[i].option->name, name) == 0)
			return true;
	return false;
}

const char *args_get(const struct args *args, const char *name)
{
	for (int i = args->value_count - 1; i >= 0; i--)
		if (strcmp(args->values[i].option->name, name) == 0)
			return args->values[i].text;
	return NULL;
}

const char *args_next(const struct args *args, const char *name, int *position)
{
	while (*position < args->value_count) {
		const struct args_value *value = &args->values[(*position)++];

		if (strcmp(value->option->name, name) == 0)
			return value->text;
	}
	return NULL;
}
