/* SPDX-License-Identifier: MIT */
/*
 * SCHEDD_API marks what libschedd exports; all else is hidden. Between
 * SCHEDD_BEGIN and SCHEDD_END declarations are C's, also for C++.
 */
#ifndef SCHEDD_EXPORT_H
#define SCHEDD_EXPORT_H

#define SCHEDD_API __attribute__((visibility("default")))

#ifdef __cplusplus
#define SCHEDD_BEGIN extern "C" {
#define SCHEDD_END }
#else
#define SCHEDD_BEGIN
#define SCHEDD_END
#endif

#endif
