/* SPDX-License-Identifier: MIT */
/* Checks what a config file says and puts it into the settings. */
#ifndef SCHEDD_SERVER_CONFIG_READER_H
#define SCHEDD_SERVER_CONFIG_READER_H

#include "server/config.h"

/* root: the file as a tree. SCHEDD_EFILE: "FILE:LINE:COLUMN: SETTING: reason". */
int config_reader_read(struct config *config, const char *file, const struct value *root,
    struct schedd_error *err) __attribute__((warn_unused_result));

#endif
