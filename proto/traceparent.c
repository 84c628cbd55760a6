/* SPDX-License-Identifier: MIT */
#include "proto/traceparent.h"

#include <stddef.h>
#include <string.h>

/* So many digits and not all of them zero, unless they may be; NULL: no. Else what follows. */
static const char *traceparent_digits(const char *text, size_t count, bool zero)
{
	if (strspn(text, "0123456789abcdef") < count)
		return NULL;
	return zero || strspn(text, "0") < count ? text + count : NULL;
}

bool traceparent_valid(const char *text)
{
	static const size_t lengths[] = {2, 32, 16, 2};
	bool first = strncmp(text, "00", 2) == 0;

	if (strncmp(text, "ff", 2) == 0 || strlen(text) > 255)
		return false;
	for (size_t i = 0; i < 4; i++) {
		text = traceparent_digits(text, lengths[i], i == 0 || i == 3);
		if (!text || (i < 3 && *text++ != '-'))
			return false;
	}
	/* What later versions append is not ours to judge, but for blanks and the like. */
	return !*text || (!first && *text == '-' &&
			     strspn(text, "-0123456789abcdefghijklmnopqrstuvwxyz") == strlen(text));
}
