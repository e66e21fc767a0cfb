/* SPDX-License-Identifier: ISC */
/*
 * A container of Podman's, as its checkpoint archives describe it (config.dump, its own record, and spec.dump,
 * the OCI configuration it ran with), in words of our "create".
 */
#ifndef POD_LIBPOD_WORDS_H
#define POD_LIBPOD_WORDS_H

#include "common/base/json.h"

/*
 * Appends the options, each of them one word "--NAME" or "--NAME=VALUE", then "--", the image and the command; to
 * entrypoint the words of the entry point, which stand before the command.  What no archive can bring along (secrets, a pod,
 * other containers, a root file system of the host's) is an error of class UNSUPPORTED.
 */
int libpod_words(const json_t *config, const json_t *spec, struct strv *out,
    struct strv *entrypoint, struct err *e);

#endif
