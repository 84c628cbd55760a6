/* SPDX-License-Identifier: MIT */
/* Words and figures of time phrases. */
#include "trigger/when_reader.h"

#include <string.h>
#include <strings.h>

int when_reader_fault(struct when_reader *reader, const char *at, const char *sentence)
{
	return schedd_error_at(reader->err, SCHEDD_EINVAL, (int)(at - reader->text),
	    "time '%s': %s", reader->text, sentence);
}

size_t when_reader_letters(const char *text)
{
	size_t length = 0;

	while ((text[length] | 0x20) >= 'a' && (text[length] | 0x20) <= 'z')
		length++;
	return length;
}

void when_reader_blanks(struct when_reader *reader)
{
	reader->at += strspn(reader->at, " \t");
}

bool when_reader_word(struct when_reader *reader, const char *word)
{
	size_t length = strlen(word);

	if (when_reader_letters(reader->at) != length || strncasecmp(reader->at, word, length) != 0)
		return false;
	reader->at += length;
	when_reader_blanks(reader);
	return true;
}

bool when_reader_short(struct when_reader *reader, const char *word)
{
	char shorter[4] = "";

	memcpy(shorter, word, 3);
	return when_reader_word(reader, word) || when_reader_word(reader, shorter);
}

size_t when_reader_digits(const char *text, size_t most, int32_t *out)
{
	size_t length = 0;

	for (*out = 0; length < most && text[length] >= '0' && text[length] <= '9'; length++)
		*out = *out * 10 + (text[length] - '0');
	return length;
}
