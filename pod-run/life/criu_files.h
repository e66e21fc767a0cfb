/* SPDX-License-Identifier: ISC */
/*
 * What CRIU notes of open files and of mounts, as far as it would keep a container from going on in another engine.
 */
#ifndef POD_CRIU_FILES_H
#define POD_CRIU_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/mem.h"

/*
 * The image without the mode of "/", which CRIU would compare: Podman's roots have 0555, ours what the image says.
 * False, and nothing in out, if it says no such mode, or if the bytes are no such image.
 */
bool criu_files_loosen(const uint8_t *p, size_t n, struct strbuf *out);

/*
 * A number of protocol buffers, base 128 with the lowest digits first; *p moves behind it.  False if it does not end
 * before end.
 */
bool criu_take_varint(const uint8_t **p, const uint8_t *end, uint64_t *out);

/* Takes it out of dir/IMAGES/files.img, if there is one. */
int criu_files_loosen_in(int dir, const char *images, struct err *e);

/*
 * The image of mounts (mountpoints-N.img) without that of /etc/resolv.conf, in the same way: Podman makes none for a
 * container without a network, but CRIU wants each file back that came from outside.
 */
bool criu_files_drop_resolv(const uint8_t *p, size_t n, struct strbuf *out);

/* Drops it in dir/IMAGES. */
int criu_files_drop_resolv_in(int dir, const char *images, struct err *e);

#endif
