/* SPDX-License-Identifier: MIT */
/* A word that is not among them is answered with all of them: there are never many. */
#include "model/job_word.h"

#include <stdio.h>
#include <string.h>
#include "base/suggest.h"

/* "skip, queue or replace" */
static void job_word_list(const char *const *words, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; words[i] && used < size; i++) {
		const char *between = i == 0 ? "" : words[i + 1] ? ", " : " or ";

		used += (size_t)snprintf(text + used, size - used, "%s%s", between, words[i]);
	}
}

int job_word_find(const char *text, size_t length, const char *const *words, unsigned *out,
    struct schedd_error *err)
{
	char list[256], word[64];
	const char *close;
	size_t count = 0;

	for (; words[count]; count++)
		if (strlen(words[count]) == length && memcmp(text, words[count], length) == 0) {
			*out = (unsigned)count;
			return 0;
		}
	job_word_list(words, list, sizeof(list));
	snprintf(word, sizeof(word), "%.*s", (int)(length < 60 ? length : 60), text);
	close = suggest_closest(word, words, count);
	if (close)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "'%s' is none of %s, did you mean '%s'?", word, list, close);
	return schedd_error_set(err, SCHEDD_EINVAL, "'%s' is none of %s", word, list);
}

int job_word_read(
    const struct value *value, const char *const *words, unsigned *out, struct schedd_error *err)
{
	char list[256];

	if (value->type == VALUE_STRING)
		return job_word_find(value->string.text, value->string.length, words, out, err);
	job_word_list(words, list, sizeof(list));
	return schedd_error_set(
	    err, SCHEDD_EINVAL, "%s is none of %s", value_type_name(value->type), list);
}
