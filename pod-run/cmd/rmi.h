/* SPDX-License-Identifier: ISC */
#ifndef POD_RMI_H
#define POD_RMI_H

#include "pod-run/ctx.h"

/* Removes one name, and the image or the manifest list with its last one, and prints what has gone. */
int rmi_name(struct ctx *x, const char *word, struct err *e);

/* With all its names, and without a word. */
int rmi_quietly(struct ctx *x, const char *id, struct err *e);

#endif
