/* SPDX-License-Identifier: MIT */
#include "executor/spawn_pack.h"

#include <stdlib.h>
#include <string.h>

/* What a start has besides lists and strings. */
struct pack_header {
	uint32_t argc;
	uint32_t envc;
	uint32_t rlimit_count;
	uint32_t secret_count;
	uint32_t group_count;
	int32_t nice;
	int32_t umask;
	uint32_t uid;
	uint32_t gid;
	uint8_t change;
	uint8_t own;
	uint8_t tied;
	uint8_t loginuid;
	uint8_t optional[5]; /* is the string there? */
};

/* Single strings, in the order of pack_header.optional. */
enum pack_string { PACK_CWD, PACK_INPUT, PACK_DIRECTORY, PACK_HOME, PACK_NAME, PACK_STRINGS };

/* Where the parts begin. */
struct pack_layout {
	size_t rlimits, secrets, pointers, groups, strings;
};

static size_t pack_align(size_t size)
{
	return (size + 15) & ~(size_t)15;
}

static struct pack_layout pack_layout(const struct pack_header *header)
{
	struct pack_layout at;

	at.rlimits = pack_align(sizeof(*header));
	at.secrets = at.rlimits + pack_align(header->rlimit_count * sizeof(struct job_rlimit));
	at.pointers = at.secrets + pack_align(header->secret_count * sizeof(struct spawn_secret));
	at.groups =
	    at.pointers + pack_align(((size_t)header->argc + header->envc + 2) * sizeof(char *));
	at.strings = at.groups + pack_align(header->group_count * sizeof(gid_t));
	return at;
}

static uint32_t pack_count(const char *const *list)
{
	uint32_t count = 0;

	while (list[count])
		count++;
	return count;
}

/* Writes a string, or just counts where out is NULL. */
static size_t pack_string(char *out, size_t at, const char *text)
{
	size_t length = text ? strlen(text) + 1 : 0;

	if (out && text)
		memcpy(out + at, text, length);
	return at + length;
}

static size_t pack_strings(const struct spawn *spawn, const char *const *single, char *out, size_t at)
{
	for (const char *const *text = spawn->argv; *text; text++)
		at = pack_string(out, at, *text);
	for (const char *const *text = spawn->envp; *text; text++)
		at = pack_string(out, at, *text);
	for (uint32_t i = 0; i < spawn->secret_count; i++) {
		at = pack_string(out, at, spawn->secrets[i].from);
		at = pack_string(out, at, spawn->secrets[i].to);
	}
	for (int i = 0; i < PACK_STRINGS; i++)
		at = pack_string(out, at, single[i]);
	return at;
}

void *spawn_pack(const struct spawn *spawn, size_t *size)
{
	const struct account *account = spawn->account;
	const char *single[PACK_STRINGS] = {spawn->cwd, spawn->input_path, spawn->secret_directory,
	    account->home, account->name};
	struct pack_header header = {
	    .argc = pack_count(spawn->argv),
	    .envc = pack_count(spawn->envp),
	    .rlimit_count = spawn->rlimit_count,
	    .secret_count = spawn->secret_count,
	    .group_count = account->change ? (uint32_t)account->group_count : 0,
	    .nice = spawn->nice,
	    .umask = spawn->umask,
	    .uid = account->uid,
	    .gid = account->gid,
	    .change = account->change,
	    .own = spawn->secrets_own,
	    .tied = spawn->tied,
	    .loginuid = account->loginuid,
	};
	struct pack_layout at = pack_layout(&header);
	char *bytes;

	for (int i = 0; i < PACK_STRINGS; i++)
		header.optional[i] = single[i] != NULL;
	*size = pack_strings(spawn, single, NULL, at.strings);
	bytes = malloc(*size);
	if (!bytes)
		return NULL;
	memset(bytes, 0, at.strings);
	memcpy(bytes, &header, sizeof(header));
	if (header.rlimit_count)
		memcpy(bytes + at.rlimits, spawn->rlimits,
		    header.rlimit_count * sizeof(struct job_rlimit));
	if (header.group_count)
		memcpy(bytes + at.groups, account->groups, header.group_count * sizeof(gid_t));
	pack_strings(spawn, single, bytes, at.strings);
	return bytes;
}

/* The strings that are still to be taken. */
struct pack_reader {
	char *at;
	char *end;
	bool failed;
};

static char *pack_take(struct pack_reader *reader)
{
	char *text = reader->at;
	char *nul = memchr(text, '\0', (size_t)(reader->end - text));

	if (!nul) {
		reader->failed = true;
		return text;
	}
	reader->at = nul + 1;
	return text;
}

bool spawn_unpack(void *bytes, size_t size, struct spawn *spawn, struct account *account)
{
	const char *single[PACK_STRINGS] = {NULL};
	struct pack_header *header = bytes;
	struct pack_layout at;
	struct pack_reader reader;
	struct spawn_secret *secrets;
	const char **pointers;

	if (size < sizeof(*header))
		return false;
	at = pack_layout(header);
	if (header->argc == 0 || at.strings >= size)
		return false;
	reader = (struct pack_reader){(char *)bytes + at.strings, (char *)bytes + size, false};
	pointers = (const char **)(void *)((char *)bytes + at.pointers);
	secrets = (struct spawn_secret *)(void *)((char *)bytes + at.secrets);
	for (uint32_t i = 0; i < header->argc; i++)
		pointers[i] = pack_take(&reader);
	for (uint32_t i = 0; i < header->envc; i++)
		pointers[header->argc + 1 + i] = pack_take(&reader);
	for (uint32_t i = 0; i < header->secret_count; i++) {
		secrets[i].from = pack_take(&reader);
		secrets[i].to = pack_take(&reader);
	}
	for (int i = 0; i < PACK_STRINGS; i++)
		single[i] = header->optional[i] ? pack_take(&reader) : NULL;
	*account = (struct account){
	    .uid = header->uid,
	    .gid = header->gid,
	    .groups = (gid_t *)(void *)((char *)bytes + at.groups),
	    .group_count = (int)header->group_count,
	    .home = (char *)single[PACK_HOME],
	    .name = (char *)single[PACK_NAME],
	    .change = header->change,
	    .loginuid = header->loginuid,
	};
	*spawn = (struct spawn){
	    .argv = pointers,
	    .envp = pointers + header->argc + 1,
	    .cwd = single[PACK_CWD],
	    .input_path = single[PACK_INPUT],
	    .account = account,
	    .rlimits = (const struct job_rlimit *)(void *)((char *)bytes + at.rlimits),
	    .rlimit_count = header->rlimit_count,
	    .secrets = secrets,
	    .secret_count = header->secret_count,
	    .secret_directory = single[PACK_DIRECTORY],
	    .secrets_own = header->own,
	    .tied = header->tied,
	    .nice = header->nice,
	    .umask = header->umask,
	    .fds = {-1, -1, -1, -1, -1},
	};
	return !reader.failed;
}
