/* SPDX-License-Identifier: MIT */
/* The statuses that are sent, in words (RFC 9110, RFC 6585). */
#ifndef SCHEDD_SERVER_HTTP_HTTP_STATUS_H
#define SCHEDD_SERVER_HTTP_HTTP_STATUS_H

/* "Not Found"; never NULL. */
const char *http_status_title(int status);

#endif
