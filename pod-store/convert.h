/* SPDX-License-Identifier: ISC */
/*
 * The command convert: another layout for layers that are in the store.
 */
#ifndef POD_CONVERT_H
#define POD_CONVERT_H

#include "common/cli/cmd.h"

extern const struct cmd convert_cmd;

#endif
