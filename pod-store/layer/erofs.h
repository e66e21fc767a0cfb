/* SPDX-License-Identifier: ISC */
/*
 * Writes the metadata of a layer as an EROFS image whose files' contents stand in the layer's own tar, which
 * is the image's one further device (Documentation/filesystems/erofs.rst; fs/erofs/erofs_fs.h).
 *
 *	byte 0		boot block, empty; super block at 1024, the device's slot behind it
 *	1536		inodes, each followed by its extended attributes and by what is small: the blocks of a
 *			file (chunks), a short directory or link target
 *	then		blocks of directories and of long link targets
 *	then		pieces of sparse files that do not begin at a block of the tar, with holes between
 *
 * Blocks are those of a tar, 512 bytes.  The same tree always gives the same image.
 */
#ifndef POD_LAYER_EROFS_H
#define POD_LAYER_EROFS_H

#include "common/base/err.h"
#include "pod-store/layer/nodes.h"

/*
 * To out, an empty file.  tar: of tar_size bytes, readable; only sparse files make it look there.  The tree is
 * used up.
 */
int erofs_write(struct nodes *t, int tar, uint64_t tar_size, int out, struct err *e);

#endif
