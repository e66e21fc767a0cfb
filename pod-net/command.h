/* SPDX-License-Identifier: ISC */
/*
 * The command face of pod-net.
 */
#ifndef POD_COMMAND_H
#define POD_COMMAND_H

int command_main(int argc, char **argv);

#endif
