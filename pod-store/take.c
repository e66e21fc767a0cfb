/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/base/own.h"
#include "pod-store/image.h"
#include "pod-store/rootfs.h"
#include "pod-store/take.h"
#include "pod-store/transfer.h"

/* Where the kernel maps owners they lie on disk as the container's own. */
static const struct owners *
to_undo(const struct owners *map)
{
	return map->shifted ? map : NULL;
}

int
take_layer(struct conn *c, uint32_t seq, const struct msg_layer_take *m, struct err *e)
{
	struct store *s = &c->srv->store;
	own_owners struct owners map = {0};
	own_fd int dir = -1, facts = -1;
	struct transfer_source from;

	dir = m->squash ? rootfs_mount_whole(s, m->id, &map, e) : rootfs_upper(s, m->id, &map, e);
	if (dir == -1)
		return -1;
	/* Overlay shows no marks of its own. */
	facts = transfer_facts(m->squash ? -1 : dir, &m->skip, to_undo(&map), e);
	if (facts == -1)
		return -1;
	from = (struct transfer_source){dir, facts};
	return transfer_take(c, seq, m->stage, &from, e);
}

/* 1: an image; 0: none; -1. */
static int
is_image(struct store *s, const char *id, struct err *e)
{
	sqlite3_stmt *q = db_query(&s->db, SQL_IMAGE_TOP, e, "t", id);
	int r = db_step(&s->db, q, e);

	if (r == 1)
		db_done(q);
	return r;
}

int
take_export(struct conn *c, uint32_t seq, struct msg_rootfs_export *m, struct err *e)
{
	struct store *s = &c->srv->store;
	own_owners struct owners map = {0};
	own_fd int dir = -1, facts = -1, stream = fd_take(&m->stream);
	struct transfer_source from;
	int image = is_image(s, m->id, e);

	if (image == -1)
		return -1;
	if (m->changes)
		dir = rootfs_upper(s, m->id, &map, e);
	else
		dir =
		    image ? rootfs_mount_image(s, m->id, e) : rootfs_mount_whole(s, m->id, &map, e);
	if (dir == -1)
		return -1;
	facts = m->changes ? transfer_facts_plain(to_undo(&map), e)
			   : transfer_facts(-1, NULL, to_undo(&map), e);
	if (facts == -1)
		return -1;
	from = (struct transfer_source){dir, facts};
	return transfer_export(c, seq, stream, &from, e);
}
