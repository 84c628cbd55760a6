/* SPDX-License-Identifier: MIT */
/*
 * schedctl-url: a daemon over HTTP, as a socket. Requests of the protocol come
 * on standard input, what comes of them goes to standard output.
 *
 * Requests go out one after the other, as a socket would have them, but for
 * those that wait for something: they have a connection of their own. No
 * request is sent twice: what was begun on a connection that fails is not
 * known, and said so.
 */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/frame.h"
#include "base/json.h"
#include "base/message.h"
#include "base/text_file.h"

#define URL_PATH "/api/v1/rpc"
#define URL_MESSAGE_MAX ((size_t)1 << 30) /* what the daemon answers is one message */
#define URL_HELD_MAX ((size_t)1 << 20)    /* bytes that wait for schedctl before more is taken */
#define URL_TOGETHER 256                  /* requests that go out together */
#define URL_TOGETHER_BYTES ((size_t)1 << 20)
#define URL_TOKEN_MAX 4096
#define URL_PROBLEM_MAX 65536

/* Requests that go out together, in one of HTTP, and what comes of them. */
struct url_call {
	struct url_call *next; /* in order of arrival */
	CURL *easy;            /* NULL: it waits for its turn */
	uint32_t msgids[URL_TOGETHER];
	bool answered[URL_TOGETHER];
	unsigned count;
	unsigned open;         /* of them, not answered */
	struct strbuf request; /* as they came */
	size_t sent;           /* bytes of it */
	struct strbuf input;   /* of messages not whole yet */
	struct frame_scan scan;
	struct strbuf problem; /* an answer that is no message */
	bool waits;            /* one alone, whose answer may take as long as it likes */
	bool lasts;            /* notifications come behind its answer */
	bool ended;            /* with a notification that says so */
	bool held;             /* paused until schedctl has read */
	char text[CURL_ERROR_SIZE];
};

struct url_bridge {
	CURLM *multi;
	struct curl_slist *headers;
	const char *url; /* with the path */
	const char *base;
	const char *token_file;
	const char *authority; /* "": the system's */
	long connect_ms;
	struct url_call *calls;
	struct strbuf input;
	struct frame_scan scan;
	struct strbuf output;
	struct schedd_error fault; /* of the options: what each request is answered; code 0: none */
	bool over;                 /* the daemon has ended what lasts */
};

static void url_die(const char *what)
{
	fprintf(stderr, "schedctl: %s\n", what);
	_exit(1);
}

/* ---- What came ---- */

static bool url_is_end(const char *bytes, size_t length)
{
	static const char end[] = "\x93\x02\xa7run.end";

	return length >= sizeof(end) - 1 && memcmp(bytes, end, sizeof(end) - 1) == 0;
}

/* The msgid of an answer: what stands behind its array and its type. */
static bool url_msgid(const char *bytes, size_t length, uint32_t *out)
{
	const unsigned char *at = (const unsigned char *)bytes;
	unsigned width = 0;

	if (length < 4 || at[0] != 0x94 || at[1] != 1)
		return false;
	*out = at[2];
	if (at[2] >= 0xcc && at[2] <= 0xce)
		width = 1U << (at[2] - 0xcc);
	if (width)
		*out = 0;
	for (unsigned i = 0; i < width && 3 + i < length; i++)
		*out = *out << 8 | at[3 + i];
	return true;
}

static void url_answered(struct url_call *call, uint32_t msgid)
{
	for (unsigned i = 0; i < call->count; i++) {
		if (call->msgids[i] != msgid || call->answered[i])
			continue;
		call->answered[i] = true;
		call->open--;
		return;
	}
}

/* One whole message of the daemon's. nil shows that it lives, and no more. */
static void url_message(
    struct url_bridge *bridge, struct url_call *call, const char *bytes, size_t length)
{
	uint32_t msgid;

	if (length == 1)
		return;
	if (url_msgid(bytes, length, &msgid))
		url_answered(call, msgid);
	call->ended |= url_is_end(bytes, length);
	strbuf_add_n(&bridge->output, bytes, length);
}

/* Whole messages off the input. False: it is none of ours. */
static bool url_messages(struct url_bridge *bridge, struct url_call *call)
{
	const struct frame_limits limits = {.bytes = URL_MESSAGE_MAX, .depth = FRAME_DEPTH_MAX};
	struct strbuf *input = &call->input;
	size_t taken = 0;
	int rc;

	while ((rc = frame_scan(&call->scan, strbuf_peek(input) + taken, input->length - taken,
		    &limits, NULL)) == 1) {
		size_t length = call->scan.offset;

		memset(&call->scan, 0, sizeof(call->scan));
		url_message(bridge, call, input->data + taken, length);
		taken += length;
		if (taken == input->length)
			break;
	}
	if (taken) {
		memmove(input->data, input->data + taken, input->length - taken);
		input->length -= taken;
	}
	return rc >= 0;
}

static size_t url_on_input(char *bytes, size_t size, size_t count, void *context)
{
	struct url_call *call = context;
	struct url_bridge *bridge = NULL;
	const char *type = NULL;
	size_t length = size * count;
	long status = 0;

	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(call->easy, CURLINFO_CONTENT_TYPE, &type);
	curl_easy_getinfo(call->easy, CURLINFO_PRIVATE, &bridge);
	if (status != 200 || !type || strcmp(type, "application/msgpack") != 0) {
		if (call->problem.length < URL_PROBLEM_MAX)
			strbuf_add_n(&call->problem, bytes, length);
		return length;
	}
	if (bridge->output.length > URL_HELD_MAX) {
		call->held = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	strbuf_add_n(&call->input, bytes, length);
	return !strbuf_failed(&call->input) && url_messages(bridge, call) ? length : 0;
}

/* ---- What is wrong ---- */

/* A refusal by HTTP. */
static void url_refused(
    const struct url_bridge *bridge, struct url_call *call, long status, struct schedd_error *err)
{
	struct value problem = value_nil();
	const char *name = NULL, *detail = NULL;
	struct arena arena;

	arena_init(&arena);
	if (call->problem.length &&
	    !json_parse(call->problem.data, call->problem.length, &arena, &problem, NULL)) {
		name = value_get_string(&problem, "error");
		detail = value_get_string(&problem, "detail");
	}
	if (status == 401 && name)
		schedd_error_set(err, SCHEDD_EPERM, "%s: the token in %s is not valid there",
		    bridge->base, bridge->token_file);
	else if (status == 413)
		schedd_error_set(err, SCHEDD_EINVAL, "%s: the request is larger than 4 MiB",
		    bridge->base);
	else if (name && status != 404 && status != 421)
		schedd_error_set(err, schedd_error_code(name), "%s: %s", bridge->base,
		    detail ? detail : "refused");
	else
		schedd_error_set(err, SCHEDD_EUNREACHABLE,
		    "schedd is not reachable at %s: what answers there is not its HTTP side, or an "
		    "older one (HTTP status %ld%s%.200s)",
		    bridge->base, status, detail ? ": " : "", detail ? detail : "");
	arena_clear(&arena);
}

static void url_failed(const struct url_bridge *bridge, const struct url_call *call,
    CURLcode result, struct schedd_error *err)
{
	const char *text = call->text[0] ? call->text : curl_easy_strerror(result);

	if (result == CURLE_SEND_FAIL_REWIND || result == CURLE_GOT_NOTHING ||
	    result == CURLE_PARTIAL_FILE || result == CURLE_RECV_ERROR)
		schedd_error_set(err, SCHEDD_EUNREACHABLE,
		    "%s: schedd closed the connection before it answered", bridge->base);
	else if (result == CURLE_PEER_FAILED_VERIFICATION)
		schedd_error_set(err, SCHEDD_EUNREACHABLE,
		    "schedd is not reachable at %s: its certificate is not trusted: %s; name the "
		    "authority that signed it with --ca-file",
		    bridge->base, text);
	else if (result == CURLE_SSL_CACERT_BADFILE)
		schedd_error_set(err, SCHEDD_EFILE, "--ca-file: %s: %s", bridge->authority, text);
	else if (result == CURLE_WRITE_ERROR)
		schedd_error_set(err, SCHEDD_EUNREACHABLE,
		    "%s: what answers there does not speak this protocol", bridge->base);
	else
		schedd_error_set(err, SCHEDD_EUNREACHABLE, "schedd is not reachable at %s: %s",
		    bridge->base, text);
}

/* ---- Calls ---- */

static size_t url_on_output(char *bytes, size_t size, size_t count, void *context)
{
	struct url_call *call = context;
	size_t left = call->request.length - call->sent;
	size_t length = left < size * count ? left : size * count;

	memcpy(bytes, strbuf_peek(&call->request) + call->sent, length);
	call->sent += length;
	return length;
}

/* curl would repeat a request on its own if it could read it again: it cannot. */
static bool url_start(struct url_bridge *bridge, struct url_call *call)
{
	CURL *easy = call->easy = curl_easy_init();

	if (!easy)
		return false;
	curl_easy_setopt(easy, CURLOPT_URL, bridge->url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, bridge->connect_ms);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, bridge->headers);
	curl_easy_setopt(easy, CURLOPT_POST, 1L);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->request.length);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, url_on_output);
	curl_easy_setopt(easy, CURLOPT_READDATA, call);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, url_on_input);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, bridge);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->text);
	if (bridge->authority[0])
		curl_easy_setopt(easy, CURLOPT_CAINFO, bridge->authority);
	return curl_multi_add_handle(bridge->multi, easy) == CURLM_OK;
}

static void url_answer_error(
    struct url_bridge *bridge, struct url_call *call, const struct schedd_error *err)
{
	for (unsigned i = 0; i < call->count; i++)
		if (!call->answered[i])
			message_pack_error(&bridge->output, call->msgids[i], err);
	call->open = 0;
}

static void url_call_free(struct url_bridge *bridge, struct url_call *call)
{
	struct url_call **link = &bridge->calls;

	while (*link != call)
		link = &(*link)->next;
	*link = call->next;
	if (call->easy) {
		curl_multi_remove_handle(bridge->multi, call->easy);
		curl_easy_cleanup(call->easy);
	}
	strbuf_clear(&call->request);
	strbuf_clear(&call->input);
	strbuf_clear(&call->problem);
	free(call);
}

/* In order; one that has to wait holds up those behind it. */
static void url_start_calls(struct url_bridge *bridge)
{
	struct url_call *call, *next;
	bool busy = false;

	for (call = bridge->calls; call; call = next) {
		struct schedd_error err = bridge->fault;

		next = call->next;
		if (busy && !call->easy)
			break;
		if (!call->easy && (err.code || !url_start(bridge, call))) {
			if (!err.code)
				schedd_error_nomem(&err);
			url_answer_error(bridge, call, &err);
			url_call_free(bridge, call);
			continue;
		}
		busy |= !call->waits;
	}
}

static void url_done(struct url_bridge *bridge, CURL *easy, CURLcode result)
{
	struct url_call *call = bridge->calls;
	struct schedd_error err;
	long status = 0;

	while (call && call->easy != easy)
		call = call->next;
	if (!call)
		return;
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	if (call->open) {
		if (result == CURLE_OK && status == 200 && !call->problem.length)
			result = CURLE_GOT_NOTHING;
		if (result != CURLE_OK)
			url_failed(bridge, call, result, &err);
		else
			url_refused(bridge, call, status, &err);
		url_answer_error(bridge, call, &err);
	} else if (call->lasts || (result != CURLE_OK && !call->ended)) {
		bridge->over = true;
	}
	url_call_free(bridge, call);
}

/* ---- Requests of schedctl ---- */

/* The last call, if the request may go out with it; else a new one behind it. */
static struct url_call *url_call_for(struct url_bridge *bridge, bool waits, size_t length)
{
	struct url_call **link = &bridge->calls, *last = NULL;

	while (*link) {
		last = *link;
		link = &last->next;
	}
	if (last && !last->easy && !last->waits && !waits && last->count < URL_TOGETHER &&
	    last->request.length + length <= URL_TOGETHER_BYTES)
		return last;
	*link = calloc(1, sizeof(**link));
	if (!*link)
		url_die("out of memory");
	(*link)->waits = waits;
	return *link;
}

static void url_take(struct url_bridge *bridge, const char *bytes, size_t length)
{
	struct url_call *call;
	struct message message;
	struct schedd_error err;
	struct arena arena;
	bool lasts, waits;

	arena_init(&arena);
	if (message_unpack(bytes, length, &arena, &message, &err) ||
	    message.type != MESSAGE_REQUEST)
		url_die("schedctl-url was sent what is no request");
	lasts = strcmp(message.method, "event.subscribe") == 0 ||
		strcmp(message.method, "server.shutdown") == 0;
	waits = lasts || strcmp(message.method, "run.wait") == 0 ||
		value_get_bool(&message.params, "follow", false);
	call = url_call_for(bridge, waits, length);
	call->lasts = lasts;
	call->msgids[call->count++] = message.msgid;
	call->open++;
	strbuf_add_n(&call->request, bytes, length);
	arena_clear(&arena);
}

/* False: schedctl has ended. */
static bool url_read(struct url_bridge *bridge)
{
	const struct frame_limits limits = {.bytes = URL_MESSAGE_MAX, .depth = FRAME_DEPTH_MAX};
	struct strbuf *input = &bridge->input;
	size_t taken = 0;
	ssize_t got;

	if (!strbuf_reserve(input, 65536))
		url_die("out of memory");
	got = read(STDIN_FILENO, input->data + input->length, input->capacity - input->length - 1);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (got <= 0)
		return false;
	input->length += (size_t)got;
	while (taken < input->length &&
	       frame_scan(&bridge->scan, input->data + taken, input->length - taken, &limits,
		   NULL) == 1) {
		url_take(bridge, input->data + taken, bridge->scan.offset);
		taken += bridge->scan.offset;
		memset(&bridge->scan, 0, sizeof(bridge->scan));
	}
	memmove(input->data, input->data + taken, input->length - taken);
	input->length -= taken;
	return true;
}

/* False: schedctl has ended. */
static bool url_write(struct url_bridge *bridge)
{
	struct strbuf *output = &bridge->output;
	size_t done = 0;

	if (strbuf_failed(output))
		url_die("out of memory");
	while (done < output->length) {
		ssize_t put = write(STDOUT_FILENO, output->data + done, output->length - done);

		if (put < 0 && errno == EAGAIN)
			break;
		if (put < 0 && errno != EINTR)
			return false;
		done += put > 0 ? (size_t)put : 0;
	}
	if (done) {
		memmove(output->data, output->data + done, output->length - done);
		output->length -= done;
	}
	for (struct url_call *call = bridge->calls; call && output->length == 0; call = call->next) {
		if (!call->held)
			continue;
		call->held = false;
		curl_easy_pause(call->easy, CURLPAUSE_CONT); /* may call url_on_input() */
	}
	return true;
}

/* True: a call is over, so another may begin. */
static bool url_perform(struct url_bridge *bridge)
{
	bool over = false;
	CURLMsg *done;
	int number;

	url_start_calls(bridge);
	curl_multi_perform(bridge->multi, &number);
	while ((done = curl_multi_info_read(bridge->multi, &number))) {
		if (done->msg != CURLMSG_DONE)
			continue;
		url_done(bridge, done->easy_handle, done->data.result);
		over = true;
	}
	return over;
}

static void url_serve(struct url_bridge *bridge)
{
	struct curl_waitfd fds[2] = {
	    {.fd = STDIN_FILENO, .events = CURL_WAIT_POLLIN}, {.fd = STDOUT_FILENO}};

	for (;;) {
		fds[1].events = bridge->output.length ? CURL_WAIT_POLLOUT : 0;
		fds[0].revents = fds[1].revents = 0;
		if (curl_multi_poll(bridge->multi, fds, 2, 60000, NULL) != CURLM_OK)
			url_die("curl_multi_poll failed");
		if (fds[0].revents && !url_read(bridge))
			return;
		while (url_perform(bridge))
			;
		if (!url_write(bridge) || (bridge->over && bridge->output.length == 0))
			return;
	}
}

/* ---- Options ---- */

/* The first line of the file, as a header; it stands in no argument and no message. */
static void url_read_token(struct url_bridge *bridge)
{
	char *text = NULL, *header = NULL;
	size_t length = 0, blank;
	int rc = text_file_read(bridge->token_file, URL_TOKEN_MAX, &text, &length, &bridge->fault);

	if (rc) {
		bridge->fault.code = SCHEDD_EFILE;
		schedd_error_prefix(&bridge->fault, "--token-file");
		return;
	}
	text[strcspn(text, "\n")] = '\0';
	blank = strcspn(text, " \t");
	if (text[0] && !text[blank + strspn(text + blank, " \t")])
		text[blank] = '\0';
	for (const char *c = text; *c || c == text; c++)
		if (*c <= ' ' || *c > '~') {
			schedd_error_set(&bridge->fault, SCHEDD_EFILE,
			    "--token-file: %s has no token in its first line", bridge->token_file);
			break;
		}
	if (!bridge->fault.code && asprintf(&header, "Authorization: Bearer %s", text) > 0)
		bridge->headers = curl_slist_append(bridge->headers, header);
	explicit_bzero(text, length);
	if (header)
		explicit_bzero(header, strlen(header));
	free(header);
	free(text);
}

static void url_header(struct url_bridge *bridge, const char *name, const char *text)
{
	char header[512];

	snprintf(header, sizeof(header), "%s%s", name, text);
	bridge->headers = curl_slist_append(bridge->headers, header);
}

int main(int argc, char **argv)
{
	struct url_bridge bridge = {0};
	struct strbuf url = STRBUF_EMPTY;

	if (argc != 6 || isatty(STDIN_FILENO)) {
		fputs("usage: schedctl --url URL --token-file FILE …\n", stderr);
		return 2;
	}
	prctl(PR_SET_DUMPABLE, 0); /* a core would have the token in it */
	signal(SIGPIPE, SIG_IGN);
	fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_NONBLOCK);
	fcntl(STDOUT_FILENO, F_SETFL, fcntl(STDOUT_FILENO, F_GETFL) | O_NONBLOCK);
	bridge.base = argv[1];
	bridge.token_file = argv[2];
	bridge.authority = argv[3];
	bridge.connect_ms = strtol(argv[5], NULL, 10);
	strbuf_add_n(&url, argv[1], strlen(argv[1]) - (argv[1][strlen(argv[1]) - 1] == '/'));
	strbuf_add(&url, URL_PATH);
	bridge.url = strbuf_peek(&url);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0 || !(bridge.multi = curl_multi_init()))
		url_die("libcurl does not start");
	url_read_token(&bridge);
	url_header(&bridge, "Content-Type: application/msgpack", "");
	url_header(&bridge, "User-Agent: schedctl/", SCHEDD_VERSION);
	url_header(&bridge, "Expect:", "");
	if (argv[4][0])
		url_header(&bridge, "X-Schedd-Account: ", argv[4]);
	url_serve(&bridge);
	_exit(0); /* a look-up of a name may still be waited for */
}
