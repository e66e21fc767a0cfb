/* SPDX-License-Identifier: ISC */
/* The command face. */
#ifndef POD_IMAGE_COMMAND_H
#define POD_IMAGE_COMMAND_H

int command_main(int argc, char **argv);

#endif
