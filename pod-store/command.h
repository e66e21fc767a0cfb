/* SPDX-License-Identifier: ISC */
/*
 * The command face.  It is a client of the peer face: a process of its own does the work.
 */
#ifndef POD_STORE_COMMAND_H
#define POD_STORE_COMMAND_H

/* Returns the exit status. */
int command_main(int argc, char **argv);

#endif
