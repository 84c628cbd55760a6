/* SPDX-License-Identifier: MIT */
#include "executor/output_source.h"

#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include "executor/output_file.h"
#include "executor/output_reader.h"

/* Through a file in memory: there is one reader of that form. */
static int source_read_bytes(const struct output_source *source, output_piece_fn piece, void *context,
    struct schedd_error *err)
{
	int fd = memfd_create("schedd-output", MFD_CLOEXEC), rc = -1;
	size_t written = 0;

	while (fd >= 0 && written < source->length) {
		ssize_t n = write(fd, source->bytes + written, source->length - written);

		if (n <= 0)
			break;
		written += (size_t)n;
	}
	if (fd >= 0 && written == source->length)
		rc = output_reader_all(fd, piece, context);
	if (fd >= 0)
		close(fd);
	return rc < 0 ? schedd_error_set(
			    err, SCHEDD_EFAILED, "what the store keeps of its output cannot be read")
		      : 0;
}

int output_source_read(const struct output_source *source, output_piece_fn piece, void *context,
    struct schedd_error *err)
{
	if (source->live) {
		output_read(source->live, piece, context);
		return 0;
	}
	if (source->bytes)
		return source_read_bytes(source, piece, context, err);
	if (!source->path)
		return schedd_error_set(err, SCHEDD_ENOTFOUND, "no output was kept");
	return output_read_file(source->path, piece, context, err);
}

struct source_last {
	struct strbuf *out;
	uint64_t skip;    /* bytes of text still to be passed over */
	uint64_t text;    /* bytes of text seen */
	uint64_t dropped; /* before what is appended */
	bool begun;
};

static void source_count(const struct output_piece *piece, void *context)
{
	struct source_last *last = context;

	if (piece->stream != OUTPUT_GAP)
		last->text += piece->length;
}

static void source_begin(struct source_last *last)
{
	const struct output_piece gap = {
	    .stream = OUTPUT_GAP, .length = (size_t)last->dropped, .when = SCHEDD_TIME_NONE};

	if (last->begun)
		return;
	last->begun = true;
	output_file_write_begin(last->out);
	if (last->dropped)
		output_file_write(last->out, &gap);
}

static void source_append(const struct output_piece *piece, void *context)
{
	struct source_last *last = context;
	struct output_piece rest = *piece;

	if (piece->stream == OUTPUT_GAP && !last->begun) {
		last->dropped += piece->length;
		return;
	}
	if (piece->stream != OUTPUT_GAP) {
		size_t passed = rest.length < last->skip ? rest.length : (size_t)last->skip;

		rest.bytes += passed;
		rest.length -= passed;
		last->skip -= passed;
		last->dropped += passed;
	}
	if (rest.length == 0)
		return;
	source_begin(last);
	output_file_write(last->out, &rest);
}

int output_source_last(const struct output_source *source, size_t most, struct strbuf *out,
    struct schedd_error *err)
{
	struct source_last last = {.out = out};
	int rc = output_source_read(source, source_count, &last, err);

	if (rc == 0 && last.text > most)
		last.skip = last.text - most;
	if (rc == 0)
		rc = output_source_read(source, source_append, &last, err);
	if (rc == 0 && last.dropped)
		source_begin(&last);
	if (rc == SCHEDD_ENOTFOUND)
		return 0;
	return rc ? rc : strbuf_failed(out) ? schedd_error_nomem(err) : 0;
}
