/* SPDX-License-Identifier: MIT */
/*
 * What the readers of the cron dialects share: a cursor over the text, numbers,
 * names, and error sentences that quote the expression and mark the place.
 */
#ifndef SCHEDD_TRIGGER_CRON_READER_H
#define SCHEDD_TRIGGER_CRON_READER_H

#include <stddef.h>
#include "trigger/cron_set.h"

/* A part of the text. */
struct cron_slice {
	const char *start;
	const char *end; /* one past its last byte */
};

struct cron_reader {
	const char *label;        /* what the expression is called in messages, "cron" */
	const char *text;         /* the whole expression */
	const char *at;           /* the next byte to read */
	const char *end;          /* where reading stops: the end of a field */
	struct schedd_error *err; /* may be NULL */
};

/* Which names a dialect takes. */
enum cron_names {
	CRON_NAMES_SHORT, /* three letters */
	CRON_NAMES_FULL,  /* three letters or the full English name */
};

/*
 * Starts at the text's first byte and checks what holds for every dialect: at
 * most CRON_TEXT_MAX bytes, printable ASCII, blanks and tabs.
 */
int cron_reader_open(struct cron_reader *reader, const char *label, const char *text,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* Writes "cron '61 * * * *': ..." with the offset of where. Always SCHEDD_EINVAL. */
int cron_reader_fail(const struct cron_reader *reader, const char *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Fails at the next byte, as something that does not belong into the field. */
int cron_reader_unexpected(const struct cron_reader *reader, enum cron_field field);

/* Splits at blanks. Returns the number of words, of which the first max are stored. */
size_t cron_reader_split(const struct cron_reader *reader, struct cron_slice *words, size_t max);
/* Joins words with single blanks; returns the length. out has room for CRON_TEXT_MAX + 1 bytes. */
size_t cron_reader_join(const struct cron_slice *words, size_t count, char *out);
/* Turns to a part of the text. */
void cron_reader_turn(struct cron_reader *reader, struct cron_slice slice);

/* The next byte, '\0' at the end. Letters are given in upper case. */
char cron_reader_peek(const struct cron_reader *reader);
/* Takes the byte (a letter in upper case) if it is the next one. */
bool cron_reader_take(struct cron_reader *reader, char byte);
bool cron_reader_at_digit(const struct cron_reader *reader);
bool cron_reader_at_letter(const struct cron_reader *reader);

/* One to four digits, of any value. */
int cron_reader_number(struct cron_reader *reader, enum cron_field field, int *out)
    __attribute__((warn_unused_result));
/* A number from min to max. */
int cron_reader_number_in(struct cron_reader *reader, enum cron_field field, int min, int max,
    int *out) __attribute__((warn_unused_result));
/* The letters from here on; they are not taken. */
struct cron_slice cron_reader_letters(const struct cron_reader *reader);
/*
 * The number behind a month's (1..12) or weekday's (0 = Sunday .. 6) name, any
 * case; -1 if the letters are no name, or the field has none.
 */
int cron_reader_name(struct cron_slice letters, enum cron_field field, enum cron_names names);

/* "minute", "day", ... */
const char *cron_reader_field_name(enum cron_field field);
/* "Monday" of 1, "January" of 1. */
const char *cron_reader_weekday_name(int weekday);
const char *cron_reader_month_name(int month);

#endif
