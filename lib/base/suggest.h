/* SPDX-License-Identifier: MIT */
/*
 * "Did you mean …?": the closest of many names to a mistyped one, by the number
 * of letters left out, added, changed or swapped. Upper and lower case do not
 * matter. Nothing is suggested that is too far off to be what was meant.
 */
#ifndef SCHEDD_BASE_SUGGEST_H
#define SCHEDD_BASE_SUGGEST_H

#include <stddef.h>

#define SUGGEST_LENGTH_MAX 127

/* A search over names that come one by one. */
struct suggest {
	const char *word; /* what was typed; borrowed */
	size_t length;    /* of word; 0 when it is too long for any name */
	unsigned
	    distance; /* of closest, in half mistakes; one more than allowed while there is none */
	char closest[SUGGEST_LENGTH_MAX + 1]; /* "" while there is none */
};

/* The closest of count candidates (the first of equals), or NULL if none is close. */
const char *suggest_closest(const char *word, const char *const *candidates, size_t count);

/* word must live as long as the search. */
void suggest_init(struct suggest *suggest, const char *word);
/* Looks at one more name, which is copied if it is the closest so far. */
void suggest_offer(struct suggest *suggest, const char *candidate);
/* As suggest_offer, but compares with part of the name ("Berlin" for "Europe/Berlin"). */
void suggest_offer_as(struct suggest *suggest, const char *part, const char *candidate);
/* The closest name so far, or NULL if none is close. Lives in *suggest. */
const char *suggest_result(const struct suggest *suggest);

#endif
