/* SPDX-License-Identifier: ISC */
/*
 * A container as a row of ps: for templates and tables, or for JSON, with Podman's names.
 */
#ifndef POD_PS_ROW_H
#define POD_PS_ROW_H

#include "common/base/json.h"
#include "pod-run/ctx.h"
#include "pod-run/state/ctr.h"

struct ps_row {
	struct ctx *x; /* for the health; NULL: not shown */
	int64_t now_ns;
	bool no_trunc, namespaces;
	const char *default_network;
	bool sized; /* the two below count */
	uint64_t size_rw, size_image;
};

/* c's configuration must be decoded. */
json_t *ps_row_template(const struct ps_row *how, const struct ctr *c);
json_t *ps_row_json(const struct ps_row *how, const struct ctr *c);

/* "Up 2 minutes", "Exited (0) 3 hours ago", "Created". */
void ps_row_status(const struct ctr *c, int64_t now_ns, char *out, size_t size);

/* "0.0.0.0:8080->80/tcp, …" */
void ps_row_ports(const struct ctr *c, struct strbuf *out);

#endif
