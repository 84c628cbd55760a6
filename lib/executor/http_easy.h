/* SPDX-License-Identifier: MIT */
/*
 * A request as libcurl is told of it, and what its end means: the same in the
 * module that sends root's and in the program that sends an account's.
 */
#ifndef SCHEDD_EXECUTOR_HTTP_EASY_H
#define SCHEDD_EXECUTOR_HTTP_EASY_H

#include <stdbool.h>
#include <curl/curl.h>
#include <schedd/error.h>
#include "model/job.h"

/*
 * All that is asked for but where the answer goes. headers, which the caller frees
 * after the transfer, and error (CURL_ERROR_SIZE) must stay until then. False: no
 * memory, or libcurl is too old.
 */
bool http_easy_describe(
    CURL *easy, const struct job_http *asked, struct curl_slist **headers, char *error);
/*
 * The exit code of a transfer that has ended with code: 0 for a status of 200 to
 * 299, the first digit of any other, -1 where there was none. Not 0: *reason says
 * what was.
 */
int http_easy_judge(CURL *easy, CURLcode code, const struct job_http *asked, const char *error,
    struct schedd_error *reason);

#endif
