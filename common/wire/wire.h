/* SPDX-License-Identifier: ISC */
/*
 * Descriptions of messages and stored records, and the codec that is driven by them.
 *
 * A record is a C struct and a table of its fields; both come from one declaration in a .def file
 * (see msg.h).  On the wire and on disk it is a msgpack map from field name to value.  Encoding
 * leaves out optional fields that are zero, empty or NULL; decoding refuses what is unknown,
 * doubled, missing, too long or of another type.
 */
#ifndef POD_WIRE_H
#define POD_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/mem.h"

struct bytes {
	const uint8_t *p;
	size_t n;
};

/* A list of strings in a record: v[n] is NULL when decoded; not required when encoding. */
struct strs {
	const char **v;
	size_t n;
};

enum wire_type {
	WIRE_STR,  /* const char *: UTF-8 without NUL; max = bytes */
	WIRE_BIN,  /* struct bytes; max = bytes */
	WIRE_U64,  /* uint64_t; max = greatest value */
	WIRE_I64,  /* int64_t */
	WIRE_BOOL, /* bool */
	WIRE_STRS, /* struct strs; max = members, each at most WIRE_STR_MAX bytes */
	WIRE_REC,  /* pointer to a record, NULL if absent */
	WIRE_RECS, /* struct { record *v; size_t n; }; max = members */
	WIRE_FD,   /* int: a descriptor; absent is 0 or less, so 0 cannot be passed */
};

#define WIRE_STR_MAX (1u << 20)
#define WIRE_FIELDS_MAX 256 /* of a record; of a message with descriptors 64 */

/* Field attributes. */
#define OPT 0u
#define REQ 1u
#define SECRET 2u /* never traced */

/* What a passed descriptor must be; checked by the receiver. */
enum wire_fd_kind {
	FD_ANY,
	FD_FILE,   /* regular file or memfd */
	FD_DIR,	   /* directory, O_PATH or not, and so also the root of a mount */
	FD_STREAM, /* pipe, FIFO, socket, regular file or terminal: something to read or write */
	FD_SOCKET,
	FD_NS, /* a namespace (nsfs) */
};

struct wire_desc;

/*
 * The name stands in the field itself, and doc only in the generator of the manual page: a table without pointers is
 * shared by all processes, where each that has some is written by every one of them when it starts.
 */
#define WIRE_NAME_MAX 31
struct wire_field {
	char name[WIRE_NAME_MAX + 1];
	enum wire_type type : 8;
	unsigned attr : 8;
	enum wire_fd_kind fd_kind : 8;
	uint32_t offset;
	uint64_t max;
	const struct wire_desc *rec;
	const char *doc;
};

struct wire_desc {
	const char *name;
	uint16_t id; /* 0 for a record */
	size_t size; /* of the C struct */
	const struct wire_field *fields;
	size_t nfields;
	const char *reply;    /* name of the answering message, or "nothing" */
	uint64_t senders;     /* mask of 1 << enum role */
	uint32_t deadline_ms; /* how long the answer may take; 0: no limit */
	uint32_t body_max;    /* bytes; more than WIRE_FRAME_MAX travels in a sealed memfd */
	const char *doc;
};

/* Appends the record's msgpack form to out.  Descriptors are left out. */
void wire_pack(const struct wire_desc *d, const void *rec, struct strbuf *out);

/*
 * Is all text in the record UTF-8, and no longer, nor a list, than its field, as whoever gets it demands?  -1: e says
 * which is not, so that what a user typed is the user's mistake and no breach of the protocol.
 */
int wire_check_text(const struct wire_desc *d, const void *rec, struct err *e);

/*
 * Decodes n bytes into rec (zeroed first, d->size bytes).  Everything rec points to lives in a.
 * On failure rec is zeroed and e names the record and the field.
 */
int wire_unpack(
    const struct wire_desc *d, const void *p, size_t n, void *rec, struct arena *a, struct err *e);

/* Deep copy into a; descriptors are copied as numbers. */
void wire_copy(const struct wire_desc *d, const void *from, void *to, struct arena *a);

/* Closes every descriptor field that is still greater than 0 and sets it to -1. */
void wire_close_fds(const struct wire_desc *d, void *rec);

#endif
