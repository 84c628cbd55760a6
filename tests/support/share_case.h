/* SPDX-License-Identifier: MIT */
/* Two nodes that share a store, and what they are told: for the tests of what a store owes them. */
#ifndef TESTS_SUPPORT_SHARE_CASE_H
#define TESTS_SUPPORT_SHARE_CASE_H

#include "model/node.h"
#include "store/store_share.h"
#include "support/store_case.h"

#define FAKE "here"

/* Two nodes on one server. */
struct share_case {
	struct store_case one, two;
	bool real; /* not the fake */
	struct store_option options[2][8];
};

static inline void share_watch(const struct store_change *change, void *context)
{
	struct store_case *sc = context;

	if (change->kind == STORE_CHANGE_GONE) {
		strbuf_printf(&sc->texts, "%s gone;", change->id);
		return;
	}
	strbuf_printf(&sc->texts, "%s %u/%u;", change->id, (unsigned)change->record->state.revision,
	    (unsigned)change->record->state.last_run);
	store_case_drop(change->record);
}

static inline void share_hear(const struct store_share_news *news, void *context)
{
	struct store_case *sc = context;
	size_t runs = 0;

	if (news->kind == STORE_SHARE_COUNTERS)
		for (uint32_t i = 0; i < news->job_count; i++)
			strbuf_printf(&sc->texts, "%s counts %u, %u run;", news->jobs[i].id,
			    (unsigned)news->jobs[i].last_run, (unsigned)news->jobs[i].running);
	if (news->kind == STORE_SHARE_SLOTS)
		strbuf_printf(&sc->texts, "slot 7 of %u;", (unsigned)news->owners[7]);
	if (news->kind == STORE_SHARE_TOLD)
		strbuf_printf(&sc->texts, "%u says %s %s: %s;", (unsigned)news->origin, news->what, news->id,
		    news->text);
	if (news->kind == STORE_SHARE_TEXT)
		strbuf_printf(&sc->texts, "%s is %s;", news->id, news->text ? news->text : "gone");
	if (news->kind == STORE_SHARE_TAKEN) {
		const struct run *list = store_snapshot_runs(news->snapshot, &runs);

		strbuf_printf(&sc->texts, "%s is dead:", news->from);
		for (size_t i = 0; i < runs; i++)
			strbuf_printf(&sc->texts, " %s/%u", list[i].job, (unsigned)list[i].number);
		strbuf_add(&sc->texts, ";");
		store_snapshot_free(news->snapshot);
	}
}

/* The loops of both turn. */
static inline void share_turn(struct share_case *both)
{
	mailbox_wait_for(both->one.config.mailbox, SCHEDD_SECOND / 200);
	mailbox_wait_for(both->two.config.mailbox, SCHEDD_SECOND / 200);
}

/* Until that stands in what it was told; which is forgotten then up to there. */
static inline void share_await(struct share_case *both, struct store_case *sc, const char *text)
{
	struct strbuf rest = STRBUF_EMPTY;
	const char *at = NULL;

	for (int i = 0; i < 6000 && !at; i++) {
		share_turn(both);
		at = sc->texts.length ? strstr(strbuf_peek(&sc->texts), text) : NULL;
	}
	cr_assert(at, "'%s' is not told, but: %s", text, sc->texts.length ? strbuf_peek(&sc->texts) : "");
	strbuf_add(&rest, at + strlen(text));
	strbuf_clear(&sc->texts);
	sc->texts = rest;
}

static inline void share_await_state(struct share_case *both, struct store_case *sc, enum store_state state)
{
	for (int i = 0; i < 6000 && store_state(sc->store) != state; i++)
		share_turn(both);
	cr_assert_eq(store_state(sc->store), state, "%s", store_state_why(sc->store));
}

/* Reads everything, and listens from there on. */
static inline size_t share_load(struct store_case *sc)
{
	size_t count;

	store_watch(sc->store, share_watch, sc);
	store_share(sc->store, share_hear, sc);
	count = store_case_load(sc);
	strbuf_clear(&sc->texts);
	return count;
}

/* Of a node that shares the store: up to six. */
static inline void share_options(const char *node, struct store_option *options)
{
	int count = 0;

	options[count++] = (struct store_option){"shared", "true"};
	options[count++] = (struct store_option){"node", node};
	options[count++] = (struct store_option){"lease", "5m"};
	options[count++] = (struct store_option){"timeout", "2s"};
	if (geteuid() == 0)
		options[count++] = (struct store_option){"run_as", "root"};
	options[count] = (struct store_option){NULL, NULL};
}

static inline void share_prepare(
    struct store_case *sc, const char *type, const char *node, struct store_option *options)
{
	store_case_prepare(sc, type);
	share_options(node, options);
	sc->config.options = options;
}

static inline void share_init(struct share_case *both, const char *type)
{
	both->real = strcmp(type, "server") == 0;
	share_prepare(&both->one, type, "one", both->options[0]);
	share_prepare(&both->two, type, "two", both->options[1]);
	cr_assert_eq(store_case_open(&both->one), 0, "%s", both->one.err.message);
	share_load(&both->one);
	cr_assert_eq(store_case_open(&both->two), 0, "%s", both->two.err.message);
	share_load(&both->two);
	/* That it has come. */
	share_await(both, &both->one, "slot 7 of 1;");
}

#define SHARE_TEST_OVER(type, name)                                                                \
	Test(store_##type, name)                                                                   \
	{                                                                                          \
		struct share_case both;                                                            \
		if (!store_case_has(#type))                                                        \
			return;                                                                    \
		share_init(&both, #type);                                                          \
		share_##name(&both, &both.one, &both.two);                                         \
		store_case_clear(&both.two);                                                       \
		store_case_clear(&both.one);                                                       \
	}

#define SHARE_TEST(name)                                                                           \
	static void share_##name(struct share_case *, struct store_case *, struct store_case *);   \
	SHARE_TEST_OVER(fake, name)                                                                \
	SHARE_TEST_OVER(shuffled, name)                                                            \
	SHARE_TEST_OVER(server, name)                                                              \
	static void share_##name(                                                                  \
	    struct share_case *both, struct store_case *one, struct store_case *two)

/* What only the fake can be told to do. */
#define SHARE_FAKE_TEST(name)                                                                      \
	static void share_##name(struct share_case *, struct store_case *, struct store_case *);   \
	SHARE_TEST_OVER(fake, name)                                                                \
	SHARE_TEST_OVER(shuffled, name)                                                            \
	static void share_##name(                                                                  \
	    struct share_case *both, struct store_case *one, struct store_case *two)

static inline void share_put(struct store_case *sc, const char *id, unsigned revision)
{
	struct store_batch *batch = store_batch_new(sc->store);
	char json[200];

	snprintf(json, sizeof(json), "{\"id\":\"%s\",\"shell\":\"true\",\"revision\":%u}", id, revision);
	store_case_put_job(sc, batch, json);
	cr_assert_eq(store_case_commit(sc, batch), 0, "%s", sc->err.message);
}

#endif
