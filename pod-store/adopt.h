/* SPDX-License-Identifier: ISC */
/*
 * An image of an additional store gets a record in the first place, so that it can have further names;
 * its layers stay where they are.
 */
#ifndef POD_ADOPT_H
#define POD_ADOPT_H

#include "pod-store/store.h"

/* Within a transaction of to: the rows of the image, without names. */
int adopt_image(struct store *to, struct store *from, const char *id, struct err *e);

#endif
