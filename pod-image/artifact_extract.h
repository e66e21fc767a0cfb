/* SPDX-License-Identifier: ISC */
/* One file out of an artifact of the store. */
#ifndef POD_IMAGE_ARTIFACT_EXTRACT_H
#define POD_IMAGE_ARTIFACT_EXTRACT_H

#include "common/wire/peer.h"

/*
 * From the worker that reads the artifacts, where the file lies at path, to the worker that writes it under name.
 * Nothing appears there unless size and digest are those of f.
 */
int artifact_extract_file(struct peer *from, struct peer *to, const char *path,
    const struct rec_artifact_file *f, const char *name, struct err *e);

#endif
