/* SPDX-License-Identifier: MIT */
/*
 * Requests to etcd's JSON gateway, each with the time that the call has left. A
 * token goes along once somebody has logged in; it is renewed when the server
 * does not know it any more.
 */
#include "store/modules/store_etcd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"

#define ETCD_PORT 2379
#define ETCD_REPLY_MAX (256u << 20)

static size_t talk_take(char *data, size_t size, size_t count, void *context)
{
	struct strbuf *reply = context;

	if (reply->length + size * count > ETCD_REPLY_MAX)
		return 0;
	strbuf_add_n(reply, data, size * count);
	return strbuf_failed(reply) ? 0 : size * count;
}

/* What is left of a body that is sent. */
struct talk_body {
	const char *at;
	size_t left;
	bool given; /* some of it */
};

static size_t talk_give(char *data, size_t size, size_t count, void *context)
{
	struct talk_body *body = context;
	size_t length = size * count < body->left ? size * count : body->left;

	body->given = true;
	memcpy(data, body->at, length);
	body->at += length;
	body->left -= length;
	return length;
}

int64_t store_etcd_number(const struct value *map, const char *key)
{
	const struct value *value = value_get(map, key);

	if (!value)
		return 0;
	return value->type == VALUE_STRING ? strtoll(value->string.text, NULL, 10)
	       : value->type == VALUE_INT  ? value->integer
					   : 0;
}

static bool talk_secure(const struct store_link *link)
{
	const char *scheme = link->config->url.scheme;

	return strcmp(scheme, "https") == 0 || strcmp(scheme, "etcds") == 0;
}

static void talk_url(const struct store_link *link, const char *path, struct strbuf *out)
{
	const struct store_url_host *host = &link->config->url.hosts[etcd_of(link)->endpoint];
	const char *name = host->name[0] ? host->name : "127.0.0.1";

	strbuf_printf(out, strchr(name, ':') ? "http%s://[%s]:%u%s" : "http%s://%s:%u%s",
	    talk_secure(link) ? "s" : "", name, host->port ? host->port : ETCD_PORT, path);
}

/* ---- One exchange ---- */

/* What curl's failure means; sent: some of what changes something was. */
static int talk_lost(
    struct store_link *link, CURLcode code, bool sent, struct schedd_error *err)
{
	struct etcd_link *etcd = etcd_of(link);
	bool trust = code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
		     code == CURLE_SSL_CERTPROBLEM;
	const char *why = etcd->error[0] ? etcd->error : curl_easy_strerror(code);
	/* Before it has told its version it may be anything. */
	bool strange = !etcd->version[0] && code != CURLE_COULDNT_CONNECT &&
		       code != CURLE_COULDNT_RESOLVE_HOST;

	if (strange && !trust)
		return store_link_fail(link, STORE_FAULT_GONE, err,
		    "%s; is it etcd that listens there, %s (else write %s://)?", why,
		    talk_secure(link) ? "with TLS" : "without TLS",
		    talk_secure(link) ? "http" : "https");
	if (trust)
		return store_link_fail(link, STORE_FAULT_REFUSED, err, "%s", why);
	if (sent)
		return store_link_fail(link, STORE_FAULT_UNKNOWN, err,
		    "%s: whether it was stored is not known yet", why);
	return store_link_fail(link, STORE_FAULT_GONE, err, "%s", why);
}

/* body NULL: GET. */
static int talk_exchange(struct store_link *link, const char *path, const struct strbuf *body,
    bool writes, long *status, struct schedd_error *err)
{
	struct etcd_link *etcd = etcd_of(link);
	struct strbuf url = STRBUF_EMPTY;
	struct talk_body sent = {
	    body ? strbuf_peek(body) : NULL, body ? body->length : 0, false};
	int left = store_link_left(link);
	CURLcode code;

	if (left <= 0)
		return store_link_fail(link, STORE_FAULT_GONE, err, "no answer within its time");
	talk_url(link, path, &url);
	strbuf_reset(&etcd->reply);
	etcd->error[0] = '\0';
	curl_easy_setopt(etcd->curl, CURLOPT_URL, strbuf_peek(&url));
	curl_easy_setopt(etcd->curl, CURLOPT_TIMEOUT_MS, (long)left);
	curl_easy_setopt(etcd->curl, CURLOPT_CONNECTTIMEOUT_MS,
	    (long)(link->config->connect_timeout / 1000));
	/*
	 * From a function that cannot begin again: otherwise curl sends a request once more by itself
	 * when a connection ends without an answer, and the second finds what the first has done.
	 */
	if (body) {
		curl_easy_setopt(etcd->curl, CURLOPT_POST, 1L);
		curl_easy_setopt(etcd->curl, CURLOPT_READFUNCTION, talk_give);
		curl_easy_setopt(etcd->curl, CURLOPT_READDATA, &sent);
		curl_easy_setopt(
		    etcd->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->length);
	} else {
		curl_easy_setopt(etcd->curl, CURLOPT_HTTPGET, 1L);
	}
	code = curl_easy_perform(etcd->curl);
	strbuf_clear(&url);
	if (code != CURLE_OK)
		/* Whatever it says: it may fail to connect anew after an answer that did not come. */
		return talk_lost(link, code, writes && sent.given, err);
	curl_easy_getinfo(etcd->curl, CURLINFO_RESPONSE_CODE, status);
	if (strbuf_failed(&etcd->reply))
		return schedd_error_nomem(err);
	return 0;
}

int store_etcd_talk_get(struct store_link *link, const char *path, struct schedd_error *err)
{
	long status = 0;
	int rc = talk_exchange(link, path, NULL, false, &status, err);

	if (rc || status == 200)
		return rc;
	if (strstr(strbuf_peek(&etcd_of(link)->reply), "HTTPS server"))
		return store_link_fail(
		    link, STORE_FAULT_REFUSED, err, "the server speaks TLS there: write https://");
	return store_link_fail(link, STORE_FAULT_REFUSED, err,
	    "what answers there is no etcd: HTTP status %ld to %s", status, path);
}

/* ---- What the server says no to ---- */

/* By words, as codes are the same for many things. */
static const struct talk_reason {
	const char *words;
	enum store_fault fault;
	const char *advice;
} talk_reasons[] = {
    {"database space exceeded", STORE_FAULT_READ_ONLY,
	": its quota is used up (alarm NOSPACE): compact and defragment it, then etcdctl alarm disarm"},
    {"request is too large", STORE_FAULT_NONE, ""},
    {"user name is empty", STORE_FAULT_REFUSED, ": it wants a user and a password"},
    {"authentication failed", STORE_FAULT_REFUSED, ""},
    {"authentication is not enabled", STORE_FAULT_REFUSED,
	": leave user and password out of the url, or enable it"},
    {"permission denied", STORE_FAULT_REFUSED,
	": the user needs a role that may read and write all keys of the prefix"},
    {"etcdserver: no leader", STORE_FAULT_GONE, ""},
    {"corrupt", STORE_FAULT_READ_ONLY, ""},
};

static int talk_refused(struct store_link *link, long status, const char *words, bool writes,
    struct schedd_error *err)
{
	for (size_t i = 0; i < sizeof(talk_reasons) / sizeof(talk_reasons[0]); i++) {
		const struct talk_reason *reason = &talk_reasons[i];

		if (!strstr(words, reason->words))
			continue;
		if (reason->fault == STORE_FAULT_NONE)
			return schedd_error_set(err, SCHEDD_EINVAL, "store '%s': %.200s",
			    link->config->name, words);
		return store_link_fail(
		    link, reason->fault, err, "%.200s%s", words, reason->advice);
	}
	/* It told its version, which the port of its peers does, too. */
	if (status == 404 || status == 405)
		return store_link_fail(link, STORE_FAULT_REFUSED, err,
		    "what answers there has no etcd's JSON API (HTTP status %ld): is it the port of its peers, "
		    "or --enable-grpc-gateway=false?", status);
	/* It may still be carried out: a request without a quorum waits in the log. */
	if (writes && status >= 500)
		return store_link_fail(link, STORE_FAULT_UNKNOWN, err,
		    "%.200s (HTTP status %ld): whether it was stored is not known yet", words, status);
	return store_link_fail(link, STORE_FAULT_GONE, err, "%.200s (HTTP status %ld)",
	    words[0] ? words : "it failed", status);
}

static int talk_parse(struct store_link *link, long status, bool writes, struct arena *arena,
    struct value *out, struct schedd_error *err)
{
	const struct etcd_link *etcd = etcd_of(link);
	const char *words;

	if (json_parse(strbuf_peek(&etcd->reply), etcd->reply.length, arena, out, NULL) ||
	    out->type != VALUE_MAP) {
		/* An answer may end anywhere, also before it says how long it is. */
		if (status == 200)
			return talk_lost(link, CURLE_PARTIAL_FILE, writes, err);
		return talk_refused(link, status, strbuf_peek(&etcd->reply), writes, err);
	}
	if (status == 200)
		return 0;
	words = value_get_string(out, "message");
	if (!words)
		words = value_get_string(out, "error");
	return talk_refused(link, status, words ? words : "", writes, err);
}

/* ---- Logging in ---- */

static int talk_login(struct store_link *link, struct schedd_error *err)
{
	const struct store_url *url = &link->config->url;
	struct etcd_link *etcd = etcd_of(link);
	struct strbuf body = STRBUF_EMPTY;
	struct value answer;
	struct arena arena;
	const char *token;
	char header[1200];
	long status = 0;
	int rc;

	curl_slist_free_all(etcd->headers);
	etcd->headers = curl_slist_append(NULL, "Content-Type: application/json");
	/* A long body waits for nobody's word. */
	etcd->headers = curl_slist_append(etcd->headers, "Expect:");
	curl_easy_setopt(etcd->curl, CURLOPT_HTTPHEADER, etcd->headers);
	if (!url->user || !url->password)
		return etcd->headers ? 0 : schedd_error_nomem(err);
	strbuf_add(&body, "{\"name\":");
	json_write_string(&body, url->user, strlen(url->user));
	strbuf_add(&body, ",\"password\":");
	json_write_string(&body, url->password, strlen(url->password));
	strbuf_add(&body, "}");
	arena_init(&arena);
	rc = talk_exchange(link, "/v3/auth/authenticate", &body, false, &status, err);
	if (body.data)
		explicit_bzero(body.data, body.length);
	strbuf_clear(&body);
	if (rc == 0)
		rc = talk_parse(link, status, false, &arena, &answer, err);
	token = rc == 0 ? value_get_string(&answer, "token") : NULL;
	if (rc == 0 && (!token || strlen(token) > 1024))
		rc = store_link_fail(link, STORE_FAULT_REFUSED, err, "its log-in gives no token");
	if (rc == 0) {
		/* Without a word before it, unlike elsewhere. */
		snprintf(header, sizeof(header), "Authorization: %s", token);
		etcd->headers = curl_slist_append(etcd->headers, header);
		curl_easy_setopt(etcd->curl, CURLOPT_HTTPHEADER, etcd->headers);
		explicit_bzero(header, sizeof(header));
	}
	arena_clear(&arena);
	return rc;
}

int store_etcd_talk(struct store_link *link, const char *path, const struct strbuf *body,
    bool writes, struct arena *arena, struct value *out, struct schedd_error *err)
{
	struct etcd_link *etcd = etcd_of(link);
	const struct value *header;
	long status = 0;
	int rc;

	if (strbuf_failed(body))
		return schedd_error_nomem(err);
	rc = talk_exchange(link, path, body, writes, &status, err);
	/* The token is not known any more: the server was started anew, or it was not used. */
	if (rc == 0 && status == 401 && link->config->url.user) {
		rc = talk_login(link, err);
		if (rc == 0)
			rc = talk_exchange(link, path, body, writes, &status, err);
	}
	if (rc == 0)
		rc = talk_parse(link, status, writes, arena, out, err);
	header = rc == 0 ? value_get(out, "header") : NULL;
	if (header)
		etcd->revision = store_etcd_number(header, "revision");
	return rc;
}

/* ---- Connecting ---- */

static int talk_version(struct store_link *link, struct schedd_error *err)
{
	struct etcd_link *etcd = etcd_of(link);
	unsigned major = 0, minor = 0;
	struct value answer;
	struct arena arena;
	const char *version;
	int rc = store_etcd_talk_get(link, "/version", err);

	if (rc)
		return rc;
	arena_init(&arena);
	version = json_parse(strbuf_peek(&etcd->reply), etcd->reply.length, &arena, &answer, NULL) == 0 &&
			  answer.type == VALUE_MAP
		      ? value_get_string(&answer, "etcdserver")
		      : NULL;
	if (etcd->reply.length == 0)
		rc = talk_lost(link, CURLE_GOT_NOTHING, false, err);
	else if (!version || sscanf(version, "%u.%u", &major, &minor) != 2)
		rc = store_link_fail(
		    link, STORE_FAULT_REFUSED, err, "what answers there is no etcd");
	else if (major < 3 || (major == 3 && minor < 4))
		rc = store_link_fail(link, STORE_FAULT_REFUSED, err,
		    "its version is %.20s: etcd 3.4 or later is needed", version);
	else
		snprintf(etcd->version, sizeof(etcd->version), "%s", version);
	arena_clear(&arena);
	return rc;
}

static int talk_prepare(struct store_link *link, struct schedd_error *err)
{
	const struct store_remote_config *config = link->config;
	struct etcd_link *etcd = etcd_of(link);

	etcd->version[0] = '\0';
	etcd->curl = curl_easy_init();
	if (!etcd->curl)
		return schedd_error_nomem(err);
	curl_easy_setopt(etcd->curl, CURLOPT_NOSIGNAL, 1L);
	/* A name look-up that hangs must not hold up the close. */
	curl_easy_setopt(etcd->curl, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(etcd->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(etcd->curl, CURLOPT_PROXY, "");
	curl_easy_setopt(etcd->curl, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(etcd->curl, CURLOPT_ERRORBUFFER, etcd->error);
	curl_easy_setopt(etcd->curl, CURLOPT_WRITEFUNCTION, talk_take);
	curl_easy_setopt(etcd->curl, CURLOPT_WRITEDATA, &etcd->reply);
	if (config->tls_ca)
		curl_easy_setopt(etcd->curl, CURLOPT_CAINFO, config->tls_ca);
	if (config->tls_cert)
		curl_easy_setopt(etcd->curl, CURLOPT_SSLCERT, config->tls_cert);
	if (config->tls_key)
		curl_easy_setopt(etcd->curl, CURLOPT_SSLKEY, config->tls_key);
	return 0;
}

int store_etcd_talk_connect(struct store_link *link, struct schedd_error *err)
{
	struct etcd_link *etcd = etcd_of(link);
	int64_t deadline = link->deadline;
	uint32_t hosts = link->config->url.host_count;
	int rc = talk_prepare(link, err);

	if (rc)
		return rc;
	/* Each gets its share of the time, so that one that is silent does not take all of it. */
	for (uint32_t i = 0; i < hosts; i++) {
		link->deadline = deadline - (int64_t)store_link_left(link) * 1000 +
				 (int64_t)store_link_left(link) * 1000 / (hosts - i);
		link->fault = STORE_FAULT_NONE;
		rc = talk_version(link, err);
		link->deadline = deadline;
		if (rc == 0)
			break;
		etcd->endpoint = (etcd->endpoint + 1) % hosts;
	}
	return rc ? rc : talk_login(link, err);
}

void store_etcd_talk_close(struct store_link *link)
{
	struct etcd_link *etcd = etcd_of(link);

	curl_easy_cleanup(etcd->curl);
	curl_slist_free_all(etcd->headers);
	etcd->curl = NULL;
	etcd->headers = NULL;
	if (etcd->reply.data)
		explicit_bzero(etcd->reply.data, etcd->reply.length);
	strbuf_clear(&etcd->reply);
}
