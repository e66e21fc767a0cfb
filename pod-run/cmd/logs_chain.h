/* SPDX-License-Identifier: ISC */
/*
 * The files of a container's log: PATH, which is written to, and those that a rotation left, of which PATH.1 is the
 * youngest.  Opens and watches them; what they hold is read elsewhere.
 */
#ifndef POD_LOGS_CHAIN_H
#define POD_LOGS_CHAIN_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/base/err.h"

struct logs_chain {
	char *path;
	int fd,
	    watch; /* the present file, open for reading at the offset of whoever reads it; -1: none */
	dev_t dev;
	ino_t ino;
};

void logs_chain_init(struct logs_chain *c, const char *path);
void logs_chain_free(struct logs_chain *c);

/* Opens the log itself, or the oldest file.  One that is not there is an error with e->no == ENOENT. */
int logs_chain_open(struct logs_chain *c, struct err *e);
int logs_chain_open_oldest(struct logs_chain *c, struct err *e);

/* A rotation has left files. */
bool logs_chain_is_many(const struct logs_chain *c);

/* Goes back to the file that came before ours: 1, 0 if there is none, or -1 if it cannot be opened. */
int logs_chain_older(struct logs_chain *c, struct err *e);

/* True if our file is not the one that is written to: there is a younger one. */
bool logs_chain_is_rotated(const struct logs_chain *c);

/* Goes on to the file that came after ours, or to the oldest if ours has left the chain: the same. */
int logs_chain_next(struct logs_chain *c, struct err *e);

/* Sleeps until there may be something behind the present offset, at most timeout_ms. */
void logs_chain_wait(struct logs_chain *c, int timeout_ms);

#endif
