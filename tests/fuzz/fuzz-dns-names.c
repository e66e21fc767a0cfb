/* SPDX-License-Identifier: ISC */
/* A network's file of names, which another program may have written; and a resolv.conf. */
// objs: pod-net/dns/zone.o pod-net/dns/resolvers.o pod-net/addr.o
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "pod-net/dns/resolvers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = xstrndup((const char *)data, n);
	char *again = xstrndup((const char *)data, n);
	struct resolvers r = {.dir = -1};
	struct zone z = {0};

	log_set_level(LOG_LEVEL_ERROR);
	zone_add(&z, n % 2 ? "a%int" : "a", text);
	zone_finish(&z);
	for (size_t i = 0; i < z.nby_id; i++) {
		size_t count;

		zone_memberships(&z, z.by_id[i]->id, &count);
		if (count == 0)
			abort();
	}
	resolvers_parse(&r, again);
	zone_free(&z);
	free(text);
	free(again);
	return 0;
}
