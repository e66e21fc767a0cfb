/* SPDX-License-Identifier: ISC */
/*
 * The processes of a container as "top" shows them, read from the host's /proc.  Nothing enters the
 * container, and its passwd and group files are read by a worker without privilege.
 */
#ifndef POD_PROCS_H
#define POD_PROCS_H

#include "pod-run/ctx.h"
#include "pod-run/state/ctr.h"

/* True if the word names a column: AIX descriptors and Podman's own, as "pid" or "%p". */
bool procs_is_column(const char *word);

/* All columns, separated by commas. */
const char *procs_columns(void);

/* The table: a heading and a line for each process, cells ended by tabs. */
int procs_table(struct ctx *x, const struct ctr *c, const struct strv *columns, struct strbuf *out,
    struct err *e);

#endif
