/* SPDX-License-Identifier: ISC */
/*
 * CRIU, which the runtime uses to freeze processes to files and to bring them back.
 */
#ifndef POD_CRIU_H
#define POD_CRIU_H

#include "common/base/json.h"
#include "pod-run/life/runtime.h"

/* An error unless there is a CRIU that is new enough and the runtime was built to use it. */
int criu_check(const struct runtime *r, struct err *e);

/*
 * The figures of a dump ("stats-dump") or a restore ("stats-restore") that CRIU left in the directory, as an
 * object that the caller owns; empty if there are none.
 */
json_t *criu_stats(int dir, const char *name);

/* The figures in the bytes of such a file; for tests. */
json_t *criu_stats_parse(const uint8_t *p, size_t n);

#endif
