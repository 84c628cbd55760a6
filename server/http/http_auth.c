/* SPDX-License-Identifier: MIT */
/*
 * Identities belong to the lists that were read. Before a list is replaced all
 * peers let go of theirs, so that a token that was taken away ends what it had
 * begun.
 */
#include "server/http/http_auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <schedd/clock.h>
#include "base/log.h"
#include "model/job.h"
#include "server/http/http_cache.h"
#include "server/http/http_peer.h"
#include "server/http/http_password.h"
#include "server/http/http_problem.h"
#include "server/http/http_request.h"
#include "server/http/http_sha256.h"
#include "server/http/http_slow.h"
#include "server/http/http_users.h"

#define HTTP_TOKEN_BYTES 32
#define HTTP_REMEMBERED 64
#define HTTP_REMEMBER (60 * SCHEDD_SECOND)

/* A password that was right a while ago, by the hash of all that matters. */
struct http_remembered {
	char hash[HTTP_SHA256_HEX];
	int64_t until; /* monotonic µs */
};

struct http_auth {
	struct web *web;
	struct http_users tokens;
	struct http_users basic;
	struct http_passwords *passwords; /* NULL: none was checked yet */
	struct http_slow slow;
	struct timeval looked; /* the turn of the loop in which the files were looked at */
	struct http_remembered remembered[HTTP_REMEMBERED];
	unsigned remember_next;
	unsigned char salt[16]; /* of what is remembered */
};

/* A request whose password is being computed; in the request's arena. */
struct http_waiting {
	struct http_auth *auth;
	struct http_request *request;
	struct http_password *password;
	void (*next)(struct http_request *);
	const char *name;           /* the lists may be others when it is done */
	const char *checked;        /* what stood behind the name; NULL: nobody has it */
	char hash[HTTP_SHA256_HEX]; /* for remembering */
};

const struct web_identity http_auth_webhook = {.name = "webhook", .role = "operator"};

static int64_t http_auth_now(void)
{
	const struct schedd_clock *clock = schedd_clock_system();

	return clock->mono(clock->context).us;
}

/* ---- Life ---- */

static bool http_auth_texts_equal(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* The same line in the lists that are to come; NULL: it is gone, or another. */
static const struct web_identity *http_auth_renew(const struct web_identity *old, void *context)
{
	const struct http_user *user = (const struct http_user *)(const void *)old;

	if (old == &http_auth_webhook)
		return old;
	for (struct http_users *const *list = context; *list; list++) {
		const struct http_user *found = http_users_find(*list, old->name);

		if (found && strcmp(found->hash, user->hash) == 0 &&
		    strcmp(found->identity.role, old->role) == 0 &&
		    http_auth_texts_equal(found->identity.account, old->account))
			return &found->identity;
	}
	return NULL;
}

static int http_auth_read(struct http_auth *auth, struct schedd_error *err)
{
	const struct web_config *config = auth->web->config;
	struct http_users tokens = {0}, basic = {0}, *fresh[] = {&tokens, &basic, NULL};
	int rc;

	arena_init(&tokens.arena);
	arena_init(&basic.arena);
	rc = http_users_read(&tokens, config->tokens, false, err);
	if (!rc)
		rc = http_users_read(&basic, config->basic, true, err);
	if (rc) {
		http_users_clear(&tokens);
		http_users_clear(&basic);
		return rc;
	}
	http_cache_clear(auth->web);
	http_peer_renew_identities(auth->web, http_auth_renew, fresh);
	http_users_clear(&auth->tokens);
	http_users_clear(&auth->basic);
	auth->tokens = tokens;
	auth->basic = basic;
	memset(auth->remembered, 0, sizeof(auth->remembered));
	return 0;
}

int http_auth_open(struct web *web, struct http_auth **out, struct schedd_error *err)
{
	struct http_auth *auth = calloc(1, sizeof(*auth));
	int rc;

	if (!auth)
		return schedd_error_nomem(err);
	auth->web = web;
	arena_init(&auth->tokens.arena);
	arena_init(&auth->basic.arena);
	rc = getrandom(auth->salt, sizeof(auth->salt), 0) == sizeof(auth->salt)
		 ? http_auth_read(auth, err)
		 : schedd_error_set(err, SCHEDD_EFAILED, "no random bytes");
	if (rc)
		http_auth_close(auth);
	else
		*out = auth;
	return rc;
}

int http_auth_reload(struct http_auth *auth, struct schedd_error *err)
{
	return http_auth_read(auth, err);
}

void http_auth_close(struct http_auth *auth)
{
	if (!auth)
		return;
	http_passwords_free(auth->passwords);
	http_users_clear(&auth->tokens);
	http_users_clear(&auth->basic);
	free(auth);
}

/* A file that somebody edited: read again; one that is wrong now leaves all as it was. */
static void http_auth_refresh(struct http_auth *auth)
{
	const struct web_config *config = auth->web->config;
	struct schedd_error err;
	struct timeval turn;

	/* Requests that came at one time are judged by one look. */
	event_base_gettimeofday_cached(auth->web->host->base, &turn);
	if (evutil_timercmp(&turn, &auth->looked, ==))
		return;
	auth->looked = turn;
	if (!http_users_changed(&auth->tokens, config->tokens) &&
	    !http_users_changed(&auth->basic, config->basic))
		return;
	if (http_auth_read(auth, &err) == 0)
		return;
	log_error(auth->web->host->log, "http: %s; the lines read before stay in force",
	    err.message);
	if (err.code == SCHEDD_ENOMEM)
		return; /* a token that was taken away is not to stay */
	http_users_mark(&auth->tokens, config->tokens); /* said once, not for each request */
	http_users_mark(&auth->basic, config->basic);
}

/* ---- Refusing ---- */

static const char *http_auth_address(const struct http_request *request)
{
	char *address = NULL;
	uint16_t port;

	evhttp_connection_get_peer(request->peer->evcon, &address, &port);
	return address && address[0] ? address : "unix";
}

/* Each makes its address wait longer; a line and an event tell of it, and stand for many. */
static void http_auth_wrong(
    struct http_auth *auth, const struct http_request *request, const char *what)
{
	const struct web_host *host = auth->web->host;
	const char *address = http_auth_address(request);
	unsigned count;
	char text[128];

	http_slow_failed(&auth->slow, address, http_auth_now());
	if (!http_slow_tell(&auth->slow, address, http_auth_now(), &count))
		return;
	snprintf(text, sizeof(text), "http: wrong %s from %s (%u in all)", what, address, count);
	log_warn(host->log, "%s", text);
	host->denied(host->context, text);
}

static void http_auth_refuse(struct http_auth *auth, struct http_request *request, bool wrong)
{
	auth->web->counters.unauthorized++;
	if (wrong)
		http_auth_wrong(auth, request, "credentials");
	http_request_set(request, "WWW-Authenticate",
	    auth->web->config->basic ? "Bearer realm=\"schedd\", Basic realm=\"schedd\""
				     : "Bearer realm=\"schedd\"");
	http_problem(request, 401, "permission_denied",
	    wrong ? "this token or password is not valid"
		  : "send a token: Authorization: Bearer TOKEN (schedctl token add makes one)");
}

void http_auth_unsigned(struct http_auth *auth, struct http_request *request, bool wrong)
{
	auth->web->counters.unauthorized++;
	if (wrong)
		http_auth_wrong(auth, request, "signatures");
	http_request_set(request, "WWW-Authenticate", "HMAC-SHA-256 header=\"X-Hub-Signature-256\"");
	http_problem(request, 401, "permission_denied",
	    wrong ? "the signature is not that of this body with this webhook's secret"
		  : "sign the body: X-Hub-Signature-256: sha256=HMAC in hexadecimal digits");
}

bool http_auth_waits(struct http_auth *auth, struct http_request *request)
{
	unsigned wait = http_slow_wait(&auth->slow, http_auth_address(request), http_auth_now());
	char seconds[16];

	if (!wait)
		return false;
	snprintf(seconds, sizeof(seconds), "%u", wait);
	http_request_set(request, "Retry-After", seconds);
	http_problem(request, 429, "permission_denied",
	    "too many wrong credentials came from this address: wait %u s", wait);
	return true;
}

void http_auth_right(struct http_auth *auth, const struct http_request *request)
{
	http_slow_succeeded(&auth->slow, http_auth_address(request));
}

/* ---- Tokens ---- */

static void http_auth_token(struct http_auth *auth, struct http_request *request,
    const char *token, void (*next)(struct http_request *))
{
	char hash[HTTP_SHA256_HEX];
	const struct http_user *found = NULL;

	http_sha256(token, strlen(token), hash);
	for (size_t i = 0; i < auth->tokens.count; i++) {
		if (http_sha256_equal(hash, auth->tokens.items[i].hash))
			found = &auth->tokens.items[i];
	}
	if (!found) {
		http_auth_refuse(auth, request, true);
		return;
	}
	http_slow_succeeded(&auth->slow, http_auth_address(request));
	request->bearer = true;
	request->identity = &found->identity;
	next(request);
}

/* ---- Passwords ---- */

static bool http_base64(const char *text, char *out, size_t size)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned bits = 0, have = 0;
	size_t used = 0;

	for (; *text && *text != '='; text++) {
		const char *digit = strchr(digits, *text);

		if (!digit)
			return false;
		bits = bits << 6 | (unsigned)(digit - digits);
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		if (used + 1 >= size || !(bits >> have & 0xff))
			return false;
		out[used++] = (char)(bits >> have);
	}
	out[used] = '\0';
	return true;
}

static bool http_auth_remembers(const struct http_auth *auth, const char *hash)
{
	int64_t now = http_auth_now();

	for (size_t i = 0; i < HTTP_REMEMBERED; i++) {
		if (auth->remembered[i].until > now &&
		    http_sha256_equal(auth->remembered[i].hash, hash))
			return true;
	}
	return false;
}

static void http_auth_remember(struct http_auth *auth, const char *hash)
{
	struct http_remembered *place =
	    &auth->remembered[auth->remember_next++ % HTTP_REMEMBERED];

	memcpy(place->hash, hash, HTTP_SHA256_HEX);
	place->until = http_auth_now() + HTTP_REMEMBER;
}

static void http_auth_checked(bool right, void *context)
{
	struct http_waiting *waiting = context;
	struct http_auth *auth = waiting->auth;
	struct http_request *request = waiting->request;
	const struct http_user *user = http_users_find(&auth->basic, waiting->name);

	request->state = NULL;
	request->release = NULL;
	if (!right || !user || !waiting->checked || strcmp(user->hash, waiting->checked) != 0) {
		http_auth_refuse(auth, request, true);
		return;
	}
	http_slow_succeeded(&auth->slow, http_auth_address(request));
	http_auth_remember(auth, waiting->hash);
	request->identity = &user->identity;
	waiting->next(request);
}

/* The client has left meanwhile. */
static void http_auth_left(struct http_request *request)
{
	struct http_waiting *waiting = request->state;

	http_password_cancel(waiting->password);
}

/* A name that nobody has takes as long as a wrong password: it is compared with this. */
#define HTTP_NOBODY "$6$rounds=5000$nobody$x"

static void http_auth_compute(struct http_auth *auth, struct http_waiting *waiting,
    const char *password, const struct http_user *user)
{
	if (!auth->passwords)
		auth->passwords = http_passwords_new(auth->web->host->base);
	waiting->checked = user ? arena_strdup(waiting->request->arena, user->hash) : NULL;
	if (auth->passwords && !arena_failed(waiting->request->arena))
		waiting->password = http_password_check(auth->passwords, password,
		    user ? user->hash : HTTP_NOBODY, http_auth_checked, waiting);
	if (waiting->password) {
		waiting->request->state = waiting;
		waiting->request->release = http_auth_left;
		return;
	}
	http_request_set(waiting->request, "Retry-After", "1");
	http_problem(waiting->request, 429, "failed", "too many passwords are being checked");
}

static void http_auth_password(struct http_auth *auth, struct http_request *request,
    const char *encoded, void (*next)(struct http_request *))
{
	struct http_waiting *waiting = arena_alloc(request->arena, sizeof(*waiting));
	char pair[512], all[1024], *colon;
	const struct http_user *user;
	int length;

	if (!waiting || !http_base64(encoded, pair, sizeof(pair)) || !(colon = strchr(pair, ':'))) {
		http_auth_refuse(auth, request, true);
		return;
	}
	*colon = '\0';
	user = http_users_find(&auth->basic, pair);
	*waiting = (struct http_waiting){.auth = auth,
	    .request = request,
	    .next = next,
	    .name = arena_strdup(request->arena, pair)};
	memcpy(all, auth->salt, sizeof(auth->salt));
	length = snprintf(all + sizeof(auth->salt), sizeof(all) - sizeof(auth->salt), "%s:%s:%s",
	    pair, user ? user->hash : "", colon + 1);
	http_sha256(all, sizeof(auth->salt) + (size_t)length, waiting->hash);
	if (user && http_auth_remembers(auth, waiting->hash)) {
		request->identity = &user->identity;
		next(request);
	} else {
		http_auth_compute(auth, waiting, colon + 1, user);
	}
	explicit_bzero(pair, sizeof(pair));
	explicit_bzero(all, sizeof(all));
}

/* ---- Asking ---- */

void http_auth_check(
    struct http_auth *auth, struct http_request *request, void (*next)(struct http_request *))
{
	const char *header = http_request_header(request, "Authorization");

	http_auth_refresh(auth);
	if (header && http_auth_waits(auth, request))
		return;
	if (header && strncasecmp(header, "Bearer ", 7) == 0) {
		http_auth_token(auth, request, header + 7 + strspn(header + 7, " "), next);
	} else if (header && strncasecmp(header, "Basic ", 6) == 0 && auth->basic.count) {
		http_auth_password(auth, request, header + 6 + strspn(header + 6, " "), next);
	} else {
		http_auth_refuse(auth, request, header != NULL);
	}
}

static int http_auth_rank(const char *role)
{
	return strcmp(role, "admin") == 0 ? 2 : strcmp(role, "operator") == 0 ? 1 : 0;
}

bool http_auth_may(const struct web_identity *identity, const char *role)
{
	return http_auth_rank(identity->role) >= http_auth_rank(role);
}

/* ---- token.add, token.list, token.remove ---- */

/* What cannot be read now is read with the next request. */
static void http_auth_reread(struct http_auth *auth)
{
	if (!http_auth_read(auth, NULL))
		return;
	memset(auth->tokens.stamp, 0, sizeof(auth->tokens.stamp));
	memset(&auth->looked, 0, sizeof(auth->looked));
}

static int http_auth_has_file(const struct http_auth *auth, struct schedd_error *err)
{
	if (auth->web->config->tokens)
		return 0;
	return schedd_error_set(err, SCHEDD_ECONFLICT,
	    "the config names no file of tokens: set http.tokens, then reload");
}

static int http_auth_token_make(char text[2 * HTTP_TOKEN_BYTES + 1], struct schedd_error *err)
{
	unsigned char bytes[HTTP_TOKEN_BYTES];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return schedd_error_set(err, SCHEDD_EFAILED, "no random bytes");
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	explicit_bzero(bytes, sizeof(bytes));
	return 0;
}

int http_auth_token_add(struct http_auth *auth, const char *name, const char *role,
    const char *account, struct arena *arena, struct value *answer, struct schedd_error *err)
{
	char token[2 * HTTP_TOKEN_BYTES + 1], hash[HTTP_SHA256_HEX], line[1024];
	int rc = http_auth_has_file(auth, err);

	if (!rc && !job_id_valid(name))
		rc = schedd_error_set(err, SCHEDD_EINVAL,
		    "'%.64s' is no name: letters, digits, '_', '-' and '.', at most 128", name);
	if (!rc)
		rc = http_users_role(role, err);
	if (!rc && strcmp(role, "user") == 0 && !account)
		rc = schedd_error_set(err, SCHEDD_EINVAL,
		    "a token of the role user needs an account (--account), whose jobs it is for");
	if (!rc && account && (strpbrk(account, " \t\n:#") || strlen(account) > 256))
		rc = schedd_error_set(err, SCHEDD_EINVAL, "'%.64s' is no account", account);
	http_auth_refresh(auth);
	if (!rc && http_users_find(&auth->tokens, name))
		rc = schedd_error_set(err, SCHEDD_ECONFLICT,
		    "there is a token '%s' already; remove it first (schedctl token remove)", name);
	if (!rc)
		rc = http_auth_token_make(token, err);
	if (rc)
		return rc;
	*answer = value_map();
	value_put(arena, answer, "name", value_string(arena, name));
	value_put(arena, answer, "role", value_string(arena, role));
	value_put(arena, answer, "account", value_string(arena, account));
	value_put(arena, answer, "token", value_string(arena, token));
	/* It is shown this once: before it is made it must be known how. */
	if (arena_failed(arena))
		return schedd_error_nomem(err);
	http_sha256(token, strlen(token), hash);
	snprintf(line, sizeof(line), "%s %s %s%s%s", name, role, hash, account ? " " : "",
	    account ? account : "");
	rc = http_users_write(auth->web->config->tokens, name, line, err);
	if (!rc)
		http_auth_reread(auth);
	explicit_bzero(token, sizeof(token));
	return rc;
}

int http_auth_token_list(
    struct http_auth *auth, struct arena *arena, struct value *answer, struct schedd_error *err)
{
	(void)err;
	http_auth_refresh(auth);
	*answer = value_array();
	for (size_t i = 0; i < auth->tokens.count; i++) {
		const struct web_identity *identity = &auth->tokens.items[i].identity;
		struct value map = value_map();

		value_put(arena, &map, "name", value_string(arena, identity->name));
		value_put(arena, &map, "role", value_string(arena, identity->role));
		value_put(arena, &map, "account", value_string(arena, identity->account));
		value_append(arena, answer, map);
	}
	return 0;
}

int http_auth_token_remove(struct http_auth *auth, const char *name, struct schedd_error *err)
{
	int rc = http_auth_has_file(auth, err);

	http_auth_refresh(auth);
	if (!rc && !http_users_find(&auth->tokens, name))
		rc = schedd_error_set(err, SCHEDD_ENOTFOUND, "there is no token '%.128s'", name);
	if (!rc)
		rc = http_users_write(auth->web->config->tokens, name, NULL, err);
	if (!rc)
		http_auth_reread(auth);
	return rc;
}
