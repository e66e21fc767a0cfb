/* SPDX-License-Identifier: ISC */
/* Blobs that lie under their digest, as an OCI layout has them: those whose content is another. */
#ifndef POD_CHECK_BLOBS_H
#define POD_CHECK_BLOBS_H

#include "common/base/err.h"
#include "common/base/mem.h"

/* Adds to out the hex digests of the modified blobs in dir, a blobs/sha256. */
int check_blobs(int dir, struct strv *out, struct err *e);

#endif
