/* SPDX-License-Identifier: ISC */
/*
 * Every message and stored record of the suite, expanded from the .def files beside this header.
 * In a .def file:
 *
 *	REC(name, doc) fields END(name)			struct rec_name, rec_name_desc
 *	MSG(name, id, reply, senders, deadline_ms, body_max, doc) fields END(name)
 *							struct msg_name, msg_name_desc
 *
 * and a field is one of
 *
 *	STR(owner, field, max, attr, doc)		const char *
 *	BIN(owner, field, max, attr, doc)		struct bytes
 *	U64(owner, field, max, attr, doc)		uint64_t
 *	I64(owner, field, attr, doc)			int64_t
 *	BOOL(owner, field, doc)				bool (always optional)
 *	STRS(owner, field, max, attr, doc)		struct strs
 *	SUB(owner, field, record, attr, doc)		struct rec_record *
 *	SUBS(owner, field, record, max, attr, doc)	struct { struct rec_record *v; size_t n; }
 *	FD(owner, field, kind, attr, doc)		int (messages only)
 *
 * where owner is rec_name or msg_name.  reply is the name of a message, or "nothing".  senders is a
 * mask of FROM_x.  Numbers of messages are never used again for another meaning.
 */
#ifndef POD_MSG_H
#define POD_MSG_H

#include "common/role/role.h"
#include "common/wire/wire.h"

#define FROM(r) (UINT64_C(1) << ROLE_##r)
#define FROM_ANY UINT64_MAX
#define WIRE_FRAME_MAX 65000u /* bytes of a frame in a packet */
#define SMALL WIRE_FRAME_MAX  /* body_max of ordinary messages */
#define BIG (16u << 20)	      /* body_max of messages that carry documents */
#define NO_DEADLINE 0u

#define REC(name, doc) struct rec_##name {
#define MSG(name, id, reply, senders, deadline, body, doc) struct msg_##name {
#define STR(o, f, max, attr, doc) const char *f;
#define BIN(o, f, max, attr, doc) struct bytes f;
#define U64(o, f, max, attr, doc) uint64_t f;
#define I64(o, f, attr, doc) int64_t f;
#define BOOL(o, f, doc) bool f;
#define STRS(o, f, max, attr, doc) struct strs f;
#define SUB(o, f, rec, attr, doc) struct rec_##rec *f;
#define SUBS(o, f, rec, max, attr, doc) \
	struct {                        \
		struct rec_##rec *v;    \
		size_t n;               \
	} f;
#define FD(o, f, kind, attr, doc) int f;
#define END(name)  \
	char end_; \
	}          \
	;
#include "common/wire/all.def"
#include "common/wire/undef.h"

#define REC(name, doc) extern const struct wire_desc rec_##name##_desc;
#define MSG(name, id, reply, senders, deadline, body, doc) \
	extern const struct wire_desc msg_##name##_desc;
#include "common/wire/no-fields.h"
#include "common/wire/all.def"
#include "common/wire/undef.h"

/* All messages, by number; NULL if there is none. */
const struct wire_desc *msg_by_id(uint64_t id);

/* For generators and tests: every record and message in the order of declaration; NULL at the end.
 */
extern const struct wire_desc *const msg_all[];

#endif
