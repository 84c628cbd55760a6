/* SPDX-License-Identifier: MIT */
/* Frames are a byte for the stream, four for the length and the text. */
#include "executor/output_ring.h"

#include <stdlib.h>
#include <string.h>

#define RING_HEADER 5
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

static void ring_header(
    const struct output_ring *ring, uint64_t at, uint8_t *stream, uint32_t *length)
{
	char header[RING_HEADER];

	ring_get(ring, at, header, RING_HEADER);
	*stream = (uint8_t)header[0];
	memcpy(length, header + 1, sizeof(*length));
}

/* Drops at least one byte of text, at most length. Returns how many. */
static size_t ring_drop(struct output_ring *ring, size_t length)
{
	if (ring->cut_left == 0) {
		if (ring->last_valid && ring->last == ring->begin)
			ring->last_valid = false;
		ring_header(ring, ring->begin, &ring->cut_stream, &ring->cut_left);
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

static bool ring_extends(const struct output_ring *ring, enum output_stream stream, size_t length)
{
	uint8_t last_stream;
	uint32_t last_length;

	if (!ring->last_valid)
		return false;
	ring_header(ring, ring->last, &last_stream, &last_length);
	return last_stream == stream && last_length + length <= UINT32_MAX;
}

static void ring_append(
    struct output_ring *ring, enum output_stream stream, const char *bytes, size_t length)
{
	char header[RING_HEADER] = {(char)stream};
	uint32_t total = (uint32_t)length;

	if (ring_extends(ring, stream, length)) {
		uint8_t same;

		ring_header(ring, ring->last, &same, &total);
		total += (uint32_t)length;
	} else {
		ring->last = ring->end;
		ring->last_valid = true;
		ring->end += RING_HEADER;
	}
	memcpy(header + 1, &total, sizeof(total));
	ring_put(ring, ring->last, header, RING_HEADER);
	ring_put(ring, ring->end, bytes, length);
	ring->end += length;
	ring->text += length;
}

size_t output_ring_add(
    struct output_ring *ring, enum output_stream stream, const char *bytes, size_t length)
{
	size_t lost = 0;

	if (length > ring->limit) {
		lost = length - ring->limit;
		bytes += lost;
		length = ring->limit;
	}
	if (length == 0)
		return lost;
	while (ring->text + length > ring->limit)
		lost += ring_drop(ring, ring->text + length - ring->limit);
	while (!ring_grow(ring, length + RING_HEADER)) {
		if (ring->text == 0)
			return lost + length;
		lost += ring_drop(ring, length + RING_HEADER);
	}
	ring_append(ring, stream, bytes, length);
	return lost;
}

static void ring_piece(const struct output_ring *ring, uint64_t at, enum output_stream stream,
    size_t length, output_piece_fn piece, void *context)
{
	size_t index = (size_t)(at % ring->capacity);
	size_t first = ring->capacity - index;

	if (first > length)
		first = length;
	if (first > 0)
		piece(stream, ring->bytes + index, first, context);
	if (length > first)
		piece(stream, ring->bytes, length - first, context);
}

void output_ring_read(const struct output_ring *ring, output_piece_fn piece, void *context)
{
	uint64_t at = ring->begin;

	if (ring->cut_left > 0)
		ring_piece(
		    ring, at, (enum output_stream)ring->cut_stream, ring->cut_left, piece, context);
	at += ring->cut_left;
	while (at < ring->end) {
		uint8_t stream;
		uint32_t length;

		ring_header(ring, at, &stream, &length);
		at += RING_HEADER;
		ring_piece(ring, at, (enum output_stream)stream, length, piece, context);
		at += length;
	}
}
