/* SPDX-License-Identifier: ISC */
/*
 * Making files in a directory that somebody hostile may be changing at the same time.  Names are single
 * components and no link is followed, so whatever is done happens in that very directory.
 */
#ifndef POD_COPY_PUT_H
#define POD_COPY_PUT_H

#include <stdbool.h>
#include <sys/stat.h>

#include "common/wire/msg.h"
#include "pod-store/layer/tar.h"

struct put {
	const struct msg_copy *m;
	bool skipped_devices;
};

/* How a file shall look. */
struct put_look {
	mode_t mode;
	uid_t uid;
	gid_t gid;
	struct timespec mtime;
	const struct tar_xattr *xattrs;
	size_t nxattrs;
};

/* Of a file that was looked at; without its extended attributes. */
struct put_look put_look_of(const struct stat *st);

/*
 * shown is the path for messages.  A directory that is there stays; anything else in the way of a file is
 * replaced, a directory only if the request says overwrite.  The descriptor returned is the caller's.
 */
int put_dir(struct put *p, int dir, const char *name, const char *shown, struct err *e);
int put_file(struct put *p, int dir, const char *name, const char *shown, struct err *e);
int put_symlink(
    struct put *p, int dir, const char *name, const char *to, const char *shown, struct err *e);
/* A FIFO or device; one that may not be made is left out (1). */
int put_node(struct put *p, int dir, const char *name, mode_t mode, dev_t device, const char *shown,
    struct err *e);
/* Another name of the file from/from_name. */
int put_link(struct put *p, int from, const char *from_name, int dir, const char *name,
    const char *shown, struct err *e);

/* Owner, mode, attributes, times of what is open; owner and times of what cannot be opened. */
int put_look_fd(
    const struct put *p, int fd, const struct put_look *look, const char *shown, struct err *e);
/* As that of from, which st is of, its extended attributes included. */
int put_look_like(
    const struct put *p, int fd, int from, const struct stat *st, const char *shown, struct err *e);
int put_look_name(const struct put *p, int dir, const char *name, const struct put_look *look,
    const char *shown, struct err *e);

#endif
