/* SPDX-License-Identifier: MIT */
/* The header traceparent of W3C's Trace Context, which says of what trace a call is a part. */
#ifndef SCHEDD_PROTO_TRACEPARENT_H
#define SCHEDD_PROTO_TRACEPARENT_H

#include <stdbool.h>

/* 00-TRACE-PARENT-FLAGS in lower-case hexadecimal digits, neither id all zero; later versions may have more. */
bool traceparent_valid(const char *text);

#endif
