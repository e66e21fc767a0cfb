/* SPDX-License-Identifier: ISC */
/* The peer face: one hello and one request on descriptor 3. */
#ifndef POD_IMAGE_SERVE_H
#define POD_IMAGE_SERVE_H

#include "common/base/err.h"

int serve(struct err *e);

#endif
