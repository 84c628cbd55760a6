/* SPDX-License-Identifier: MIT */
/*
 * schedd-http: sends one request and writes the answer's body to stdout. A
 * program of its own, so that what an account asks for is fetched by a process
 * of that account, with its rights and its environment, and never by schedd.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "executor/http_easy.h"
#include "executor/http_program.h"

#define HTTP_READ ((size_t)65536)

/* All of stdin, and a NUL; NULL: it cannot be read. */
static char *http_read(size_t *length)
{
	char *text = NULL;
	ssize_t got = 1;

	*length = 0;
	while (got > 0) {
		char *grown = realloc(text, *length + HTTP_READ + 1);

		if (!grown)
			break;
		text = grown;
		got = read(STDIN_FILENO, text + *length, HTTP_READ);
		if (got < 0 && errno == EINTR) {
			got = 1;
			continue;
		}
		*length += got > 0 ? (size_t)got : 0;
	}
	if (got == 0) {
		text[*length] = '\0';
		return text;
	}
	free(text);
	return NULL;
}

/* One of its parts; false: there is no place for it. */
static bool http_take(struct job_http *asked, char kind, char *text)
{
	struct job_pairs *headers = &asked->headers;
	struct job_pair *grown;

	switch (kind) {
	case HTTP_PROGRAM_METHOD:
		asked->method = text;
		return true;
	case HTTP_PROGRAM_URL:
		asked->url = text;
		return true;
	case HTTP_PROGRAM_BODY:
		asked->body = text;
		return true;
	case HTTP_PROGRAM_HEADER:
		grown = realloc(headers->items, (headers->count + 1) * sizeof(grown[0]));
		if (!grown)
			return false;
		headers->items = grown;
		headers->items[headers->count++] = (struct job_pair){.name = text, .text = text};
		return true;
	case HTTP_PROGRAM_TEXT:
		if (headers->count)
			headers->items[headers->count - 1].text = text;
		return headers->count > 0;
	default:
		return false;
	}
}

static bool http_parse(struct job_http *asked, char *text, size_t length)
{
	for (char *at = text; at < text + length; at += strlen(at) + 1)
		if (!http_take(asked, *at, at + (*at != '\0')))
			return false;
	return asked->method && asked->url;
}

static size_t http_on_body(char *bytes, size_t size, size_t count, void *context)
{
	size_t length = size * count, done = 0;

	(void)context;
	while (done < length) {
		ssize_t written = write(STDOUT_FILENO, bytes + done, length - done);

		if (written < 0 && errno != EINTR)
			return 0;
		done += written > 0 ? (size_t)written : 0;
	}
	return length;
}

static void http_note(const char *words)
{
	size_t length = strlen(words);

	if (length >= HTTP_PROGRAM_NOTE_MAX)
		length = HTTP_PROGRAM_NOTE_MAX - 1;
	if (pwrite(HTTP_PROGRAM_NOTE, words, length, 0) < 0)
		fprintf(stderr, "%s\n", words);
}

static int http_send(const struct job_http *asked)
{
	CURL *easy = curl_easy_init();
	struct curl_slist *headers = NULL;
	char error[CURL_ERROR_SIZE] = "";
	struct schedd_error reason;
	int code = -1;

	if (easy && http_easy_describe(easy, asked, &headers, error) &&
	    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, http_on_body) == CURLE_OK)
		code = http_easy_judge(easy, curl_easy_perform(easy), asked, error, &reason);
	else
		schedd_error_set(&reason, SCHEDD_EFAILED, "libcurl refused the request");
	if (code != 0)
		http_note(reason.message);
	curl_easy_cleanup(easy);
	curl_slist_free_all(headers);
	return code < 0 ? HTTP_PROGRAM_NO_ANSWER : code;
}

int main(void)
{
	struct job_http asked = {0};
	size_t length;
	char *text = http_read(&length);
	int code = HTTP_PROGRAM_NO_ANSWER;

	if (!text || !http_parse(&asked, text, length))
		http_note("schedd-http sends what schedd gives it on stdin, and that was no request");
	else if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		http_note("libcurl cannot be used");
	else
		code = http_send(&asked);
	curl_global_cleanup();
	free(asked.headers.items);
	free(text);
	return code;
}
