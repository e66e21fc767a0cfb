/* SPDX-License-Identifier: ISC */
/*
 * The images that CRIU wrote of a container, changed so that it goes on in another engine too.  They are read by a
 * worker (document.h): what stands in them comes from an archive, or from the container.
 */
#ifndef POD_CRIU_IMAGES_H
#define POD_CRIU_IMAGES_H

#include "common/base/err.h"

/* Takes the mode of the root directory out of dir/IMAGES/files.img, if there is one. */
int criu_images_loosen(int dir, const char *images, struct err *e);

#endif
