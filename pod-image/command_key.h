/* SPDX-License-Identifier: ISC */
/* pod-image generate-sigstore-key: keys for pod push --sign-by-sigstore-private-key. */
#ifndef POD_IMAGE_COMMAND_KEY_H
#define POD_IMAGE_COMMAND_KEY_H

#include "common/cli/cmd.h"

extern const struct cmd command_generate_key;

#endif
