/* SPDX-License-Identifier: ISC */
/*
 * The error value.  It is of fixed size, owned by the caller and never allocates, so it works when
 * memory is gone.  An error is made where its cause is known, naming the act and the object;
 * context is put in front of it on the way up; it is printed once, in main.
 */
#ifndef POD_ERR_H
#define POD_ERR_H

#include <stdbool.h>
#include <stdio.h>

enum err_class {
	ERR_NONE,
#define CLASS(name, wire, exit_status) ERR_##name,
#include "common/base/err.def"
#undef CLASS
	ERR_CLASS_COUNT
};

struct err {
	enum err_class class;
	int no;		 /* errno of the cause, or 0 */
	char text[1024]; /* one line without newline; UTF-8, may hold a peer's escaped text */
	char hint[256];	 /* what the user can do about it, or empty */
};

/* All setters return -1, so that a function can end with "return err_set(…)". */

/* Replaces whatever e held. */
int err_set(struct err *e, enum err_class class, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* As err_set, with the class derived from errno and ": strerror" appended. */
int err_sys(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts "fmt: " in front of the text; class, errno and hint stay. */
int err_wrap(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

int err_hint(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void err_clear(struct err *e);
bool err_is_set(const struct err *e);

const char *err_class_name(enum err_class class);     /* wire name; "" for ERR_NONE */
enum err_class err_class_from_name(const char *name); /* ERR_INTERNAL if unknown */
int err_exit_status(const struct err *e);	      /* 0 for ERR_NONE */
enum err_class err_class_from_errno(int no);

/* errno crosses process boundaries by name ("ENOENT"), never as a number. */
const char *err_errno_name(int no);	   /* "" if unknown or 0 */
int err_errno_from_name(const char *name); /* 0 if unknown */

/* "Error: TEXT" and, if there is one, the hint on a line of its own; control characters escaped. */
void err_print(const struct err *e, FILE *to);

#endif
