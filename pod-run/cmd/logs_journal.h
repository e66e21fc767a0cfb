/* SPDX-License-Identifier: ISC */
/*
 * The output of a container out of the journal, by way of journalctl(1).
 */
#ifndef POD_LOGS_JOURNAL_H
#define POD_LOGS_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/oci/klog.h"

struct journal_reader;

/* q->path is the container's ID.  follow: goes on when new entries come. */
struct journal_reader *journal_open(const struct klog_query *q, bool follow, struct err *e);
void journal_close(struct journal_reader *r); /* NULL is fine */

/*
 * A reader that followed goes on with what the journal holds now behind the last record, and ends there: the
 * container has ended.
 */
int journal_finish(struct journal_reader *r, const struct klog_query *q, struct err *e);

/*
 * The next record, as klog_next.  Waits for journalctl, at most timeout_ms; 0 then, and at the end.
 */
int journal_next(struct journal_reader *r, int timeout_ms, struct klog_line *line, struct err *e);

#endif
