/* SPDX-License-Identifier: ISC */
/*
 * What CRIU notes of open files and of mounts, as far as it would keep a container from going on in another engine.
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

/*
 * The image of mounts (mountpoints-N.img) without that of /etc/resolv.conf, in the same way: Podman makes none for a
 * container without a network, but CRIU wants each file back that came from outside.
 */
bool criu_files_drop_resolv(const uint8_t *p, size_t n, struct strbuf *out);

#endif
