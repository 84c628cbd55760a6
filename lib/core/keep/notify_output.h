/* SPDX-License-Identifier: MIT */
/* The letter with what a run printed, as cron sends it. */
#ifndef SCHEDD_CORE_KEEP_NOTIFY_OUTPUT_H
#define SCHEDD_CORE_KEEP_NOTIFY_OUTPUT_H

#include "base/strbuf.h"
#include "core/keep/notify_mail.h"

/*
 * Appends head and body: From, To, Subject and the headers that MAILFROM,
 * CONTENT_TYPE and CONTENT_TRANSFER_ENCODING of the job's environment ask for,
 * then all that was kept of the output, byte by byte. Check strbuf_failed().
 */
void notify_output_mail(const struct notify_letter *letter, struct strbuf *out);
/* How cron calls sendmail: its arguments but for the address. */
extern const char *const notify_output_options[];

#endif
