/* SPDX-License-Identifier: ISC */
/*
 * What CRIU notes of open files, as far as it would keep a container from going on in another engine.
 */
#ifndef POD_CRIU_FILES_H
#define POD_CRIU_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/mem.h"

/*
 * The image without the mode of "/", which CRIU would compare: Podman's roots have 0555, ours what the image says.
 * False, and nothing in out, if it says no such mode, or if the bytes are no such image.
 */
bool criu_files_loosen(const uint8_t *p, size_t n, struct strbuf *out);

#endif
