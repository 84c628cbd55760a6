/* SPDX-License-Identifier: MIT */
#include "executor/http_easy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HTTP_CONNECT_TIMEOUT 30L /* seconds; the job's own timeout is for the rest */
#define HTTP_REDIRECTS 10L

static bool http_easy_header(struct curl_slist **headers, const char *name, const char *text)
{
	struct curl_slist *grown;
	char *line;

	/* "Name;" is how libcurl is told of a header without a value. */
	if (asprintf(&line, text[0] ? "%s: %s" : "%s;%s", name, text) < 0)
		return false;
	grown = curl_slist_append(*headers, line);
	free(line);
	if (grown)
		*headers = grown;
	return grown != NULL;
}

bool http_easy_describe(
    CURL *easy, const struct job_http *asked, struct curl_slist **headers, char *error)
{
	CURLcode bad = CURLE_OK;

	for (uint32_t i = 0; i < asked->headers.count; i++)
		if (!http_easy_header(
			headers, asked->headers.items[i].name, asked->headers.items[i].text))
			return false;
	bad |= curl_easy_setopt(easy, CURLOPT_URL, asked->url);
	bad |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	bad |= curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	bad |= curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
	bad |= curl_easy_setopt(easy, CURLOPT_MAXREDIRS, HTTP_REDIRECTS);
	bad |= curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, HTTP_CONNECT_TIMEOUT);
	bad |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	bad |= curl_easy_setopt(easy, CURLOPT_USERAGENT, "schedd/" SCHEDD_VERSION);
	bad |= curl_easy_setopt(easy, CURLOPT_HTTPHEADER, *headers);
	bad |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error);
	if (asked->body) {
		bad |= curl_easy_setopt(
		    easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(asked->body));
		bad |= curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, asked->body);
	}
	if (strcasecmp(asked->method, "HEAD") == 0)
		bad |= curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	else
		bad |= curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, asked->method);
	return bad == CURLE_OK;
}

int http_easy_judge(CURL *easy, CURLcode code, const struct job_http *asked, const char *error,
    struct schedd_error *reason)
{
	long status = 0;

	if (code != CURLE_OK) {
		schedd_error_set(reason, SCHEDD_EFAILED, "%s %s: %s", asked->method, asked->url,
		    error[0] ? error : curl_easy_strerror(code));
		return -1;
	}
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	if (status / 100 == 2)
		return 0;
	schedd_error_set(reason, SCHEDD_EFAILED, "%s %s: the answer was %ld", asked->method,
	    asked->url, status);
	return (int)(status / 100 % 10);
}
