/* SPDX-License-Identifier: ISC */
/* Network definitions: whatever is accepted can be written and read again. */
// objs: pod-net/addr.o pod-net/network.o
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/oci/network_json.h"
#include "pod-net/network.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	own_arena struct arena a = {0};
	own_json json_t *o = NULL;
	own_mem char *text = NULL;
	struct rec_network first, second;
	struct err e = {0};

	if (network_parse((const char *)p, n, "net1", &first, &a, &e) != 0)
		return 0;
	o = network_json(&first);
	text = json_text(o);
	if (network_parse(text, strlen(text), "net1", &second, &a, &e) != 0 ||
	    first.subnets.n != second.subnets.n || first.options.n != second.options.n ||
	    first.routes.n != second.routes.n)
		abort();
	return 0;
}
