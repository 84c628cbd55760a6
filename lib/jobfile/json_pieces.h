/* SPDX-License-Identifier: MIT */
/* JSON of many objects under one name, as a job file's, in less memory. */
#ifndef SCHEDD_JOBFILE_JSON_PIECES_H
#define SCHEDD_JOBFILE_JSON_PIECES_H

#include "base/value.h"

/*
 * What json_parse() makes of the text, one object of the second level after the
 * other, so that jansson's trees of them, many times the text, are never there
 * together. False: it is not JSON, or memory is out, or it may be either; it is to be
 * parsed as a whole, which says what is wrong.
 */
bool json_pieces_parse(
    const char *text, size_t length, struct arena *arena, struct value *out);

#endif
