/* SPDX-License-Identifier: ISC */
#include "pod-run/worker/criu_files.h"

#include <string.h>

#include "common/base/own.h"
#include "common/base/varint.h"

#define HEAD 8 /* two magic numbers */

/* CRIU's numbers, of file_entry and reg_file_entry. */
#define FIELD_REG 3
#define FIELD_NAME 6
#define FIELD_MODE 10

/* One field of a message of protocol buffers; body is behind its tag, and for bytes behind their length too. */
struct field {
	uint64_t number;
	unsigned wire;
	const uint8_t *start, *body, *end;
};
enum { WIRE_VARINT, WIRE_64, WIRE_BYTES, WIRE_32 = 5 };

static void
put_varint(struct strbuf *b, uint64_t v)
{
	for (; v >= 128; v >>= 7)
		strbuf_addc(b, (char)(v | 128));
	strbuf_addc(b, (char)v);
}

/* The field at *p, which moves behind it; false if there is none that is whole. */
static bool
take_field(const uint8_t **p, const uint8_t *end, struct field *f)
{
	uint64_t tag, size;

	f->start = *p;
	if (!varint_take(p, end, &tag))
		return false;
	f->number = tag >> 3;
	f->wire = tag & 7;
	f->body = *p;
	if (f->wire == WIRE_VARINT) {
		if (!varint_take(p, end, &size))
			return false;
		f->end = *p;
		return true;
	}
	if (f->wire == WIRE_BYTES) {
		if (!varint_take(p, end, &size))
			return false;
		f->body = *p;
	} else if (f->wire == WIRE_64 || f->wire == WIRE_32) {
		size = f->wire == WIRE_64 ? 8 : 4;
	} else {
		return false;
	}
	if (size > (uint64_t)(end - *p))
		return false;
	*p += size;
	f->end = *p;
	return true;
}

static void
put_bytes(struct strbuf *b, const uint8_t *from, const uint8_t *to)
{
	strbuf_addn(b, (const char *)from, (size_t)(to - from));
}

/* A reg_file_entry without its mode; true if it is that of "/" and had one. */
static bool
loosen_reg(const uint8_t *p, const uint8_t *end, struct strbuf *out)
{
	bool root = false, had = false;
	struct field f;

	while (take_field(&p, end, &f)) {
		if (f.number == FIELD_NAME && f.wire == WIRE_BYTES)
			root = f.end - f.body == 1 && *f.body == '/';
		if (f.number == FIELD_MODE)
			had = true;
		else
			put_bytes(out, f.start, f.end);
	}
	return root && had && p == end;
}

/* A file_entry; true if something was left out. */
static bool
loosen_entry(const uint8_t *p, const uint8_t *end, struct strbuf *out)
{
	bool changed = false;
	struct field f;

	while (take_field(&p, end, &f)) {
		own_strbuf struct strbuf reg = {0};

		if (f.number != FIELD_REG || f.wire != WIRE_BYTES ||
		    !loosen_reg(f.body, f.end, &reg)) {
			put_bytes(out, f.start, f.end);
			continue;
		}
		put_varint(out, FIELD_REG << 3 | WIRE_BYTES);
		put_varint(out, reg.n);
		strbuf_addn(out, reg.s, reg.n);
		changed = true;
	}
	return changed && p == end;
}

/* Each entry has its length in front, the lowest byte first. */
static void
put_length(struct strbuf *out, size_t n)
{
	for (int i = 0; i < 4; i++)
		strbuf_addc(out, (char)(n >> 8 * i));
}

bool
criu_files_loosen(const uint8_t *p, size_t n, struct strbuf *out)
{
	static const uint8_t magic[HEAD] = {0x19, 0x43, 0x56, 0x54, 0x38, 0x31, 0x30, 0x56};
	const uint8_t *end = p + n;
	own_strbuf struct strbuf whole = {0};
	bool changed = false;

	if (n < HEAD || memcmp(p, magic, HEAD) != 0)
		return false;
	strbuf_addn(&whole, (const char *)p, HEAD);
	for (p += HEAD; end - p >= 4;) {
		own_strbuf struct strbuf entry = {0};
		size_t size =
		    (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;

		p += 4;
		if (size > (size_t)(end - p))
			return false;
		if (loosen_entry(p, p + size, &entry)) {
			put_length(&whole, entry.n);
			strbuf_addn(&whole, entry.s, entry.n);
			changed = true;
		} else {
			put_length(&whole, size);
			put_bytes(&whole, p, p + size);
		}
		p += size;
	}
	if (!changed || p != end)
		return false;
	strbuf_addn(out, whole.s, whole.n);
	return true;
}
