/* SPDX-License-Identifier: MIT */
#include "base/shell_words.h"

#include <string.h>

#define WORDS_SAFE "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-"

void shell_words_add(struct strbuf *out, const char *word)
{
	if (word[0] && strspn(word, WORDS_SAFE) == strlen(word)) {
		strbuf_add(out, word);
		return;
	}
	strbuf_add_char(out, '\'');
	for (; *word; word++) {
		if (*word == '\'')
			strbuf_add(out, "'\\''");
		else
			strbuf_add_char(out, *word);
	}
	strbuf_add_char(out, '\'');
}

void shell_words_write(struct strbuf *out, const struct value *argv)
{
	for (uint32_t i = 0; argv->type == VALUE_ARRAY && i < argv->array.count; i++) {
		if (i > 0)
			strbuf_add_char(out, ' ');
		if (argv->array.items[i].type == VALUE_STRING)
			shell_words_add(out, argv->array.items[i].string.text);
	}
}
