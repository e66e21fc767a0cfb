/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/base/own.h"
#include "pod-store/places.h"
#include "pod-store/rootfs.h"
#include "pod-store/take.h"
#include "pod-store/transfer.h"
#include "pod-store/whole.h"

/* Where the kernel maps owners they lie on disk as the container's own. */
static const struct owners *
to_undo(const struct owners *map)
{
	return map->shifted ? map : NULL;
}

/* Of a whole copy, in the staging area of the layer to be, which is locked as long as anybody reads it. */
static int
gather(struct conn *c, const struct msg_layer_take *m, struct owners *map, struct err *e)
{
	struct store *s = &c->srv->store;
	struct stage *g = stage_find(&c->stages, m->stage, e);
	own_mem char *image = g != NULL ? rootfs_image(s, m->id, e) : NULL;
	own_fd int below = image != NULL ? rootfs_mount_image(s, image, e) : -1;
	own_fd int root = below != -1 ? rootfs_upper(s, m->id, map, e) : -1;

	return root == -1 ? -1 : whole_changes(g->dir, root, below, map, e);
}

int
take_layer(struct conn *c, uint32_t seq, const struct msg_layer_take *m, struct err *e)
{
	struct store *s = &c->srv->store;
	own_owners struct owners map = {0};
	own_fd int dir = -1, facts = -1;
	struct transfer_source from;

	if (m->squash)
		dir = rootfs_mount_whole(s, m->id, &map, e);
	else if (rootfs_is_whole(s, m->id))
		dir = gather(c, m, &map, e);
	else
		dir = rootfs_upper(s, m->id, &map, e);
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
	if (places_image(s, id, e) != NULL)
		return 1;
	if (e->class != ERR_NOTFOUND)
		return -1;
	err_clear(e);
	return 0;
}

int
take_export(struct conn *c, uint32_t seq, struct msg_rootfs_export *m, struct err *e)
{
	struct store *s = &c->srv->store;
	own_owners struct owners map = {0};
	own_fd int dir = -1, facts = -1, stream = fd_take(&m->stream);
	struct transfer_source from;
	int image = m->dir > 0 ? 0 : is_image(s, m->id, e);

	if (image == -1)
		return -1;
	if (m->dir > 0)
		dir = fd_take(&m->dir);
	else if (m->changes)
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
