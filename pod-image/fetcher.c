/* SPDX-License-Identifier: ISC */
#include "common/base/own.h"
#include "common/role/spawn.h"
#include "pod-image/fetcher.h"

/* Of the process, which carries out one request: no connection may be made beside it. */
static struct rec_tls_details *limits;

void
fetcher_limit(const struct rec_tls_details *details)
{
	static struct arena kept;

	limits = arena_alloc(&kept, sizeof(*limits));
	wire_copy(&rec_tls_details_desc, details, limits, &kept);
}

struct peer *
fetcher_start(struct peer **ready, struct msg_fetch_setup *setup, uint32_t *seq, struct err *e)
{
	struct peer *p = ready != NULL ? ptr_take(ready) : NULL;

	if (p == NULL)
		p = spawn_peer(ROLE_IMAGE, ROLE_FETCH, NULL, e);
	if (p == NULL)
		return NULL;
	setup->details = limits;
	*seq = peer_next_seq(p);
	if (peer_send(p, &msg_fetch_setup_desc, *seq, setup, e) == 0)
		return p;
	peer_free(p);
	return NULL;
}
