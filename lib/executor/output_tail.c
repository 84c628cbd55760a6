/* SPDX-License-Identifier: MIT */
#include "executor/output_tail.h"

#include <string.h>

static bool tail_takes(const struct output_tail *tail, const struct output_piece *piece)
{
	return piece->bytes && piece->length > 0 &&
	       (tail->stream < 0 || tail->stream == (int)piece->stream);
}

void output_tail_count(const struct output_piece *piece, void *context)
{
	struct output_tail *tail = context;

	if (!tail_takes(tail, piece))
		return;
	for (size_t i = 0; i < piece->length; i++)
		tail->newlines += piece->bytes[i] == '\n';
	tail->open = piece->bytes[piece->length - 1] != '\n';
}

void output_tail_pass(const struct output_piece *piece, void *context)
{
	struct output_tail *tail = context;
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

bool output_tail_counted(struct output_tail *tail, uint64_t lines)
{
	uint64_t all = tail->newlines + tail->open;

	tail->newlines = all > lines ? all - lines : 0;
	return tail->newlines > 0;
}

int output_tail_offset(const struct output_source *source, int stream, uint64_t lines, uint64_t *offset,
    struct schedd_error *err)
{
	struct output_tail tail = {.stream = stream};
	int rc = output_source_read(source, output_tail_count, &tail, err);

	if (!rc && output_tail_counted(&tail, lines))
		rc = output_source_read(source, output_tail_pass, &tail, err);
	*offset = tail.bytes;
	return rc;
}
