/* SPDX-License-Identifier: ISC */
/* A query of a container, answered from a zone; and the same bytes as another server's answer. */
// objs: pod-net/dns/message.o pod-net/dns/answer.o pod-net/dns/zone.o pod-net/addr.o
#include <stdlib.h>
#include <string.h>

#include "pod-net/dns/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char text[] = "10.9.0.1,fd00::1\nc1 10.9.0.2 fd00::2 c1,web 9.9.9.9\nc2 10.9.0.3  c2\n";
	uint8_t out[DNS_UDP_MAX];
	struct zone z = {0};
	struct answer a = {0};
	enum dns_rcode rcode;

	zone_add(&z, "n1", text);
	zone_finish(&z);
	struct answer_request r = {
	    .zone = &z, .network = &z.networks[0], .forwards = true, .p = data, .n = n};
	addr_parse("10.9.0.2", &r.client);
	answer_make(&r, &a, out, sizeof(out));
	if (a.kind == ANSWER_READY && a.n > (a.query.question_end ? a.query.udp_size : sizeof(out)))
		abort();
	if (a.kind == ANSWER_FORWARD)
		dns_is_answer(data, n, 1, data, a.query.question_end, &rcode);
	zone_free(&z);
	return 0;
}
