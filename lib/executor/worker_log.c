/* SPDX-License-Identifier: MIT */
#include "executor/worker_log.h"

#include <string.h>
#include "base/log.h"

#define WORKER_LOG_LINES 200 /* a minute */

static void worker_log_line(struct worker_log *out, const struct schedd_log *log, const char *name,
    struct schedd_mono now)
{
	if (out->length == 0)
		return;
	out->line[out->length] = '\0';
	memcpy(out->last, out->line, out->length + 1);
	if (out->minute.us == 0 || now.us - out->minute.us >= 60 * SCHEDD_SECOND) {
		if (out->dropped)
			log_warn(log, "%s: %llu bytes more were not logged", name,
			    (unsigned long long)out->dropped);
		out->minute = now;
		out->lines = 0;
		out->dropped = 0;
	}
	if (out->lines++ < WORKER_LOG_LINES)
		log_info(log, "%s: %s", name, out->line);
	else
		out->dropped += out->length;
	out->length = 0;
}

void worker_log_write(struct worker_log *out, const struct schedd_log *log, const char *name,
    struct schedd_mono now, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] == '\n' || out->length >= sizeof(out->line) - 1)
			worker_log_line(out, log, name, now);
		if (bytes[i] != '\n')
			out->line[out->length++] =
			    (unsigned char)bytes[i] < ' ' && bytes[i] != '\t' ? '?' : bytes[i];
	}
}

void worker_log_finish(struct worker_log *out, const struct schedd_log *log, const char *name,
    struct schedd_mono now)
{
	worker_log_line(out, log, name, now);
	if (out->dropped)
		log_warn(log, "%s: %llu bytes more were not logged", name,
		    (unsigned long long)out->dropped);
	out->dropped = 0;
}
