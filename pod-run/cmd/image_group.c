/* SPDX-License-Identifier: ISC */
#include "pod-run/cmd/cmds.h"

static const struct cmd_place sub[] = {
    {.cmd = &cmd_image_diff},
    {.cmd = &cmd_image_exists},
    {.cmd = &cmd_history},
    {.cmd = &cmd_import},
    {.cmd = &cmd_image_inspect},
    {.cmd = &cmd_images, .name = "list", .aliases = "ls"},
    {.cmd = &cmd_load},
    {.cmd = &cmd_image_mount},
    {.cmd = &cmd_image_prune},
    {.cmd = &cmd_pull},
    {.cmd = &cmd_push},
    {.cmd = &cmd_rmi, .name = "rm", .aliases = "remove"},
    {.cmd = &cmd_save},
    {.cmd = &cmd_image_scp},
    {.cmd = &cmd_search},
    {.cmd = &cmd_image_sign},
    {.cmd = &cmd_tag},
    {.cmd = &cmd_image_tree},
    {.cmd = &cmd_image_trust},
    {.cmd = &cmd_image_unmount},
    {.cmd = &cmd_untag},
    {0},
};

const struct cmd cmd_image = {
    .name = "image",
    .brief = "Manage images",
    .sub = sub,
};
