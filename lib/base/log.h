/* SPDX-License-Identifier: MIT */
/*
 * Where the library's own remarks go: a level filter in front of a sink that
 * the host provides. The library never prints by itself.
 */
#ifndef SCHEDD_BASE_LOG_H
#define SCHEDD_BASE_LOG_H

#include <schedd/log.h>

/* Formats and hands the line to the sink when its level is wanted. log may be NULL. */
void log_write(const struct schedd_log *log, enum schedd_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define log_error(log, ...) log_write(log, SCHEDD_LOG_ERROR, __VA_ARGS__)
#define log_warn(log, ...) log_write(log, SCHEDD_LOG_WARNING, __VA_ARGS__)
#define log_info(log, ...) log_write(log, SCHEDD_LOG_INFO, __VA_ARGS__)
#define log_debug(log, ...) log_write(log, SCHEDD_LOG_DEBUG, __VA_ARGS__)

#endif
