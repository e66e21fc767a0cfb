/* SPDX-License-Identifier: ISC */
#include "pod-run/cmd/cmds.h"

static const struct cmd_place sub[] = {
    {.cmd = &cmd_system_check},
    {.cmd = &cmd_system_df},
    {.cmd = &cmd_events},
    {.cmd = &cmd_info},
    {.cmd = &cmd_system_prune},
    {0},
};

const struct cmd cmd_system = {
    .name = "system",
    .brief = "Manage podman",
    .text = "Manage podman",
    .sub = sub,
};
