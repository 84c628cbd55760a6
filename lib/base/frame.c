/* SPDX-License-Identifier: MIT */
/* Walks headers and skips payloads; touches each header once however slowly a message arrives. */
#include "base/frame.h"

static uint64_t frame_big_endian(const unsigned char *bytes, size_t size)
{
	uint64_t number = 0;

	for (size_t i = 0; i < size; i++)
		number = number << 8 | bytes[i];
	return number;
}

/*
 * The types 0xc0 to 0xdf by their first byte: bytes of length (or of fixed
 * payload), and what the length counts. From the MessagePack specification.
 */
static const struct {
	unsigned char size;  /* of the length field; of the payload where kind is FIXED */
	unsigned char extra; /* further payload: the type byte of an ext */
	enum { FIXED, BYTES, ITEMS, PAIRS, RESERVED } kind;
} frame_types[32] = {
    {0, 0, FIXED}, {0, 0, RESERVED}, {0, 0, FIXED},
    {0, 0, FIXED},                                              /* nil, never used, false, true */
    {1, 0, BYTES}, {2, 0, BYTES}, {4, 0, BYTES},                /* bin */
    {1, 1, BYTES}, {2, 1, BYTES}, {4, 1, BYTES},                /* ext */
    {4, 0, FIXED}, {8, 0, FIXED},                               /* float */
    {1, 0, FIXED}, {2, 0, FIXED}, {4, 0, FIXED}, {8, 0, FIXED}, /* uint */
    {1, 0, FIXED}, {2, 0, FIXED}, {4, 0, FIXED}, {8, 0, FIXED}, /* int */
    {2, 0, FIXED}, {3, 0, FIXED}, {5, 0, FIXED}, {9, 0, FIXED}, {17, 0, FIXED}, /* fixext */
    {1, 0, BYTES}, {2, 0, BYTES}, {4, 0, BYTES},                                /* str */
    {2, 0, ITEMS}, {4, 0, ITEMS},                                               /* array */
    {2, 0, PAIRS}, {4, 0, PAIRS},                                               /* map */
};

int frame_element(struct frame_element *out, const char *text, size_t length)
{
	const unsigned char *bytes = (const unsigned char *)text;
	unsigned char first;
	uint64_t count;
	size_t size;

	*out = (struct frame_element){.header = 1};
	if (length == 0)
		return 0;
	first = bytes[0];
	if (first < 0x80 || first >= 0xe0)
		return 1; /* fixint */
	if (first >= 0xa0 && first < 0xc0) {
		out->payload = first & 0x1f; /* fixstr */
		return 1;
	}
	if (first < 0xa0) { /* fixmap 0x8_, fixarray 0x9_ */
		out->container = true;
		out->map = first < 0x90;
		out->children = (uint64_t)(first & 0x0f) * (first < 0x90 ? 2 : 1);
		return 1;
	}
	if (frame_types[first - 0xc0].kind == RESERVED)
		return -1;
	size = frame_types[first - 0xc0].size;
	if (frame_types[first - 0xc0].kind == FIXED) {
		out->payload = size;
		return 1;
	}
	if (length < 1 + size)
		return 0;
	count = frame_big_endian(bytes + 1, size);
	out->header = 1 + size;
	out->container = frame_types[first - 0xc0].kind != BYTES;
	out->map = frame_types[first - 0xc0].kind == PAIRS;
	if (out->container)
		out->children = out->map ? count * 2 : count;
	else
		out->payload = count + frame_types[first - 0xc0].extra;
	return 1;
}

/* One element is complete: closes every container that it was the last of. True: the message is
 * whole. */
static bool frame_close(struct frame_scan *scan)
{
	while (scan->depth > 0) {
		if (--scan->left[scan->depth] > 0)
			return false;
		scan->depth--;
	}
	return true;
}

/* Bytes of an element that is short and has none within, of which 32 are there; 0: one to be looked at closely. */
static size_t frame_short(const unsigned char *bytes)
{
	unsigned char first = bytes[0];

	if (first >= 0xa0 && first < 0xc0)
		return 1 + (first & 0x1fu);
	/* Numbers, maps and lists of nothing, nothing itself, false and true. */
	if (first <= 0x80 || first >= 0xe0 || first == 0x90 || first == 0xc0 || first == 0xc2 || first == 0xc3)
		return 1;
	/* Times. */
	return first == 0xcf || first == 0xd3 ? 9 : 0;
}

/* Passes over what is short, which most of a message is, up to its end or what is to be looked at closely. True: it is whole. */
static bool frame_skip_short(struct frame_scan *scan, const char *bytes, size_t end)
{
	while (scan->depth > 0) {
		uint64_t left = scan->left[scan->depth];
		size_t at = scan->offset, size = 0;

		for (; at + 32 <= end; left--, at += size) {
			size = frame_short((const unsigned char *)bytes + at);
			if (size == 0 || left == 1)
				break;
		}
		scan->left[scan->depth] = left;
		scan->offset = at;
		if (at + 32 > end || size == 0)
			return false;
		scan->offset += size; /* the last in its container */
		if (frame_close(scan))
			return true;
	}
	return false;
}

int frame_scan(struct frame_scan *scan, const char *bytes, size_t length,
    const struct frame_limits *limits, struct schedd_error *err)
{
	while (scan->offset < length) {
		struct frame_element element;
		int rc;

		if (frame_skip_short(scan, bytes, length < limits->bytes ? length : limits->bytes)) {
			scan->elements = 0;
			return 1;
		}
		rc = frame_element(&element, bytes + scan->offset, length - scan->offset);
		if (rc == 0)
			break;
		if (rc < 0)
			return schedd_error_at(err, SCHEDD_EINVAL, (int)scan->offset,
			    "byte 0xc1 does not begin any MessagePack value");
		/* Each child takes at least one byte, so a lying count is found out at once. */
		if (element.payload > limits->bytes || element.children > limits->bytes ||
		    scan->offset + element.header + element.payload + element.children >
			limits->bytes)
			return schedd_error_at(err, SCHEDD_EINVAL, (int)scan->offset,
			    "message is longer than the limit of %zu bytes", limits->bytes);
		if (length - scan->offset < element.header + element.payload)
			break;
		scan->elements += element.children;
		if (limits->elements && scan->elements > limits->elements)
			return schedd_error_at(err, SCHEDD_EINVAL, (int)scan->offset,
			    "message has more than %zu elements", limits->elements);
		scan->offset += element.header + (size_t)element.payload;
		if (element.container && element.children > 0) {
			if (scan->depth >= limits->depth || scan->depth >= FRAME_DEPTH_MAX)
				return schedd_error_at(err, SCHEDD_EINVAL, (int)scan->offset,
				    "message is nested deeper than %u", limits->depth);
			scan->left[++scan->depth] = element.children;
		} else if (frame_close(scan)) {
			scan->elements = 0; /* all but offset is as at the start again */
			return 1;
		}
	}
	return 0;
}
