/* SPDX-License-Identifier: ISC */
#include "common/base/own.h"
#include "common/wire/msg.h"

/* A program that must stay small compiles this file with a choice of the declarations. */
#ifndef MSG_DEF
#define MSG_DEF "common/wire/all.def"
#endif

#define REC(name, doc) static const struct wire_field rec_##name##_fields[] = {
#define MSG(name, id, reply, senders, deadline, body, doc) \
	static const struct wire_field msg_##name##_fields[] = {
#ifdef MSG_DOCS
#define DOC(text) text
#else
#define DOC(text) NULL
#endif
/* 0; does not compile if the name is too long. */
#define FITS(f) (0 * sizeof(char[sizeof(#f) <= WIRE_NAME_MAX + 1 ? 1 : -1]))
#define FIELD(o, f, type, max, attr, kind, rec, doc) \
	{#f, type, attr, kind, offsetof(struct o, f) + FITS(f), max, rec, DOC(doc)},
#define STR(o, f, max, attr, doc) FIELD(o, f, WIRE_STR, max, attr, FD_ANY, NULL, doc)
#define BIN(o, f, max, attr, doc) FIELD(o, f, WIRE_BIN, max, attr, FD_ANY, NULL, doc)
#define U64(o, f, max, attr, doc) FIELD(o, f, WIRE_U64, max, attr, FD_ANY, NULL, doc)
#define I64(o, f, attr, doc) FIELD(o, f, WIRE_I64, 0, attr, FD_ANY, NULL, doc)
#define BOOL(o, f, doc) FIELD(o, f, WIRE_BOOL, 0, OPT, FD_ANY, NULL, doc)
#define STRS(o, f, max, attr, doc) FIELD(o, f, WIRE_STRS, max, attr, FD_ANY, NULL, doc)
#define SUB(o, f, rec, attr, doc) FIELD(o, f, WIRE_REC, 0, attr, FD_ANY, &rec_##rec##_desc, doc)
#define SUBS(o, f, rec, max, attr, doc) \
	FIELD(o, f, WIRE_RECS, max, attr, FD_ANY, &rec_##rec##_desc, doc)
#define FD(o, f, kind, attr, doc) FIELD(o, f, WIRE_FD, 0, attr, kind, NULL, doc)
/* The last entry only keeps tables of messages without fields well-formed. */
#define END(name)  \
	{          \
		"" \
	}          \
	}          \
	;
#include MSG_DEF
#include "common/wire/undef.h"
#include "common/wire/no-fields.h"

#define REC(name_, doc_)                                             \
	const struct wire_desc rec_##name_##_desc = {.name = #name_, \
	    .size = sizeof(struct rec_##name_),                      \
	    .fields = rec_##name_##_fields,                          \
	    .nfields = COUNTOF(rec_##name_##_fields) - 1,            \
	    .body_max = BIG,                                         \
	    .doc = DOC(doc_)};
#define MSG(name_, id_, reply_, senders_, deadline_, body_, doc_)    \
	const struct wire_desc msg_##name_##_desc = {.name = #name_, \
	    .id = id_,                                               \
	    .size = sizeof(struct msg_##name_),                      \
	    .fields = msg_##name_##_fields,                          \
	    .nfields = COUNTOF(msg_##name_##_fields) - 1,            \
	    .reply = #reply_,                                        \
	    .senders = senders_,                                     \
	    .deadline_ms = deadline_,                                \
	    .body_max = body_,                                       \
	    .doc = DOC(doc_)};
#include MSG_DEF
#include "common/wire/undef.h"
#include "common/wire/no-fields.h"

const struct wire_desc *const msg_all[] = {
#define REC(name, doc) &rec_##name##_desc,
#define MSG(name, id, reply, senders, deadline, body, doc) &msg_##name##_desc,
#include MSG_DEF
    NULL};

const struct wire_desc *
msg_by_id(uint64_t id)
{
	if (id == 0)
		return NULL;
	for (size_t i = 0; msg_all[i] != NULL; i++)
		if (msg_all[i]->id == id)
			return msg_all[i];
	return NULL;
}
