/* SPDX-License-Identifier: ISC */
#include "common/wire/scan.h"

/* What the first byte of a value announces (msgpack specification, "Formats"). */
struct head {
	unsigned length_bytes; /* width of a following length or count */
	uint64_t fixed;	       /* payload bytes, or members, when there is none */
	unsigned per_member;   /* 0: scalar or bytes; 1: array; 2: map */
	int valid;
};

static struct head
head_of(uint8_t c)
{
	if (c < 0x80 || c >= 0xe0)
		return (struct head){.valid = 1};
	if (c < 0x90)
		return (struct head){.fixed = c & 15, .per_member = 2, .valid = 1};
	if (c < 0xa0)
		return (struct head){.fixed = c & 15, .per_member = 1, .valid = 1};
	if (c < 0xc0)
		return (struct head){.fixed = c & 31, .valid = 1};
	switch (c) {
	case 0xc0: /* nil */
	case 0xc2: /* false */
	case 0xc3: /* true */
		return (struct head){.valid = 1};
	case 0xc4: /* bin 8 */
	case 0xd9: /* str 8 */
		return (struct head){.length_bytes = 1, .valid = 1};
	case 0xc5:
	case 0xda:
		return (struct head){.length_bytes = 2, .valid = 1};
	case 0xc6:
	case 0xdb:
		return (struct head){.length_bytes = 4, .valid = 1};
	case 0xcc: /* uint 8 … 64 */
	case 0xd0: /* int 8 … 64 */
		return (struct head){.fixed = 1, .valid = 1};
	case 0xcd:
	case 0xd1:
		return (struct head){.fixed = 2, .valid = 1};
	case 0xce:
	case 0xd2:
		return (struct head){.fixed = 4, .valid = 1};
	case 0xcf:
	case 0xd3:
		return (struct head){.fixed = 8, .valid = 1};
	case 0xdc: /* array 16, 32 */
		return (struct head){.length_bytes = 2, .per_member = 1, .valid = 1};
	case 0xdd:
		return (struct head){.length_bytes = 4, .per_member = 1, .valid = 1};
	case 0xde: /* map 16, 32 */
		return (struct head){.length_bytes = 2, .per_member = 2, .valid = 1};
	case 0xdf:
		return (struct head){.length_bytes = 4, .per_member = 2, .valid = 1};
	default:
		return (struct head){0};
	}
}

const char *
scan_check(const uint8_t *b, size_t n)
{
	uint64_t left[SCAN_DEPTH_MAX + 1] = {1};
	unsigned depth = 0;
	uint64_t items = 0;
	size_t at = 0;

	for (;;) {
		struct head h;
		uint64_t v;

		while (left[depth] == 0) {
			if (depth == 0)
				return at == n ? NULL : "bytes after the end";
			depth--;
		}
		left[depth]--;
		if (at >= n)
			return "frame ends early";
		if (++items > SCAN_ITEMS_MAX)
			return "too many values";
		h = head_of(b[at++]);
		if (!h.valid)
			return "type not allowed";
		if (n - at < h.length_bytes)
			return "frame ends early";
		v = h.fixed;
		for (unsigned i = 0; i < h.length_bytes; i++)
			v = v << 8 | b[at++];
		if (h.per_member == 0) {
			if (v > n - at)
				return "length beyond the frame";
			at += (size_t)v;
			continue;
		}
		/* A member costs at least one byte, so this bounds what the tree can cost. */
		if (v * h.per_member > n - at)
			return "count beyond the frame";
		if (depth == SCAN_DEPTH_MAX)
			return "nested too deep";
		left[++depth] = v * h.per_member;
	}
}
