/* SPDX-License-Identifier: MIT */
/*
 * Finding whole MessagePack messages in a stream of bytes, before anything is
 * unpacked: msgpack-c allocates for the element counts that headers announce,
 * so nothing unchecked may reach it.
 */
#ifndef SCHEDD_BASE_FRAME_H
#define SCHEDD_BASE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <schedd/error.h>

#define FRAME_DEPTH_MAX 32 /* counted from the message's outer array (msgpack-c's own limit) */

struct frame_limits {
	size_t bytes;   /* a longer message is refused as soon as that is certain */
	unsigned depth; /* at most FRAME_DEPTH_MAX */
	size_t
	    elements; /* in all containers together: each costs memory when unpacked; 0: no limit */
};

/* How far a message has been scanned, so that a slow sender costs linear time. Zero: at its start.
 */
struct frame_scan {
	size_t offset;                      /* bytes looked at so far */
	uint64_t elements;                  /* announced by all containers so far */
	unsigned depth;                     /* containers that are open */
	uint64_t left[FRAME_DEPTH_MAX + 1]; /* elements still to come in each of them */
};

/* One element's header: how long it is, how many bytes and elements follow it. */
struct frame_element {
	size_t header;
	uint64_t payload;
	uint64_t children; /* of a map twice its members */
	bool container;
	bool map;
};

/* 1: read; 0: the header is not all there yet; -1: a reserved byte. */
int frame_element(struct frame_element *out, const char *bytes, size_t length);

/*
 * Goes on scanning the message that starts at bytes; length is what has
 * arrived of it by now. 1: complete, scan->offset bytes long. 0: more is
 * needed. SCHEDD_EINVAL: no message can become of it (a reserved byte, too
 * long, too deep, too many elements, a header that announces more elements than the byte limit
 * allows); the stream cannot be resynchronised.
 */
int frame_scan(struct frame_scan *scan, const char *bytes, size_t length,
    const struct frame_limits *limits, struct schedd_error *err);

#endif
