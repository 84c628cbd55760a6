/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

void log_write(const struct schedd_log *log, enum schedd_log_level level, const char *format, ...)
{
	char line[2048];
	va_list ap;

	if (!log || !log->write || level > log->level)
		return;
	va_start(ap, format);
	vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	log->write(log->context, level, line);
}
