/* SPDX-License-Identifier: MIT */
/* Whatever is read as a duration is written and read back as the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	struct strbuf canonical = STRBUF_EMPTY;
	schedd_span span, again;
	struct schedd_error err = {.offset = -1};

	if (!text)
		return 0;
	if (duration_parse(text, &span, &err) == 0) {
		duration_format(&canonical, span);
		if (span < 0 || span > DURATION_MAX ||
		    duration_parse(strbuf_peek(&canonical), &again, NULL) < 0 || again != span)
			abort();
	} else if (err.offset < 0 || (size_t)err.offset > strlen(text)) {
		abort();
	}
	strbuf_clear(&canonical);
	free(text);
	return 0;
}
