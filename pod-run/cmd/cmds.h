/* SPDX-License-Identifier: ISC */
/*
 * The commands of the program; commands.c puts them into the tree.
 */
#ifndef POD_CMDS_H
#define POD_CMDS_H

#include "common/cli/cmd.h"

extern const struct cmd cmd_run, cmd_create, cmd_start, cmd_stop, cmd_kill, cmd_restart, cmd_rm;
extern const struct cmd cmd_ps, cmd_inspect, cmd_logs, cmd_exec, cmd_attach, cmd_wait;
extern const struct cmd cmd_cp, cmd_events, cmd_stats, cmd_top, cmd_update, cmd_init,
    cmd_container_clone, cmd_secret;
extern const struct cmd cmd_pause, cmd_unpause, cmd_rename;
extern const struct cmd cmd_container_exists, cmd_container_cleanup, cmd_container_inspect,
    cmd_container_prune, cmd_container_checkpoint, cmd_container_restore, cmd_container_runlabel;

extern const struct cmd cmd_image, cmd_images, cmd_rmi, cmd_tag, cmd_untag, cmd_history;
extern const struct cmd cmd_image_scp;
extern const struct cmd cmd_image_exists, cmd_image_inspect, cmd_image_prune, cmd_image_sign,
    cmd_image_trust, cmd_search;
extern const struct cmd cmd_network, cmd_network_inspect, cmd_network_create, cmd_network_rm,
    cmd_network_prune, cmd_network_connect, cmd_network_disconnect, cmd_network_reload,
    cmd_network_update, cmd_volume, cmd_port;
extern const struct cmd cmd_artifact, cmd_manifest, cmd_push;
extern const struct cmd cmd_pull, cmd_load, cmd_save, cmd_import, cmd_login, cmd_logout;
extern const struct cmd cmd_commit, cmd_diff, cmd_container_diff, cmd_export, cmd_mount,
    cmd_unmount;
extern const struct cmd cmd_image_diff, cmd_image_mount, cmd_image_tree, cmd_image_unmount;
extern const struct cmd cmd_volume_export, cmd_volume_import, cmd_volume_mount, cmd_volume_unmount,
    cmd_volume_reload;
extern const struct cmd cmd_info, cmd_version, cmd_unshare;
extern const struct cmd cmd_system_check;
extern const struct cmd cmd_system_connection;
extern const struct cmd cmd_healthcheck;
extern const struct cmd cmd_system, cmd_system_df, cmd_system_prune, cmd_system_locks,
    cmd_system_migrate, cmd_system_renumber, cmd_system_reset;

#endif
