/* SPDX-License-Identifier: MIT */
/*
 * A group goes out in as few transactions as hold it, each with whole batches
 * and the mark of the last. A batch that is too large for one goes unit by unit
 * if it may, as claims; else it is written to the journal first, which is what
 * makes it stored, and from there to its place: a restart does the rest of what
 * is whole there, and undoes what is not.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "store/modules/store_keys.h"

#define COMMIT_TRIES 5
/* What a name and the like take beside the text of a write. */
#define COMMIT_OVERHEAD 64

struct commit {
	struct keys_build build;
	struct keys_set pending;      /* writes of whole batches, not sent */
	struct store_batch *unsent;   /* the first of these */
	struct store_batch *last;     /* and the last; NULL: none */
	bool again;                   /* what was judged is not so: all that is not stored anew */
};

/* ---- What is stored of a group ---- */

static bool commit_is_stored(const struct keys_link *keys, uint64_t serial)
{
	for (uint32_t i = 0; i < keys->stored_count; i++)
		if (keys->stored[i] == serial)
			return true;
	return false;
}

/* The oldest make room: nobody asks for them any more. */
static void commit_note_stored(struct keys_link *keys, uint64_t serial)
{
	if (commit_is_stored(keys, serial))
		return;
	if (keys->stored_count == KEYS_STORED) {
		keys->stored_count--;
		memmove(keys->stored, keys->stored + 1, keys->stored_count * sizeof(keys->stored[0]));
	}
	keys->stored[keys->stored_count++] = serial;
}

/* These are answered. */
static void commit_answered(
    struct keys_link *keys, const struct store_batch *first, const struct store_batch *end)
{
	for (const struct store_batch *batch = first; batch != end; batch = batch->next)
		for (uint32_t i = 0; i < keys->stored_count; i++)
			if (keys->stored[i] == batch->serial)
				keys->stored[i] = keys->stored[--keys->stored_count];
}

/* ---- One transaction ---- */

static void commit_settle(struct keys_link *keys, const struct keys_write *first)
{
	for (const struct keys_write *write = first; write; write = write->next)
		if (write->row && write->row->version == KEYS_ABSENT && !write->row->there) {
			strmap_remove(&keys->rows, write->row->name);
			free(write->row);
		}
}

/*
 * With the mark that says what is stored once it is. *first may be NULL. SCHEDD_ECONFLICT with
 * *again set: something is not as it was judged.
 */
static int commit_send(struct store_link *link, struct keys_write *first, uint64_t serial,
    uint32_t units, bool *again, struct schedd_error *err)
{
	struct keys_link *keys = keys_of(link);
	char text[80];
	struct keys_write mark = {.name = "batch", .text = text, .slot = &keys->batch, .next = first};
	bool held = true;
	int rc;

	snprintf(text, sizeof(text), "%s %016" PRIx64 " %" PRIu32, link->config->life, serial, units);
	mark.length = strlen(text);
	rc = keys->server->change(link, &mark, &held, err);
	if (rc)
		return rc;
	if (!held) {
		*again = true;
		return schedd_error_set(err, SCHEDD_ECONFLICT,
		    "store '%s': it is being changed by hand", link->config->name);
	}
	commit_settle(keys, first);
	return 0;
}

static int commit_flush(struct store_link *link, struct commit *commit, struct schedd_error *err)
{
	int rc;

	if (!commit->last)
		return 0;
	rc = commit_send(
	    link, commit->pending.first, commit->last->serial, 0, &commit->again, err);
	for (const struct store_batch *batch = commit->unsent; rc == 0; batch = batch->next) {
		commit_note_stored(keys_of(link), batch->serial);
		if (batch == commit->last)
			break;
	}
	store_keys_set_clear(&commit->pending);
	commit->last = NULL;
	return rc;
}

/* ---- A batch that is too large for one transaction ---- */

static bool commit_room(const struct keys_server *server, uint32_t count, size_t bytes)
{
	/* One more is the mark. */
	return count + 1 <= server->writes && bytes + (count + 1) * COMMIT_OVERHEAD <= server->bytes;
}

/* Cuts off the first writes that go into one transaction, of whole units if they must be. */
static struct keys_write *commit_cut(
    const struct keys_server *server, struct keys_write *first, bool by_units)
{
	struct keys_write **cut = NULL, **at = &first->next, *rest;
	size_t bytes = strlen(first->name) + first->length;
	uint32_t count = 1, unit = first->unit;

	for (; *at; at = &(*at)->next) {
		if (!by_units || (*at)->unit != unit)
			cut = at;
		unit = (*at)->unit;
		bytes += strlen((*at)->name) + (*at)->length;
		if (!commit_room(server, ++count, bytes))
			break;
	}
	if (!*at)
		cut = at;
	if (!cut)
		cut = &first->next;
	rest = *cut;
	*cut = NULL;
	return rest;
}

/* Does each unit go into one transaction? */
static bool commit_units_fit(const struct keys_server *server, const struct keys_set *set)
{
	uint32_t count = 0, unit = 0;
	size_t bytes = 0;

	for (const struct keys_write *write = set->first; write; write = write->next) {
		if (write->unit != unit) {
			unit = write->unit;
			count = 0;
			bytes = 0;
		}
		bytes += strlen(write->name) + write->length;
		if (!commit_room(server, ++count, bytes))
			return false;
	}
	return true;
}

static int commit_loose(struct store_link *link, struct commit *commit, struct store_batch *batch,
    struct schedd_error *err)
{
	struct keys_link *keys = keys_of(link);
	struct keys_write *rest = commit->build.set.first;
	int rc = 0;

	while (rest && rc == 0) {
		struct keys_write *first = rest;
		uint32_t units;

		rest = commit_cut(keys->server, first, true);
		units = rest ? rest->unit - 1 : 0;
		rc = commit_send(link, first, batch->serial, units, &commit->again, err);
		if (rc == 0 && units) {
			keys->partial = batch->serial;
			keys->partial_units = units;
		}
	}
	return rc;
}

/* ---- The journal ---- */

#define JOURNAL_NAME "journal/%016" PRIx64 ".%05" PRIu32 ".%05" PRIu32

static void journal_write(struct strbuf *out, const char *name, const char *text, size_t length)
{
	if (text)
		strbuf_printf(out, "%zu %zu\n%s", strlen(name), length, name);
	else
		strbuf_printf(out, "%zu -\n%s", strlen(name), name);
	if (text)
		strbuf_add_n(out, text, length);
}

/* How many pieces the writes make; with pieces the texts of them, too. */
static uint32_t journal_pieces(struct keys_build *build, const char **pieces)
{
	size_t most = build->keys->server->bytes - 4 * COMMIT_OVERHEAD;
	struct strbuf text = STRBUF_EMPTY;
	uint32_t count = 0;

	for (const struct keys_write *write = build->set.first; write; write = write->next) {
		struct strbuf one = STRBUF_EMPTY;

		journal_write(&one, write->name, write->text, write->length);
		if (text.length && text.length + one.length > most) {
			if (pieces)
				pieces[count] = arena_strndup(&build->arena, text.data, text.length);
			count++;
			strbuf_reset(&text);
		}
		strbuf_add_n(&text, strbuf_peek(&one), one.length);
		if (strbuf_failed(&one))
			build->arena.failed = true;
		strbuf_clear(&one);
	}
	if (pieces)
		pieces[count] = arena_strndup(&build->arena, strbuf_peek(&text), text.length);
	if (strbuf_failed(&text))
		build->arena.failed = true;
	strbuf_clear(&text);
	return count + 1;
}

/* The pieces one by one; the last of them makes the batch stored. */
static int journal_put(struct store_link *link, struct commit *commit, uint64_t serial,
    struct keys_write *writes, uint32_t count, struct schedd_error *err)
{
	struct keys_link *keys = keys_of(link);
	bool held = true;
	int rc = 0;

	for (uint32_t i = 0; i < count && rc == 0; i++) {
		if (i + 1 == count)
			rc = commit_send(link, &writes[i], serial, 0, &commit->again, err);
		else
			rc = keys->server->change(link, &writes[i], &held, err);
	}
	return rc;
}

/* To their places; without the mark, which says it all. */
static int journal_apply(struct store_link *link, struct keys_write *rest, struct schedd_error *err)
{
	struct keys_link *keys = keys_of(link);
	bool held = true;
	int rc = 0;

	for (struct keys_write *write = rest; write; write = write->next)
		write->check = false;
	while (rest && rc == 0) {
		struct keys_write *first = rest;

		rest = commit_cut(keys->server, first, false);
		rc = keys->server->change(link, first, &held, err);
		if (rc == 0)
			commit_settle(keys, first);
	}
	return rc;
}

static int commit_by_journal(struct store_link *link, struct commit *commit,
    struct store_batch *batch, struct schedd_error *err)
{
	struct keys_build *build = &commit->build;
	uint32_t count = journal_pieces(build, NULL);
	const char **pieces = arena_alloc(&build->arena, count * sizeof(pieces[0]));
	struct keys_write *writes = arena_alloc(&build->arena, count * sizeof(writes[0]));
	int64_t *slots = arena_alloc(&build->arena, count * sizeof(slots[0]));
	int rc;

	if (pieces && writes && slots)
		(void)journal_pieces(build, pieces);
	for (uint32_t i = 0; pieces && writes && slots && i < count; i++) {
		slots[i] = KEYS_ABSENT;
		writes[i] = (struct keys_write){.name = arena_printf(&build->arena, JOURNAL_NAME,
						    batch->serial, i, count),
		    .text = pieces[i],
		    .length = pieces[i] ? strlen(pieces[i]) : 0,
		    .slot = &slots[i]};
	}
	if (arena_failed(&build->arena))
		return schedd_error_nomem(err);
	rc = journal_put(link, commit, batch->serial, writes, count, err);
	if (rc)
		return rc;
	/* It is stored: whatever happens now, the next connection does the rest. */
	rc = journal_apply(link, build->set.first, err);
	for (uint32_t i = 0; i < count; i++) {
		writes[i].text = NULL;
		writes[i].length = 0;
		writes[i].next = i + 1 < count ? &writes[i + 1] : NULL;
	}
	if (rc == 0)
		rc = journal_apply(link, writes, err);
	if (rc && link->fault != STORE_FAULT_FENCED)
		link->fault = STORE_FAULT_UNKNOWN;
	return rc;
}

/* ---- A group ---- */

static void commit_merge(struct commit *commit, struct store_batch *batch)
{
	for (const struct keys_write *write = commit->build.set.first; write; write = write->next)
		store_keys_set_put(&commit->pending, write);
	if (!commit->last)
		commit->unsent = batch;
	commit->last = batch;
}

static int commit_batch(struct store_link *link, struct commit *commit, struct store_batch *batch,
    struct schedd_error *err)
{
	struct keys_build *build = &commit->build;
	const struct keys_server *server = build->keys->server;
	int rc;

	store_keys_set_clear(&build->set);
	build->skip = build->keys->partial == batch->serial ? build->keys->partial_units : 0;
	rc = store_keys_build(build, batch, err);
	if (rc)
		return rc;
	if (commit->last && !commit_room(server, commit->pending.count + build->set.count,
				commit->pending.bytes + build->set.bytes)) {
		rc = commit_flush(link, commit, err);
		if (rc)
			return rc;
	}
	if (commit_room(server, build->set.count, build->set.bytes)) {
		commit_merge(commit, batch);
		return 0;
	}
	rc = build->set.loose && commit_units_fit(server, &build->set)
		 ? commit_loose(link, commit, batch, err)
		 : commit_by_journal(link, commit, batch, err);
	if (rc == 0)
		commit_note_stored(build->keys, batch->serial);
	return rc;
}

static int commit_try(struct store_link *link, struct commit *commit, struct store_batch *first,
    struct store_batch *end, struct schedd_error *err)
{
	int rc = store_keys_prepare(link, first, end, err);

	for (struct store_batch *batch = first; batch != end && rc == 0; batch = batch->next)
		if (!commit_is_stored(keys_of(link), batch->serial))
			rc = commit_batch(link, commit, batch, err);
	if (rc == 0)
		rc = commit_flush(link, commit, err);
	if (rc == 0 && arena_failed(&commit->build.arena))
		rc = schedd_error_nomem(err);
	return rc;
}

int store_keys_commit(struct store_link *link, struct store_batch *first, struct store_batch *end,
    struct schedd_error *err)
{
	struct keys_link *keys = keys_of(link);
	int rc = 0;

	for (int tries = 0; tries < COMMIT_TRIES; tries++) {
		struct commit commit = {.build = {.link = link, .keys = keys}};

		arena_init(&commit.build.arena);
		store_keys_set_init(&commit.build.set, &commit.build.arena);
		store_keys_set_init(&commit.pending, &commit.build.arena);
		commit.build.pending = &commit.pending;
		rc = commit_try(link, &commit, first, end, err);
		if (rc)
			store_keys_forget(keys);
		strmap_clear(&commit.build.set.map);
		strmap_clear(&commit.pending.map);
		arena_clear(&commit.build.arena);
		if (!commit.again)
			break;
	}
	if (rc == 0) {
		commit_answered(keys, first, end);
		keys->partial = 0;
	}
	return rc;
}

/* ---- What became of it ---- */

static bool resolve_mark(const struct keys_read *mark, const char *life, uint64_t *serial,
    uint32_t *units)
{
	size_t length = strlen(life);
	char *end;

	if (!mark->text || strncmp(mark->text, life, length) != 0 || mark->text[length] != ' ')
		return false;
	*serial = strtoull(mark->text + length + 1, &end, 16);
	*units = (uint32_t)strtoul(end, NULL, 10);
	return true;
}

/* What was sent over the connection of before is behind it: its mark is another now. */
int store_keys_resolve(struct store_link *link, struct store_batch *first, struct store_batch *end,
    bool *stored, struct schedd_error *err)
{
	struct keys_link *keys = keys_of(link);
	struct keys_read mark = {.name = "batch"};
	struct arena arena;
	uint64_t serial = 0;
	uint32_t units = 0;
	bool found = false, known;
	int rc;

	arena_init(&arena);
	rc = keys->server->get(link, &mark, &arena, err);
	known = rc == 0 && resolve_mark(&mark, link->config->life, &serial, &units);
	arena_clear(&arena);
	*stored = false;
	for (struct store_batch *batch = first; known && batch != end; batch = batch->next)
		found = found || batch->serial == serial;
	for (struct store_batch *batch = first; found && batch != end; batch = batch->next) {
		bool last = batch->serial == serial;

		if (last && units) {
			keys->partial = serial;
			keys->partial_units = units;
			break;
		}
		commit_note_stored(keys, batch->serial);
		*stored = last && batch->next == end;
		if (last)
			break;
	}
	if (*stored)
		commit_answered(keys, first, end);
	return rc;
}

/* ---- What the owner of before was about ---- */

struct recover {
	struct keys_build build;
	uint64_t serial;
	uint32_t count, seen; /* pieces there should be and are */
	struct keys_write *pieces, **last;
};

static bool recover_see(
    const char *name, const char *text, size_t length, int64_t version, void *context)
{
	struct recover *recover = context;
	struct keys_write *piece = arena_alloc(&recover->build.arena, sizeof(*piece));
	int64_t *slot = arena_alloc(&recover->build.arena, sizeof(*slot));
	uint32_t place;

	if (!piece || !slot ||
	    sscanf(name, JOURNAL_NAME, &recover->serial, &place, &recover->count) != 3)
		return piece && slot;
	*slot = version;
	piece->name = arena_strdup(&recover->build.arena, name);
	piece->text = arena_strndup(&recover->build.arena, text, length);
	piece->length = length;
	piece->slot = slot;
	*recover->last = piece;
	recover->last = &piece->next;
	recover->seen++;
	return piece->name && piece->text;
}

/* The writes of one piece, whose versions are not known yet. False: it is damaged. */
static bool recover_read(struct recover *recover, const struct keys_write *piece)
{
	struct arena *arena = &recover->build.arena;
	const char *at = piece->text, *end = at + piece->length;

	while (at < end) {
		struct keys_write write = {.slot = arena_alloc(arena, sizeof(int64_t))};
		char *after;
		size_t name = strtoul(at, &after, 10), length = 0;
		bool gone = after[0] == ' ' && after[1] == '-';

		if (gone)
			after += 2;
		else if (*after == ' ')
			length = strtoul(after + 1, &after, 10);
		if (*after != '\n' || !write.slot || (size_t)(end - after - 1) < name + length)
			return false;
		at = after + 1;
		write.name = arena_strndup(arena, at, name);
		write.text = gone ? NULL : arena_strndup(arena, at + name, length);
		write.length = length;
		at += name + length;
		if (!write.name)
			return false;
		store_keys_set_put(&recover->build.set, &write);
	}
	return true;
}

static int recover_apply(struct store_link *link, struct recover *recover, struct schedd_error *err)
{
	struct keys_set *set = &recover->build.set;
	struct keys_read *reads =
	    arena_alloc(&recover->build.arena, (set->count + 1) * sizeof(*reads));
	uint32_t at = 0;
	int rc = 0;

	for (const struct keys_write *piece = recover->pieces; piece; piece = piece->next)
		if (!recover_read(recover, piece))
			return store_link_fail(link, STORE_FAULT_REFUSED, err,
			    "a change that was not finished is damaged: the key %s", piece->name);
	reads = arena_alloc(&recover->build.arena, (set->count + 1) * sizeof(*reads));
	if (!reads)
		return schedd_error_nomem(err);
	for (const struct keys_write *write = set->first; write; write = write->next, at++)
		reads[at] = (struct keys_read){
		    .name = write->name, .next = write->next ? &reads[at + 1] : NULL};
	if (set->count)
		rc = keys_of(link)->server->get(link, reads, &recover->build.arena, err);
	at = 0;
	for (struct keys_write *write = set->first; write; write = write->next)
		*write->slot = reads[at++].version;
	return rc ? rc : journal_apply(link, set->first, err);
}

int store_keys_recover(struct store_link *link, struct schedd_error *err)
{
	struct recover recover = {.build = {.link = link, .keys = keys_of(link)}};
	int rc;

	arena_init(&recover.build.arena);
	store_keys_set_init(&recover.build.set, &recover.build.arena);
	recover.last = &recover.pieces;
	rc = keys_of(link)->server->list(link, "journal/", recover_see, &recover, err);
	if (rc == 0 && arena_failed(&recover.build.arena))
		rc = schedd_error_nomem(err);
	if (rc == 0 && recover.seen && recover.seen == recover.count)
		rc = recover_apply(link, &recover, err);
	for (struct keys_write *piece = recover.pieces; piece; piece = piece->next) {
		piece->text = NULL;
		piece->length = 0;
	}
	if (rc == 0 && recover.pieces)
		rc = journal_apply(link, recover.pieces, err);
	strmap_clear(&recover.build.set.map);
	arena_clear(&recover.build.arena);
	return rc;
}
