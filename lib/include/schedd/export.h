/* SPDX-License-Identifier: MIT */
/* SCHEDD_API marks what libschedd exports; all else is hidden. */
#ifndef SCHEDD_EXPORT_H
#define SCHEDD_EXPORT_H

#define SCHEDD_API __attribute__((visibility("default")))

#endif
