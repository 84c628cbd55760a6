/* SPDX-License-Identifier: MIT */
/*
 * JSON that is as most of it is, read in one pass straight into values. What is
 * uncommon or wrong is left to the library (json_library.h), which has the last
 * word: nothing is read here that it would refuse or understand otherwise.
 */
#ifndef SCHEDD_BASE_JSON_SWIFT_H
#define SCHEDD_BASE_JSON_SWIFT_H

#include "base/value.h"

/*
 * False: nothing is known of the text, or the arena has failed. places: each
 * value and key says where it stood. most: values that are read, and no more. A map of several members has room for one
 * more, as for the id of a job.
 */
bool json_swift_parse(const char *text, size_t length, bool places, uint32_t most,
    struct arena *arena, struct value *out);

#endif
