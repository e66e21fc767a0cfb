/* SPDX-License-Identifier: ISC */
#include "pod-run/cmd/cmds.h"

static const struct cmd_place sub[] = {
    {.cmd = &cmd_system_check},
    {.cmd = &cmd_system_connection},
    {.cmd = &cmd_system_df},
    {.cmd = &cmd_events},
    {.cmd = &cmd_info},
    {.cmd = &cmd_system_locks},
    {.cmd = &cmd_system_migrate},
    {.cmd = &cmd_system_prune},
    {.cmd = &cmd_system_renumber},
    {.cmd = &cmd_system_reset},
    {0},
};

const struct cmd cmd_system = {
    .name = "system",
    .brief = "Manage podman",
    .text = "Manage podman",
    .sub = sub,
};
