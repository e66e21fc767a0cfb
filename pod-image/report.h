/* SPDX-License-Identifier: ISC */
/* News of a request under way: to the coordinator, or to a person's terminal. */
#ifndef POD_IMAGE_REPORT_H
#define POD_IMAGE_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/wire/peer.h"

struct report {
	struct peer *run; /* NULL: standard error */
	uint32_t seq;
	bool quiet;
};

/* One line in Podman's words. */
void report_text(const struct report *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* How far an object is; only the coordinator is told. */
void report_item(const struct report *r, const char *item, uint64_t done, uint64_t total);

#endif
