/* SPDX-License-Identifier: ISC */
/*
 * Names of entries in layers: made plain, and classed by the whiteout rules of the OCI image
 * specification (layer.md, "Representing Changes").
 */
#ifndef POD_NAME_H
#define POD_NAME_H

#include <stddef.h>

#include "pod-store/layer/tar.h"

#define NAME_WHITEOUT ".wh."

enum name_kind {
	NAME_ROOT, /* the layer's root itself */
	NAME_ORDINARY,
	NAME_WHITE,   /* the last component removes a name of lower layers; it stands without prefix
		       */
	NAME_OPAQUE,  /* the directory (all of the plain name; "" is the root) hides lower layers */
	NAME_IGNORED, /* AUFS's own files, whiteouts of nothing */
	NAME_BAD      /* a component longer than 255 bytes, or a whiteout used as a directory */
};

/*
 * Writes the plain form of name to out: relative, no empty, "." or ".." components (".." takes away
 * the component before it and stops at the root), no slash at the end.
 */
enum name_kind name_plain(const char *name, char out[TAR_PATH_MAX + 1]);

/* Same for the target of a hard link, where ".." and whiteouts are refused: -1. */
int name_plain_link(const char *link, char out[TAR_PATH_MAX + 1]);

#endif
