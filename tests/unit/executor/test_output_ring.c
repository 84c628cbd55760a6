/* SPDX-License-Identifier: MIT */
#include "executor/output_ring.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static size_t ring_add(struct output_ring *ring, enum output_stream stream, const char *bytes,
    size_t length, schedd_time when)
{
	const struct output_piece piece = {stream, bytes, length, when};

	return output_ring_add(ring, &piece);
}

/* The same, done simply: every byte with its stream. */
struct model {
	char *bytes;
	unsigned char *streams;
	size_t count;
	size_t at; /* while comparing */
};

static void model_piece(const struct output_piece *piece, void *context)
{
	struct model *model = context;

	cr_assert_leq(model->at + piece->length, model->count);
	cr_assert(memcmp(model->bytes + model->at, piece->bytes, piece->length) == 0, "at %zu",
	    model->at);
	for (size_t i = 0; i < piece->length; i++)
		cr_assert_eq(model->streams[model->at + i], piece->stream);
	model->at += piece->length;
}

static void model_add(struct model *model, int stream, const char *bytes, size_t length)
{
	memcpy(model->bytes + model->count, bytes, length);
	memset(model->streams + model->count, stream, length);
	model->count += length;
}

/* The ring holds the newest bytes; what it said it lost is the rest. */
static void model_compare(struct model *model, const struct output_ring *ring, size_t lost)
{
	model->at = lost;
	output_ring_read(ring, model_piece, model);
	cr_assert_eq(model->at, model->count, "held %zu, expected %zu", model->at, model->count);
}

static void ring_against_model(size_t limit, size_t longest, unsigned seed)
{
	enum { STEPS = 2000 };
	struct model model = {
	    .bytes = malloc(STEPS * (longest + 1)),
	    .streams = malloc(STEPS * (longest + 1)),
	};
	char *piece = malloc(longest + 1);
	struct output_ring ring;
	size_t lost = 0;

	output_ring_init(&ring, limit);
	for (int step = 0; step < STEPS; step++) {
		size_t length = (size_t)rand_r(&seed) % (longest + 1);
		int stream = rand_r(&seed) % 2;

		for (size_t i = 0; i < length; i++)
			piece[i] = (char)rand_r(&seed);
		model_add(&model, stream, piece, length);
		lost += ring_add(&ring, (enum output_stream)stream, piece, length, step * 1000);
		cr_assert_leq(ring.text, limit);
		cr_assert_leq(ring.capacity, limit + limit / 4 + 1024);
		cr_assert_eq(model.count - lost, ring.text);
		model_compare(&model, &ring, lost);
	}
	output_ring_clear(&ring);
	free(piece);
	free(model.bytes);
	free(model.streams);
}

Test(output_ring, holds_the_newest_bytes)
{
	ring_against_model(100, 10, 1);
	ring_against_model(1000, 3, 2);
	ring_against_model(7, 20, 3);
	ring_against_model(1, 2, 4);
	ring_against_model(10000, 300, 5);
}

Test(output_ring, loses_nothing_below_its_limit)
{
	struct output_ring ring;

	output_ring_init(&ring, 5000);
	for (int i = 0; i < 5000; i++)
		cr_assert_eq(
		    ring_add(&ring, OUTPUT_STDOUT, "x", 1, i * SCHEDD_SECOND), 0, "byte %d", i);
	cr_expect_eq(ring.text, 5000);
	cr_expect_eq(ring_add(&ring, OUTPUT_STDOUT, "x", 1, 0), 1);
	output_ring_clear(&ring);
}

Test(output_ring, takes_no_memory_before_it_is_used)
{
	struct output_ring ring;

	output_ring_init(&ring, 1 << 20);
	cr_expect_eq(ring.capacity, 0);
	cr_expect_eq(ring_add(&ring, OUTPUT_STDERR, "few", 3, 0), 0);
	cr_expect_leq(ring.capacity, 4096);
	output_ring_clear(&ring);
}
