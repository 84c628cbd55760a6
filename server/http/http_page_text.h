/* SPDX-License-Identifier: MIT */
/* page.html as a text; made by embed.cmake. */
#ifndef SCHEDD_SERVER_HTTP_HTTP_PAGE_TEXT_H
#define SCHEDD_SERVER_HTTP_HTTP_PAGE_TEXT_H

extern const char http_page_text[];

#endif
