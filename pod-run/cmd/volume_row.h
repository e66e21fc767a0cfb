/* SPDX-License-Identifier: ISC */
/*
 * Volumes as commands choose and show them.
 */
#ifndef POD_VOLUME_ROW_H
#define POD_VOLUME_ROW_H

#include "common/base/json.h"
#include "pod-run/cmd/terms.h"
#include "pod-run/ctx.h"

struct volume_row {
	const struct rec_volume *v;
	size_t users; /* containers that mount it */
};

struct volume_rows {
	struct volume_row *v;
	size_t n;
	struct peer_in in; /* holds the volumes */
};
void volume_row_free(struct volume_rows *r);
#define own_volume_rows own(volume_row_free)

/* Whether these are filters, before a question is asked. */
int volume_row_check(struct ctx *x, const struct strv *filters, struct err *e);

/* All volumes that match the filters, by name. */
int volume_row_list(
    struct ctx *x, const struct strv *filters, struct volume_rows *out, struct err *e);

/* As inspect and "ls --format json" show it. */
json_t *volume_row_json(const struct rec_volume *v);

/*
 * Removes a volume by name or unique prefix.  One in use is ERR_INUSE, or with force its containers
 * are removed first; a missing one is ERR_NOTFOUND.  removed, if not NULL, is its name, to be freed by the caller.
 */
int volume_row_remove(
    struct ctx *x, const char *word, bool force, int64_t timeout_s, char **removed, struct err *e);

/*
 * Removes unused volumes, those that were named only with all; names are appended to removed.  dry_run:
 * only the names.
 */
int volume_row_prune(struct ctx *x, bool all, bool dry_run, const struct strv *filters,
    struct strv *removed, struct err *e);

#endif
