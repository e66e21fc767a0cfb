/* SPDX-License-Identifier: ISC */
#ifndef POD_STATS_CMD_H
#define POD_STATS_CMD_H

#include "common/base/json.h"
#include "pod-run/life/usage.h"

/* An earlier look at a container. */
struct stats_before {
	char id[NAMES_ID_LEN + 1];
	int64_t now_ns;
	uint64_t cpu_ns;
};

#endif
