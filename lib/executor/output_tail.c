/* SPDX-License-Identifier: MIT */
/* Two passes: the lines are counted, then those before the last are passed over. */
#include "executor/output_tail.h"

#include <string.h>

struct tail {
	int stream;
	uint64_t newlines; /* counted in the first pass, still to be passed in the second */
	uint64_t bytes;    /* passed in the second */
	bool open;         /* the last line has no newline */
};

static bool tail_takes(const struct tail *tail, const struct output_piece *piece)
{
	return piece->bytes && piece->length > 0 &&
	       (tail->stream < 0 || tail->stream == (int)piece->stream);
}

static void tail_count(const struct output_piece *piece, void *context)
{
	struct tail *tail = context;

	if (!tail_takes(tail, piece))
		return;
	for (size_t i = 0; i < piece->length; i++)
		tail->newlines += piece->bytes[i] == '\n';
	tail->open = piece->bytes[piece->length - 1] != '\n';
}

static void tail_pass(const struct output_piece *piece, void *context)
{
	struct tail *tail = context;
	const char *newline;
	size_t at = 0;

	if (!tail_takes(tail, piece))
		return;
	while (tail->newlines > 0 && at < piece->length) {
		newline = memchr(piece->bytes + at, '\n', piece->length - at);
		at = newline ? (size_t)(newline - piece->bytes) + 1 : piece->length;
		tail->newlines -= newline != NULL;
	}
	tail->bytes += at;
}

int output_tail_offset(const struct output_source *source, int stream, uint64_t lines, uint64_t *offset,
    struct schedd_error *err)
{
	struct tail tail = {.stream = stream};
	int rc = output_source_read(source, tail_count, &tail, err);
	uint64_t all = tail.newlines + tail.open;

	tail.newlines = all > lines ? all - lines : 0;
	if (!rc && tail.newlines > 0)
		rc = output_source_read(source, tail_pass, &tail, err);
	*offset = tail.bytes;
	return rc;
}
