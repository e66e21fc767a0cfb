/* SPDX-License-Identifier: ISC */
/* For expansions of all.def that look at the messages only; included more than once on purpose. */
#define STR(o, f, max, attr, doc)
#define BIN(o, f, max, attr, doc)
#define U64(o, f, max, attr, doc)
#define I64(o, f, attr, doc)
#define BOOL(o, f, doc)
#define STRS(o, f, max, attr, doc)
#define SUB(o, f, rec, attr, doc)
#define SUBS(o, f, rec, max, attr, doc)
#define FD(o, f, kind, attr, doc)
#define END(name)
