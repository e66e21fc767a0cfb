/* SPDX-License-Identifier: ISC */
#include "pod-run/remote/command.h"

const struct remote_command remote_images[] = {
    {0},
};
