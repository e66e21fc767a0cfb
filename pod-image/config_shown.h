/* SPDX-License-Identifier: ISC */
/*
 * An image's configuration as people are shown it: what the OCI image specification ("Image Configuration") names, in
 * its order, without what is empty and what others have put there.
 */
#ifndef POD_IMAGE_CONFIG_SHOWN_H
#define POD_IMAGE_CONFIG_SHOWN_H

#include <jansson.h>

#include "common/base/err.h"
#include "common/wire/wire.h"

/* config has been through manifest_config.  A new reference, or NULL. */
json_t *config_shown(struct bytes config, struct err *e);

#endif
