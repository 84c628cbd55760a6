/* SPDX-License-Identifier: MIT */
/* The optimal string alignment distance in three rows, given up once it exceeds what is wanted. */
#include "base/suggest.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#define PREFIX_MIN 3 /* letters from which the beginning of a name stands for it */

/* Mistakes allowed in a word: one in three letters, at least one, at most four. */
static unsigned suggest_limit(size_t length)
{
	unsigned limit = (unsigned)(length + 1) / 3;

	return limit < 1 ? 1 : limit > 4 ? 4 : limit;
}

static uint8_t lower(char c)
{
	return (uint8_t)tolower((unsigned char)c);
}

static uint8_t least(uint8_t a, uint8_t b)
{
	return a < b ? a : b;
}

/* The distance of a and b if it is at most limit, else something greater. */
static unsigned suggest_distance(
    const char *a, size_t a_length, const char *b, size_t b_length, unsigned limit)
{
	uint8_t rows[3][SUGGEST_LENGTH_MAX + 1];
	uint8_t *before = rows[0], *above = rows[1], *row = rows[2];

	if (a_length > b_length + limit || b_length > a_length + limit)
		return limit + 1;
	for (size_t j = 0; j <= b_length; j++)
		above[j] = (uint8_t)j;
	for (size_t i = 1; i <= a_length; i++) {
		uint8_t best = row[0] = (uint8_t)i;
		uint8_t *spare = before;

		for (size_t j = 1; j <= b_length; j++) {
			uint8_t changed = lower(a[i - 1]) != lower(b[j - 1]);

			row[j] = least((uint8_t)(above[j - 1] + changed),
			    (uint8_t)(least(above[j], row[j - 1]) + 1));
			if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
			    lower(a[i - 2]) == lower(b[j - 1]))
				row[j] = least(row[j], (uint8_t)(before[j - 2] + 1));
			best = least(best, row[j]);
		}
		if (best > limit)
			return limit + 1;
		before = above;
		above = row;
		row = spare;
	}
	return above[b_length];
}

void suggest_init(struct suggest *suggest, const char *word)
{
	size_t length = strlen(word);

	suggest->word = word;
	suggest->length = length <= SUGGEST_LENGTH_MAX ? length : 0;
	suggest->distance = 2 * suggest_limit(suggest->length) + 1;
	suggest->closest[0] = '\0';
}

void suggest_offer_as(struct suggest *suggest, const char *part, const char *candidate)
{
	size_t length = strlen(part), whole = strlen(candidate);
	unsigned distance;

	if (suggest->length == 0 || suggest->distance == 0 || length == 0 ||
	    length > SUGGEST_LENGTH_MAX || whole > SUGGEST_LENGTH_MAX)
		return;
	/* The beginning of a name is half a mistake: its end is only missing. */
	if (suggest->length >= PREFIX_MIN && suggest->length < length &&
	    part[suggest->length] != '/' && strncasecmp(suggest->word, part, suggest->length) == 0)
		distance = 1;
	else
		distance = 2 * suggest_distance(suggest->word, suggest->length, part, length,
				   (suggest->distance - 1) / 2);
	/* A name of which every letter would have to change is not what was meant. */
	if (distance >= suggest->distance || distance / 2 >= suggest->length)
		return;
	suggest->distance = distance;
	memcpy(suggest->closest, candidate, whole + 1);
}

void suggest_offer(struct suggest *suggest, const char *candidate)
{
	suggest_offer_as(suggest, candidate, candidate);
}

const char *suggest_result(const struct suggest *suggest)
{
	return suggest->closest[0] ? suggest->closest : NULL;
}

const char *suggest_closest(const char *word, const char *const *candidates, size_t count)
{
	const char *closest = NULL;
	struct suggest suggest;

	suggest_init(&suggest, word);
	for (size_t i = 0; i < count; i++) {
		unsigned distance = suggest.distance;

		suggest_offer(&suggest, candidates[i]);
		if (suggest.distance < distance)
			closest = candidates[i];
	}
	return closest;
}
