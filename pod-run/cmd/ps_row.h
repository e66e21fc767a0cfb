/* SPDX-License-Identifier: ISC */
/*
 * A container as a row of ps: for templates and tables, or for JSON, with Podman's names.
 */
#ifndef POD_PS_ROW_H
#define POD_PS_ROW_H

#include "common/base/json.h"
#include "pod-run/ctx.h"
#include "pod-run/state/ctr.h"

#define PS_ROW_COLUMNS 48

struct ps_row_column;
struct ps_row {
	struct ctx *x; /* for the health; NULL: not shown */
	int64_t now_ns;
	bool no_trunc, namespaces;
	const char *default_network;
	bool sized; /* the two below count */
	uint64_t size_rw, size_image;
	/* After ps_row_want. */
	const struct ps_row_column *columns[PS_ROW_COLUMNS];
	size_t column_n;
	bool summary; /* one of them needs it */
};

/* Chooses the keys of the objects of ps_row_template: those that it knows; NULL: all. */
void ps_row_want(struct ps_row *how, const struct strv *keys);

/* New objects, or NULL.  c's summary is decoded when something needs it. */
json_t *ps_row_template(const struct ps_row *how, struct ctr *c, struct err *e);
json_t *ps_row_json(const struct ps_row *how, struct ctr *c, struct err *e);

#endif
