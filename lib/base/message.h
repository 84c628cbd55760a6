/* SPDX-License-Identifier: MIT */
/*
 * MessagePack-RPC messages and values: packing and unpacking.
 *
 * A request is [0, msgid, method, [params]], an answer [1, msgid, error,
 * result], a notification [2, method, [params]]. See PROTOCOL.md.
 */
#ifndef SCHEDD_BASE_MESSAGE_H
#define SCHEDD_BASE_MESSAGE_H

#include <schedd/error.h>
#include "base/strbuf.h"
#include "base/value.h"

#define MESSAGE_MAP_MAX 1024 /* members of a map */

enum message_type {
	MESSAGE_REQUEST = 0,
	MESSAGE_RESPONSE = 1,
	MESSAGE_NOTIFICATION = 2,
};

/* One message taken apart; texts and values live in the arena it was unpacked with. */
struct message {
	enum message_type type;
	uint32_t msgid;      /* request and response */
	const char *method;  /* request and notification */
	struct value params; /* request and notification: the map, or nil where none was sent */
	struct value error;  /* response: nil or {code, name, message} */
	struct value result; /* response */
};

/*
 * Unpacks one whole message that frame_scan() accepted. Strings may be str or
 * bin; map keys must be strings without NUL and differ. SCHEDD_EINVAL says
 * what is wrong; message->msgid is set where it could be read, with type
 * MESSAGE_REQUEST, so that a bad request can be answered.
 */
int message_unpack(const char *bytes, size_t length, struct arena *arena, struct message *out,
    struct schedd_error *err) __attribute__((warn_unused_result));

/*
 * The same in pieces, for a large message that others are not to wait for. Each
 * step takes about most bytes further (8 KiB more at the most, but a text is never
 * cut) and is given all the bytes again. 1: all is done, as after message_unpack();
 * 0: more is left; SCHEDD_EINVAL as above. new: NULL if there is no memory.
 */
struct message_pieces;
struct message_pieces *message_pieces_new(void);
void message_pieces_free(struct message_pieces *pieces);
int message_pieces_step(struct message_pieces *pieces, const char *bytes, size_t length,
    size_t most, struct arena *arena, struct message *out, struct schedd_error *err)
    __attribute__((warn_unused_result));

/* Each appends one whole message; check strbuf_failed() after. params NULL: none. */
void message_pack_request(
    struct strbuf *out, uint32_t msgid, const char *method, const struct value *params);
void message_pack_response(struct strbuf *out, uint32_t msgid, const struct value *result);
void message_pack_error(struct strbuf *out, uint32_t msgid, const struct schedd_error *err);
void message_pack_notification(struct strbuf *out, const char *method, const struct value *params);

/*
 * A long list as a result: {key: [items], …rest}, where rest is a map; key NULL: [items] alone. items holds count
 * values one behind the other, each from message_pack_value(), so that a list
 * need not be there as one tree.
 */
void message_pack_list(struct strbuf *out, uint32_t msgid, const char *key,
    const struct strbuf *items, uint32_t count, const struct value *rest);
/* What stands before the items; behind them stand the members of rest, where there is a key. */
void message_pack_list_head(struct strbuf *out, uint32_t msgid, const char *key, uint32_t count,
    const struct value *rest);

/* One bare value, as it stands in params and results. */
void message_pack_value(struct strbuf *out, const struct value *value);
/* Members of a map alone. */
void message_pack_members(struct strbuf *out, const struct value *map);

/*
 * A map that never is a tree: its members are packed as they are made and counted on the way. begin says
 * where it begins; at its end so many (up to MESSAGE_MAP_MAX) stand there.
 */
size_t message_pack_map_begin(struct strbuf *out);
void message_pack_map_end(struct strbuf *out, size_t begin, uint32_t count);
/* What stands in many maps: a key as it is packed. Its name has less than STRBUF_WHOLE bytes. */
struct message_key {
	char packed[STRBUF_WHOLE];
	size_t length;
};
void message_key_make(struct message_key *key, const char *name);
void message_pack_member(struct strbuf *out, const struct message_key *key, const struct value *value);
/* NULL: nil. */
void message_pack_text_member(struct strbuf *out, const struct message_key *key, const char *text);

/* The error map of a response as an error; its code comes from the name. */
int message_error(const struct value *error, struct schedd_error *err);

#endif
