/* SPDX-License-Identifier: MIT */
/* Frames are a byte for the stream, four for the length, eight for the time and the text. */
#include "executor/output_ring.h"

#include <stdlib.h>
#include <string.h>

#define RING_HEADER 13
/* Pieces further apart get frames of their own, where there is room for the headers. */
#define RING_TOGETHER (SCHEDD_SECOND / 10)
#define RING_FIRST ((size_t)4096)
/* Headers may take a quarter more than the text, and a little where that is nothing. */
#define RING_SLACK(limit) ((limit) / 4 + 1024)

void output_ring_init(struct output_ring *ring, size_t limit)
{
	memset(ring, 0, sizeof(*ring));
	ring->limit = limit;
}

void output_ring_clear(struct output_ring *ring)
{
	free(ring->bytes);
	output_ring_init(ring, ring->limit);
}

static void ring_put(struct output_ring *ring, uint64_t at, const void *from, size_t length)
{
	size_t index = (size_t)(at % ring->capacity);
	size_t first = ring->capacity - index;

	if (first > length)
		first = length;
	memcpy(ring->bytes + index, from, first);
	memcpy(ring->bytes, (const char *)from + first, length - first);
}

static void ring_get(const struct output_ring *ring, uint64_t at, void *to, size_t length)
{
	size_t index = (size_t)(at % ring->capacity);
	size_t first = ring->capacity - index;

	if (first > length)
		first = length;
	memcpy(to, ring->bytes + index, first);
	memcpy((char *)to + first, ring->bytes, length - first);
}

static void ring_header(const struct output_ring *ring, uint64_t at, uint8_t *stream,
    uint32_t *length, schedd_time *when)
{
	char header[RING_HEADER];

	ring_get(ring, at, header, RING_HEADER);
	*stream = (uint8_t)header[0];
	memcpy(length, header + 1, sizeof(*length));
	memcpy(when, header + 1 + sizeof(*length), sizeof(*when));
}

/* Drops at least one byte of text, at most length. Returns how many. */
static size_t ring_drop(struct output_ring *ring, size_t length)
{
	if (ring->cut_left == 0) {
		if (ring->last_valid && ring->last == ring->begin)
			ring->last_valid = false;
		ring_header(ring, ring->begin, &ring->cut_stream, &ring->cut_left, &ring->cut_when);
		ring->begin += RING_HEADER;
	}
	if (length > ring->cut_left)
		length = ring->cut_left;
	ring->cut_left -= (uint32_t)length;
	ring->begin += length;
	ring->text -= length;
	return length;
}

/* Makes room for need more bytes. False: no memory and nothing to be had by dropping. */
static bool ring_grow(struct output_ring *ring, size_t need)
{
	size_t most = ring->limit + RING_SLACK(ring->limit);
	size_t held = (size_t)(ring->end - ring->begin);
	size_t capacity = ring->capacity ? ring->capacity : RING_FIRST;
	char *bytes;

	if (held + need <= ring->capacity)
		return true;
	while (capacity < held + need)
		capacity *= 2;
	if (capacity > most)
		capacity = most;
	if (capacity <= ring->capacity)
		return false;
	bytes = malloc(capacity);
	if (!bytes)
		return false;
	if (held > 0)
		ring_get(ring, ring->begin, bytes, held);
	free(ring->bytes);
	ring->bytes = bytes;
	ring->capacity = capacity;
	/* Positions start anew at the front of the new block. */
	ring->last -= ring->begin;
	ring->end -= ring->begin;
	ring->begin = 0;
	return true;
}

/* Do the headers leave no room for another that only tells a time? */
static bool ring_crowded(const struct output_ring *ring)
{
	return ring->end - ring->begin - ring->text + 4 * (uint64_t)RING_HEADER >
	       RING_SLACK(ring->limit);
}

static bool ring_extends(const struct output_ring *ring, const struct output_piece *piece)
{
	schedd_time last_when;
	uint8_t last_stream;
	uint32_t last_length;

	if (!ring->last_valid)
		return false;
	ring_header(ring, ring->last, &last_stream, &last_length, &last_when);
	return last_stream == piece->stream && last_length + piece->length <= UINT32_MAX &&
	       ((piece->when >= last_when && piece->when - last_when < RING_TOGETHER) ||
		   ring_crowded(ring));
}

static void ring_append(struct output_ring *ring, const struct output_piece *piece)
{
	char header[RING_HEADER] = {(char)piece->stream};
	uint32_t total = (uint32_t)piece->length;
	schedd_time when = piece->when;

	if (ring_extends(ring, piece)) {
		uint8_t same;

		ring_header(ring, ring->last, &same, &total, &when);
		total += (uint32_t)piece->length;
	} else {
		ring->last = ring->end;
		ring->last_valid = true;
		ring->end += RING_HEADER;
	}
	memcpy(header + 1, &total, sizeof(total));
	memcpy(header + 1 + sizeof(total), &when, sizeof(when));
	ring_put(ring, ring->last, header, RING_HEADER);
	ring_put(ring, ring->end, piece->bytes, piece->length);
	ring->end += piece->length;
	ring->text += piece->length;
}

size_t output_ring_add(struct output_ring *ring, const struct output_piece *piece)
{
	struct output_piece kept = *piece;
	size_t lost = 0, length;

	if (kept.length > ring->limit) {
		lost = kept.length - ring->limit;
		kept.bytes += lost;
		kept.length = ring->limit;
	}
	length = kept.length;
	if (length == 0)
		return lost;
	while (ring->text + length > ring->limit)
		lost += ring_drop(ring, ring->text + length - ring->limit);
	while (!ring_grow(ring, length + RING_HEADER)) {
		if (ring->text == 0)
			return lost + length;
		lost += ring_drop(ring, length + RING_HEADER);
	}
	ring_append(ring, &kept);
	return lost;
}

/* piece: all but the bytes is filled in. */
static void ring_piece(const struct output_ring *ring, uint64_t at, struct output_piece piece,
    output_piece_fn call, void *context)
{
	size_t index = (size_t)(at % ring->capacity), length = piece.length;
	size_t first = ring->capacity - index;

	if (first > length)
		first = length;
	piece.bytes = ring->bytes + index;
	piece.length = first;
	if (first > 0)
		call(&piece, context);
	piece.bytes = ring->bytes;
	piece.length = length - first;
	if (length > first)
		call(&piece, context);
}

void output_ring_read(const struct output_ring *ring, output_piece_fn piece, void *context)
{
	uint64_t at = ring->begin;

	if (ring->cut_left > 0)
		ring_piece(ring, at,
		    (struct output_piece){.stream = (enum output_stream)ring->cut_stream,
			.length = ring->cut_left,
			.when = ring->cut_when},
		    piece, context);
	at += ring->cut_left;
	while (at < ring->end) {
		uint8_t stream;
		uint32_t length;
		schedd_time when;

		ring_header(ring, at, &stream, &length, &when);
		at += RING_HEADER;
		ring_piece(ring, at,
		    (struct output_piece){
			.stream = (enum output_stream)stream, .length = length, .when = when},
		    piece, context);
		at += length;
	}
}
