/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/own.h"
#include "common/base/text.h"

static const struct {
	const char *name;
	int exit_status;
} classes[] = {
    [ERR_NONE] = {"", 0},
#define CLASS(name, wire, exit_status) [ERR_##name] = {wire, exit_status},
#include "common/base/err.def"
#undef CLASS
};

static const struct {
	int no;
	const char *name;
} errnos[] = {
#define E(x)          \
	{             \
		x, #x \
	}
    E(EPERM),
    E(ENOENT),
    E(ESRCH),
    E(EINTR),
    E(EIO),
    E(ENXIO),
    E(E2BIG),
    E(ENOEXEC),
    E(EBADF),
    E(ECHILD),
    E(EAGAIN),
    E(ENOMEM),
    E(EACCES),
    E(EFAULT),
    E(EBUSY),
    E(EEXIST),
    E(EXDEV),
    E(ENODEV),
    E(ENOTDIR),
    E(EISDIR),
    E(EINVAL),
    E(ENFILE),
    E(EMFILE),
    E(ENOTTY),
    E(ETXTBSY),
    E(EFBIG),
    E(ENOSPC),
    E(ESPIPE),
    E(EROFS),
    E(EMLINK),
    E(EPIPE),
    E(ERANGE),
    E(EDEADLK),
    E(ENAMETOOLONG),
    E(ENOSYS),
    E(ENOTEMPTY),
    E(ELOOP),
    E(ENODATA),
    E(EPROTO),
    E(EBADMSG),
    E(EOVERFLOW),
    E(EILSEQ),
    E(EUSERS),
    E(EMSGSIZE),
    E(EOPNOTSUPP),
    E(EAFNOSUPPORT),
    E(EADDRINUSE),
    E(EADDRNOTAVAIL),
    E(ENETDOWN),
    E(ENETUNREACH),
    E(ECONNABORTED),
    E(ECONNRESET),
    E(ENOBUFS),
    E(ENOTCONN),
    E(ETIMEDOUT),
    E(ECONNREFUSED),
    E(EHOSTUNREACH),
    E(EALREADY),
    E(ESTALE),
    E(EDQUOT),
    E(ECANCELED),
#undef E
};

static const struct {
	int no;
	enum err_class class;
} errno_classes[] = {
    {ENOENT, ERR_NOTFOUND},
    {ESRCH, ERR_NOTFOUND},
    {ENODEV, ERR_NOTFOUND},
    {EEXIST, ERR_EXISTS},
    {EBUSY, ERR_INUSE},
    {ETXTBSY, ERR_INUSE},
    {EADDRINUSE, ERR_INUSE},
    {EPERM, ERR_DENIED},
    {EACCES, ERR_DENIED},
    {EROFS, ERR_DENIED},
    {EXDEV, ERR_DENIED},
    {ENOSPC, ERR_NOSPACE},
    {EDQUOT, ERR_NOSPACE},
    {EFBIG, ERR_LIMIT},
    {EMFILE, ERR_LIMIT},
    {ENFILE, ERR_LIMIT},
    {EINVAL, ERR_INVALID},
    {ENAMETOOLONG, ERR_INVALID},
    {ENOTDIR, ERR_INVALID},
    {EISDIR, ERR_INVALID},
    {ELOOP, ERR_INVALID},
    {ENOSYS, ERR_UNSUPPORTED},
    {EOPNOTSUPP, ERR_UNSUPPORTED},
    {ETIMEDOUT, ERR_TIMEOUT},
    {ECANCELED, ERR_CANCELLED},
    {ECONNREFUSED, ERR_NETWORK},
    {ECONNRESET, ERR_NETWORK},
    {ENETUNREACH, ERR_NETWORK},
    {EHOSTUNREACH, ERR_NETWORK},
    {EPIPE, ERR_PEER},
};

static void
err_fill(struct err *e, enum err_class class, int no, const char *fmt, va_list ap)
{
	char text[sizeof(e->text)];

	/* Formatted aside: an argument may be the old text itself. */
	vsnprintf(text, sizeof(text), fmt, ap);
	e->class = class;
	e->no = no;
	e->hint[0] = '\0';
	memcpy(e->text, text, sizeof(text));
}

int
err_set(struct err *e, enum err_class class, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err_fill(e, class, 0, fmt, ap);
	va_end(ap);
	return -1;
}

/* In the peers' spelling: "no such file or directory", but "RPC …" stays. */
static void
add_cause(struct err *e, const char *cause)
{
	size_t n = strlen(e->text);
	int first = (unsigned char)cause[0];

	if (first != '\0' && islower((unsigned char)cause[1]))
		first = tolower(first);
	snprintf(e->text + n, sizeof(e->text) - n, ": %c%s", first, first != '\0' ? cause + 1 : "");
}

int
err_sys(struct err *e, const char *fmt, ...)
{
	int no = errno;
	va_list ap;

	va_start(ap, fmt);
	err_fill(e, err_class_from_errno(no), no, fmt, ap);
	va_end(ap);
	add_cause(e, strerror(no));
	errno = no;
	return -1;
}

int
err_wrap(struct err *e, const char *fmt, ...)
{
	char old[sizeof(e->text)], hint[sizeof(e->hint)];
	size_t n;
	va_list ap;

	memcpy(old, e->text, sizeof(old));
	memcpy(hint, e->hint, sizeof(hint));
	va_start(ap, fmt);
	err_fill(e, e->class, e->no, fmt, ap);
	va_end(ap);
	n = strlen(e->text);
	snprintf(e->text + n, sizeof(e->text) - n, ": %s", old);
	memcpy(e->hint, hint, sizeof(hint));
	return -1;
}

int
err_hint(struct err *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->hint, sizeof(e->hint), fmt, ap);
	va_end(ap);
	return -1;
}

void
err_clear(struct err *e)
{
	*e = (struct err){0};
}

bool
err_is_set(const struct err *e)
{
	return e->class != ERR_NONE;
}

const char *err_class_name(enum err_class class)
{
	return (size_t) class < COUNTOF(classes) ? classes[class].name : "";
}

enum err_class
err_class_from_name(const char *name)
{
	for (size_t i = 1; i < COUNTOF(classes); i++)
		if (strcmp(classes[i].name, name) == 0)
			return (enum err_class)i;
	return ERR_INTERNAL;
}

int
err_exit_status(const struct err *e)
{
	return classes[e->class].exit_status;
}

enum err_class
err_class_from_errno(int no)
{
	for (size_t i = 0; i < COUNTOF(errno_classes); i++)
		if (errno_classes[i].no == no)
			return errno_classes[i].class;
	return ERR_INTERNAL;
}

const char *
err_errno_name(int no)
{
	for (size_t i = 0; i < COUNTOF(errnos); i++)
		if (errnos[i].no == no)
			return errnos[i].name;
	return "";
}

int
err_errno_from_name(const char *name)
{
	for (size_t i = 0; i < COUNTOF(errnos); i++)
		if (strcmp(errnos[i].name, name) == 0)
			return errnos[i].no;
	return 0;
}

void
err_print(const struct err *e, FILE *to)
{
	char line[4 * sizeof(e->text) + 1];

	text_escape(e->text, line, sizeof(line));
	fprintf(to, "Error: %s\n", line);
	if (e->hint[0] != '\0') {
		text_escape(e->hint, line, sizeof(line));
		fprintf(to, "%s\n", line);
	}
}
