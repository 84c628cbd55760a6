/* SPDX-License-Identifier: MIT */
/*
 * Requests against a server of a few lines, which answers by the path: root's, sent by
 * the module, and an account's, sent by a process of its own.
 */
#include "support/task_case.h"

#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>

static struct task_case kase;
static int listener;
static pthread_t server;
static char base[64]; /* GET http://127.0.0.1:PORT */

static void answer(int fd, const char *request)
{
	char text[4096];
	const char *status = "200 OK", *extra = "";

	if (strstr(request, " /missing "))
		status = "404 Not Found";
	if (strstr(request, " /moved ")) {
		status = "302 Found";
		extra = "Location: /here\r\n";
	}
	/* The request itself is the answer's body. */
	snprintf(text, sizeof(text),
	    "HTTP/1.1 %s\r\nContent-Length: %zu\r\n%sConnection: close\r\n\r\n%s", status,
	    strlen(request), extra, request);
	(void)!write(fd, text, strlen(text));
}

static void *serve(void *context)
{
	char request[2048];
	int fd;

	(void)context;
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		ssize_t got = read(fd, request, sizeof(request) - 1);

		if (got > 0) {
			request[got] = '\0';
			if (strstr(request, " /never "))
				got = read(fd, request, 1); /* until the client goes */
			else
				answer(fd, request);
		}
		close(fd);
	}
	return NULL;
}

static void open_server(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t length = sizeof(address);

	if (access(TEST_MODULES "/schedd_http.so", R_OK) < 0)
		cr_skip_test("built without libcurl");
	setenv("SCHEDD_MODULE_DIR", TEST_MODULES, 1);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(listen(listener, 8), 0);
	cr_assert_eq(getsockname(listener, (struct sockaddr *)&address, &length), 0);
	snprintf(base, sizeof(base), "http://127.0.0.1:%d", ntohs(address.sin_port));
	cr_assert_eq(pthread_create(&server, NULL, serve, NULL), 0);
}

static void open_case(void)
{
	open_server();
	task_case_open(&kase, (struct executor_config){.type = "http"});
}

static void open_account(void)
{
	if (geteuid() != 0)
		cr_skip_test("needs root to become another");
	open_server();
	task_case_open(&kase, (struct executor_config){.type = "subprocess"});
}

static void close_case(void)
{
	task_case_close(&kase);
	shutdown(listener, SHUT_RDWR);
	pthread_join(server, NULL);
	close(listener);
}

TestSuite(exec_http, .init = open_case, .fini = close_case);

/* more: further members of the request's JSON. */
static void init(struct task_probe *probe, const char *method, const char *path, const char *more)
{
	char json[256];

	snprintf(json, sizeof(json), "{\"method\": \"%s\", \"url\": \"%s%s\"%s}", method, base,
	    path, more);
	task_probe_init(probe, "http", json);
}

Test(exec_http, keeps_the_body_of_an_answer)
{
	struct task_probe probe;

	init(&probe, "POST", "/x", ", \"body\": \"words\", \"headers\": {\"X-Job\": \"probe\"}");
	task_probe_run(&kase, &probe);
	cr_expect_eq(probe.started, 1);
	cr_expect_eq(probe.done, 1);
	cr_expect_eq(probe.result.exit_code, 0, "%s", probe.reason);
	cr_expect(strstr(task_probe_text(&probe), "POST /x HTTP/1.1\r\n"));
	cr_expect(strstr(task_probe_text(&probe), "\r\nX-Job: probe\r\n"));
	cr_expect(strstr(task_probe_text(&probe), "\r\n\r\nwords"));
	task_probe_clear(&probe);
}

Test(exec_http, says_what_the_answer_was)
{
	struct task_probe probe;

	init(&probe, "GET", "/missing", "");
	task_probe_run(&kase, &probe);
	cr_expect_eq(probe.result.exit_code, 4);
	cr_expect(strstr(probe.reason, "/missing: the answer was 404"), "%s", probe.reason);
	task_probe_clear(&probe);
}

Test(exec_http, follows_where_it_is_sent)
{
	struct task_probe probe;

	init(&probe, "GET", "/moved", "");
	task_probe_run(&kase, &probe);
	cr_expect_eq(probe.result.exit_code, 0, "%s", probe.reason);
	cr_expect(strstr(task_probe_text(&probe), "GET /here HTTP/1.1\r\n"));
	task_probe_clear(&probe);
}

Test(exec_http, says_why_there_was_no_answer)
{
	struct task_probe probe;

	task_probe_init(&probe, "http", "\"GET http://127.0.0.1:1/\"");
	task_probe_run(&kase, &probe);
	cr_expect(probe.result.started);
	cr_expect_eq(probe.result.exit_code, -1);
	cr_expect(strstr(probe.reason, "GET http://127.0.0.1:1/: "), "%s", probe.reason);
	cr_expect(strstr(probe.reason, "onnect"), "%s", probe.reason);
	task_probe_clear(&probe);
}

Test(exec_http, is_stopped_by_a_signal)
{
	struct task_probe probe;

	init(&probe, "GET", "/never", "");
	task_probe_start(&kase, &probe);
	schedd_loop_dispatch(kase.loop, 100);
	cr_assert_eq(executor_signal(probe.task, SIGTERM, NULL), 0);
	cr_expect_eq(probe.done, 0, "told from the loop, not from inside");
	task_case_until(&kase, &probe.done, 1);
	cr_expect_eq(probe.result.signal, SIGTERM);
	cr_expect_eq(probe.result.exit_code, -1);
	task_probe_clear(&probe);
}

TestSuite(account_http, .init = open_account, .fini = close_case);

static void of_account(struct task_probe *probe)
{
	task_probe_set(probe, "id", "\"nobody:probe\"");
	task_probe_set(probe, "user", "\"nobody\"");
	probe->request.run_id = "nobody:probe/1";
}

Test(account_http, keeps_the_body_of_an_answer)
{
	struct task_probe probe;

	init(&probe, "POST", "/x", ", \"body\": \"words\", \"headers\": {\"X-Job\": \"probe\", \"X-None\": \"\"}");
	of_account(&probe);
	task_probe_run(&kase, &probe);
	cr_expect_eq(probe.started, 1);
	cr_expect_gt(probe.pid, 0);
	cr_expect_eq(probe.result.exit_code, 0, "%s", probe.reason);
	cr_expect_str_eq(probe.reason, "");
	cr_expect(strstr(task_probe_text(&probe), "POST /x HTTP/1.1\r\n"));
	cr_expect(strstr(task_probe_text(&probe), "\r\nX-Job: probe\r\n"));
	cr_expect(strstr(task_probe_text(&probe), "\r\nX-None:\r\n"));
	cr_expect(strstr(task_probe_text(&probe), "\r\n\r\nwords"));
	task_probe_clear(&probe);
}

Test(account_http, says_what_the_answer_was)
{
	struct task_probe probe;

	init(&probe, "GET", "/missing", "");
	of_account(&probe);
	task_probe_run(&kase, &probe);
	cr_expect_eq(probe.result.exit_code, 4);
	cr_expect(strstr(probe.reason, "/missing: the answer was 404"), "%s", probe.reason);
	task_probe_clear(&probe);
	init(&probe, "GET", "/moved", "");
	of_account(&probe);
	task_probe_run(&kase, &probe);
	cr_expect_eq(probe.result.exit_code, 0, "%s", probe.reason);
	cr_expect(strstr(task_probe_text(&probe), "GET /here HTTP/1.1\r\n"));
	task_probe_clear(&probe);
}

Test(account_http, says_why_there_was_no_answer)
{
	static const char *const requests[] = {"http://127.0.0.1:1/", "http://[bad/"};

	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		char json[64];
		struct task_probe probe;

		snprintf(json, sizeof(json), "\"GET %s\"", requests[i]);
		task_probe_init(&probe, "http", json);
		of_account(&probe);
		task_probe_run(&kase, &probe);
		cr_expect(probe.result.started);
		cr_expect_eq(probe.result.exit_code, -1);
		cr_expect(strstr(probe.reason, requests[i]), "%s", probe.reason);
		task_probe_clear(&probe);
	}
}

Test(account_http, is_stopped_by_a_signal)
{
	struct task_probe probe;

	init(&probe, "GET", "/never", "");
	of_account(&probe);
	task_probe_running(&kase, &probe);
	cr_assert_eq(executor_signal(probe.task, SIGTERM, NULL), 0);
	task_case_until(&kase, &probe.done, 1);
	cr_expect_eq(probe.result.signal, SIGTERM);
	cr_expect_eq(probe.result.exit_code, -1);
	task_probe_clear(&probe);
}

Test(account_http, is_never_sent_by_the_daemon)
{
	struct executor_config config = {.name = "http", .type = "http", .loop = kase.loop, .mailbox = kase.mailbox};
	struct executor *inside;
	struct task_probe probe;
	struct schedd_error err;

	cr_assert_eq(executor_open(&config, &inside, &err), 0, "%s", err.message);
	init(&probe, "GET", "/x", "");
	cr_expect_eq(executor_accepts(inside, probe.job, &err), 0);
	cr_expect_eq(executor_accepts(kase.executor, probe.job, &err), SCHEDD_EINVAL);
	of_account(&probe);
	cr_expect_eq(executor_accepts(inside, probe.job, &err), SCHEDD_EPERM);
	cr_expect(strstr(err.message, "leave executor out"), "%s", err.message);
	cr_expect_eq(executor_accepts(kase.executor, probe.job, &err), 0);
	task_probe_clear(&probe);
	executor_close(inside);
}
