/* SPDX-License-Identifier: MIT */
#include "server/http/http_status.h"

#include <stddef.h>

static const struct {
	int status;
	const char *title;
} http_titles[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {304, "Not Modified"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {409, "Conflict"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {421, "Misdirected Request"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
};

const char *http_status_title(int status)
{
	for (size_t i = 0; i < sizeof(http_titles) / sizeof(http_titles[0]); i++) {
		if (http_titles[i].status == status)
			return http_titles[i].title;
	}
	return "Error";
}
