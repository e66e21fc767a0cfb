/* SPDX-License-Identifier: ISC */
/*
 * The descriptors that a process keeps when it gives its power up (role_enter): X_fds adds those of X.  There is no
 * limit but that of open files: one that was left out would be closed behind its owner's back.
 */
#ifndef POD_IMAGE_KEEP_H
#define POD_IMAGE_KEEP_H

#include "common/wire/peer.h"

struct keep {
	int *v;
	size_t n, cap;
};
void keep_free(struct keep *k);
#define own_keep own(keep_free)

/* 0 or less is none. */
void keep_fd(struct keep *k, int fd);
/* NULL is none. */
void keep_peer(struct keep *k, const struct peer *p);

/* In the order that role_enter asks for. */
void keep_sort(struct keep *k);

#endif
