/* SPDX-License-Identifier: MIT */
/*
 * The newest bytes of a stream of pieces. Pieces are kept as frames in one
 * ring of bytes, so that memory is bounded however small the pieces are.
 */
#ifndef SCHEDD_EXECUTOR_OUTPUT_RING_H
#define SCHEDD_EXECUTOR_OUTPUT_RING_H

#include <stddef.h>
#include <stdint.h>
#include "executor/output.h"

struct output_ring {
	char *bytes;       /* frames: stream, length, time, text; wraps round */
	size_t capacity;   /* bytes allocated; grows with use */
	size_t limit;      /* bytes of text kept */
	size_t text;       /* of these, held */
	uint64_t begin;    /* position of the oldest byte; positions only grow */
	uint64_t end;      /* position after the newest byte */
	uint64_t last;     /* where the newest frame's header is, if last_valid */
	uint32_t cut_left; /* text left of the oldest frame, whose header is gone already */
	schedd_time cut_when;
	uint8_t cut_stream; /* its stream */
	bool last_valid;    /* the newest frame can still be lengthened */
};

void output_ring_init(struct output_ring *ring, size_t limit);
void output_ring_clear(struct output_ring *ring);
/* Returns how many bytes of text were lost for it: old ones, or of the piece itself. */
/* Of pieces that came close together the time of the first is kept. */
size_t output_ring_add(struct output_ring *ring, const struct output_piece *piece);
void output_ring_read(const struct output_ring *ring, output_piece_fn piece, void *context);

#endif
