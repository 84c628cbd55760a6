/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target without a fuzzer: over each file of a corpus, then over
 * mutations of them that are the same every time.
 *   fuzz_NAME DIRECTORY [MUTATIONS]
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES_MAX 4096
#define FILE_SIZE_MAX 65536
#define GROWTH_MAX 64 /* bytes that mutations may add */
#define MUTATIONS 3000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A file of the corpus. */
struct sample {
	uint8_t *bytes; /* owned */
	size_t size;    /* of bytes */
};

/* What a mutation is made from. */
struct corpus {
	struct sample samples[FILES_MAX]; /* in the order of their names */
	size_t count;                     /* of samples */
	uint64_t random;                  /* state of the generator, never 0 */
};

/* xorshift64: the same numbers on each machine. */
static size_t random_below(struct corpus *corpus, size_t limit)
{
	corpus->random ^= corpus->random << 13;
	corpus->random ^= corpus->random >> 7;
	corpus->random ^= corpus->random << 17;
	return limit ? (size_t)(corpus->random % limit) : 0;
}

static int read_sample(const char *directory, const char *name, struct sample *out)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "rb");
	out->bytes = malloc(FILE_SIZE_MAX);
	if (!file || !out->bytes) {
		perror(path);
		if (file)
			fclose(file);
		return -1;
	}
	out->size = fread(out->bytes, 1, FILE_SIZE_MAX, file);
	fclose(file);
	return 0;
}

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int read_corpus(const char *directory, struct corpus *corpus)
{
	struct dirent **names;
	int count = scandir(directory, &names, visible, alphasort), status = 0;

	if (count < 0) {
		perror(directory);
		return -1;
	}
	for (int i = 0; i < count; i++) {
		if (status == 0 && corpus->count < FILES_MAX) {
			status = read_sample(
			    directory, names[i]->d_name, &corpus->samples[corpus->count]);
			corpus->count++;
		}
		free(names[i]);
	}
	free(names);
	return status;
}

/* Changes, cuts, removes or doubles something in bytes; returns the new size. */
static size_t mutate_once(struct corpus *corpus, uint8_t *bytes, size_t size, size_t room)
{
	size_t at = random_below(corpus, size), length = 1 + random_below(corpus, 8);

	if (size == 0)
		return 0;
	if (length > size - at)
		length = size - at;
	switch (random_below(corpus, 5)) {
	case 0:
		bytes[at] ^= (uint8_t)(1u << random_below(corpus, 8));
		return size;
	case 1:
		bytes[at] = (uint8_t)random_below(corpus, 256);
		return size;
	case 2:
		return at;
	case 3:
		memmove(bytes + at, bytes + at + length, size - at - length);
		return size - length;
	default:
		if (length > room - size)
			return size;
		memmove(bytes + at + length, bytes + at, size - at);
		return size + length;
	}
}

/* The target gets memory of exactly the right size, so that reading on is noticed. */
static void run_mutation(struct corpus *corpus, const struct sample *sample)
{
	size_t size = sample->size, room = sample->size + GROWTH_MAX;
	uint8_t *bytes = malloc(room), *exact;

	if (!bytes)
		return;
	memcpy(bytes, sample->bytes, size);
	for (size_t i = 0; i <= random_below(corpus, 6); i++)
		size = mutate_once(corpus, bytes, size, room);
	exact = malloc(size ? size : 1);
	if (exact) {
		memcpy(exact, bytes, size);
		LLVMFuzzerTestOneInput(exact, size);
	}
	free(exact);
	free(bytes);
}

int main(int argc, char **argv)
{
	static struct corpus corpus = {.random = UINT64_C(0x9e3779b97f4a7c15)};
	long mutations = argc > 2 ? atol(argv[2]) : MUTATIONS;

	if (argc < 2 || read_corpus(argv[1], &corpus) < 0 || corpus.count == 0) {
		fprintf(stderr, "usage: %s CORPUS-DIRECTORY [MUTATIONS]\n", argv[0]);
		return 2;
	}
	for (size_t i = 0; i < corpus.count; i++) {
		uint8_t *exact = malloc(corpus.samples[i].size ? corpus.samples[i].size : 1);

		if (!exact)
			return 1;
		memcpy(exact, corpus.samples[i].bytes, corpus.samples[i].size);
		LLVMFuzzerTestOneInput(exact, corpus.samples[i].size);
		free(exact);
	}
	for (long i = 0; i < mutations; i++)
		run_mutation(&corpus, &corpus.samples[random_below(&corpus, corpus.count)]);
	printf("%zu files, %ld mutations\n", corpus.count, mutations);
	for (size_t i = 0; i < corpus.count; i++)
		free(corpus.samples[i].bytes);
	return 0;
}
