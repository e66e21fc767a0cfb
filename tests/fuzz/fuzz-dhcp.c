/* SPDX-License-Identifier: ISC */
/* What arrives at a container's DHCP client: any IP packet. */
// objs: pod-net/dhcp/message.o
#include <stdlib.h>
#include <string.h>

#include "pod-net/dhcp/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	/* A copy of just that size, so that a look beyond it is seen. */
	uint8_t *copy = malloc(n > 0 ? n : 1);
	struct dhcp_in in;

	if (copy == NULL)
		abort();
	memcpy(copy, data, n);
	if (dhcp_parse(copy, n, &in) == 0 &&
	    (in.nresolvers > DHCP_SERVERS_MAX || dhcp_mask_bits(in.mask) > 32))
		abort();
	free(copy);
	return 0;
}
