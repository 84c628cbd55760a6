/* SPDX-License-Identifier: MIT */
/* A time phrase on its way through its readers, each of which takes what it knows from the front.
 */
#ifndef SCHEDD_TRIGGER_WHEN_READER_H
#define SCHEDD_TRIGGER_WHEN_READER_H

#include "trigger/when_reading.h"

struct when_reader {
	const char *text;                   /* all of it, for messages */
	const char *at;                     /* next byte */
	const struct when_context *context; /* zones and now */
	struct schedd_error *err;           /* where the sentence goes; may be NULL */
};

/* SCHEDD_EINVAL with the sentence, which points at the place. */
int when_reader_fault(struct when_reader *reader, const char *at, const char *sentence);
/* How many letters stand there. */
size_t when_reader_letters(const char *text);
void when_reader_blanks(struct when_reader *reader);
/* Does exactly this word stand here, in any case? Then steps over it and the blanks behind it. */
bool when_reader_word(struct when_reader *reader, const char *word);
/* The same for a word of which the first three letters do too. */
bool when_reader_short(struct when_reader *reader, const char *word);
/* Up to most digits; returns how many, with their value. Does not step over them. */
size_t when_reader_digits(const char *text, size_t most, int32_t *out);

#endif
