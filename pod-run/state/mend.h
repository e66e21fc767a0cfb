/* SPDX-License-Identifier: ISC */
/* The coordinator's database when it is damaged. */
#ifndef POD_MEND_H
#define POD_MEND_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/err.h"

/*
 * 1: the database below root is whole, or there is none; 0: it is damaged, why says how; -1: it cannot be looked at.
 */
int mend_look(const char *root, bool quick, char *why, size_t size, struct err *e);

/*
 * If it is damaged, puts one in its place with the containers whose records can be read whole; the damaged one stays as
 * pod.db.damaged.
 */
int mend_put_right(const char *root, const char *run_root, struct err *e);

#endif
