/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "pod-store/layer/acl.h"
#include "pod-store/layer/name.h"
#include "pod-store/layer/nodes.h"
#include "pod-store/layer/xattr.h"

#define LINKS_FOLLOWED_MAX 40 /* as in the kernel */
#define SLOTS_MIN 1024u

static int
failed(const struct nodes *t, struct err *e, const char *what)
{
	return tar_entry_failed(t->entry, what, e);
}

static int
refused(const struct nodes *t, struct err *e, const char *why)
{
	return tar_entry_refused(t->entry, why, e);
}

static bool
is_whiteout(const struct node *n)
{
	return n->type == TAR_CHAR && n->major == 0 && n->minor == 0;
}

mode_t
nodes_mode(const struct node *n)
{
	static const mode_t types[] = {[TAR_FILE] = S_IFREG,
	    [TAR_DIR] = S_IFDIR,
	    [TAR_CHAR] = S_IFCHR,
	    [TAR_BLOCKDEV] = S_IFBLK,
	    [TAR_FIFO] = S_IFIFO,
	    [TAR_SYMLINK] = S_IFLNK};

	return types[n->type] | n->mode;
}

/* --- Names of directories ---------------------------------------------------------------------------- */

static size_t
slot_of(const struct nodes *t, const struct node *dir, const char *text, size_t len)
{
	uint64_t h = (uint64_t)(uintptr_t)dir * 0x9e3779b97f4a7c15u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)text[i]) * 1099511628211u;
	return (size_t)(h ^ (h >> 32)) & (t->slots - 1);
}

static void
put_in_table(struct nodes *t, struct node_name *n)
{
	size_t i = slot_of(t, n->dir, n->text, n->len);

	n->hashed = t->table[i];
	t->table[i] = n;
}

static void
grow_table(struct nodes *t)
{
	size_t before = t->slots;
	struct node_name **old = t->table;

	t->slots = before == 0 ? SLOTS_MIN : before * 2;
	t->table = xcalloc(t->slots, sizeof(struct node_name *));
	for (size_t i = 0; i < before; i++)
		for (struct node_name *n = old[i], *next; n != NULL; n = next) {
			next = n->hashed;
			put_in_table(t, n);
		}
	free(old);
}

static struct node_name *
find(const struct nodes *t, const struct node *dir, const char *text, size_t len)
{
	struct node_name *n = t->table[slot_of(t, dir, text, len)];

	while (n != NULL && (n->dir != dir || n->len != len || memcmp(n->text, text, len) != 0))
		n = n->hashed;
	return n;
}

struct node_name *
nodes_find(const struct nodes *t, const char *path)
{
	struct node *at = t->root;
	struct node_name *n = NULL;

	for (const char *p = path; *p != '\0';) {
		size_t len = strcspn(p, "/");

		n = at->type == TAR_DIR ? find(t, at, p, len) : NULL;
		if (n == NULL)
			return NULL;
		at = n->node;
		p += len + (p[len] == '/');
	}
	return n;
}

static void
add_name(struct nodes *t, struct node *dir, const char *text, size_t len, struct node *node)
{
	struct node_name *n = arena_alloc(&t->mem, sizeof(*n) + len + 1);

	if (t->used >= t->slots)
		grow_table(t);
	t->used++;
	n->dir = dir;
	n->node = node;
	n->len = (uint16_t)len;
	memcpy(n->text, text, len);
	n->next = dir->names;
	if (n->next != NULL)
		n->next->prev = n;
	dir->names = n;
	dir->nnames++;
	if (node->type == TAR_DIR) {
		node->parent = dir;
		dir->links++;
	} else {
		node->links++;
	}
	put_in_table(t, n);
}

static void
drop_name(struct nodes *t, struct node_name *n)
{
	struct node_name **at = &t->table[slot_of(t, n->dir, n->text, n->len)];

	while (*at != n)
		at = &(*at)->hashed;
	*at = n->hashed;
	t->used--;
	if (n->prev != NULL)
		n->prev->next = n->next;
	else
		n->dir->names = n->next;
	if (n->next != NULL)
		n->next->prev = n->prev;
	n->dir->nnames--;
	if (n->node->type == TAR_DIR)
		n->dir->links--;
	else
		n->node->links--;
}

/* With all that is below it.  Without recursion: links make trees that are deeper than any path. */
static void
remove_name(struct nodes *t, struct node_name *top)
{
	struct node *stop = top->dir, *dir = stop;
	struct node_name *n = top;

	for (;;) {
		while (n->node->type == TAR_DIR && n->node->names != NULL) {
			dir = n->node;
			n = dir->names;
		}
		drop_name(t, n);
		if (n == top)
			return;
		/* Upwards: the emptied directory's own name is found among its parent's. */
		if (dir->names != NULL) {
			n = dir->names;
		} else if (dir == top->node) {
			n = top;
		} else {
			dir = dir->parent;
			n = dir->names;
		}
	}
}

/* --- Making ---------------------------------------------------------------------------------------- */

static struct node *
new_node(struct nodes *t, enum tar_type type)
{
	struct node *n;

	if (t->made >= NODES_MAX) {
		errno = EDQUOT;
		return NULL;
	}
	t->made++;
	n = arena_alloc(&t->mem, sizeof(*n));
	n->type = type;
	n->mode = 0755;
	n->implied = true;
	if (t->entry != NULL)
		n->mtime = t->entry->mtime;
	return n;
}

/* As mkdir(2) below a directory with the set-group-ID bit. */
static struct node *
make_missing(struct nodes *t, struct node *dir, const char *text, size_t len)
{
	struct node *n = new_node(t, TAR_DIR);

	if (n == NULL)
		return NULL;
	if ((dir->mode & S_ISGID) != 0) {
		n->mode |= S_ISGID;
		n->gid = dir->gid;
	}
	add_name(t, dir, text, len, n);
	return n;
}

/* The directory path, links followed below the root; NULL with errno. */
static struct node *
walk(struct nodes *t, const char *path, size_t path_len, bool make)
{
	own_mem char *rest = xstrndup(path, path_len);
	struct node *at = t->root;
	unsigned followed = 0;
	const char *p = rest;

	while (*p != '\0') {
		size_t len = strcspn(p, "/");
		const char *after = p + len + (p[len] == '/');
		struct node_name *n;

		if (len == 2 && memcmp(p, "..", 2) == 0)
			at = at->parent;
		if (len == 0 || (len <= 2 && memcmp(p, "..", len) == 0)) {
			p = after;
			continue;
		}
		/* A link's target may hold what no directory can. */
		if (len > NAME_MAX)
			return errno = ENAMETOOLONG, NULL;
		n = find(t, at, p, len);
		if (n != NULL && n->node->type == TAR_SYMLINK) {
			char *further = xasprintf("%s/%s", n->node->target, after);

			free(rest);
			rest = further;
			p = rest;
			if (*p == '/')
				at = t->root;
			if (++followed > LINKS_FOLLOWED_MAX)
				return errno = ELOOP, NULL;
			continue;
		}
		if (n == NULL && !make)
			return errno = ENOENT, NULL;
		if (n != NULL && n->node->type != TAR_DIR)
			return errno = ENOTDIR, NULL;
		at = n != NULL ? n->node : make_missing(t, at, p, len);
		if (at == NULL)
			return NULL;
		p = after;
	}
	return at;
}

static struct node *
parent(struct nodes *t, bool make, const char **last)
{
	const char *slash = strrchr(t->path, '/');

	*last = slash != NULL ? slash + 1 : t->path;
	return walk(t, t->path, slash != NULL ? (size_t)(slash - t->path) : 0, make);
}

static void
put_xattr(struct nodes *t, struct node *n, const char *name, const char *value, size_t len)
{
	struct node_xattr **at = &n->xattrs;
	char *copy = arena_alloc(&t->mem, len + 1);

	memcpy(copy, value, len);
	while (*at != NULL && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	if (*at == NULL) {
		*at = arena_alloc(&t->mem, sizeof(**at));
		(*at)->name = arena_strdup(&t->mem, name);
	}
	(*at)->value = copy;
	(*at)->n = len;
}

static void
mark_opaque(struct nodes *t, struct node *dir)
{
	put_xattr(t, dir, "trusted.overlay.opaque", "y", 1);
}

static bool
is_wanted(const struct node *n, const struct tar_xattr *a)
{
	if (n->type != TAR_FILE && n->type != TAR_DIR)
		return false;
	if (!xattr_is_kept(a->name))
		return false;
	if (!text_has_prefix(a->name, "system."))
		return true;
	return acl_is_valid(a->value, a->n) &&
	       (n->type == TAR_DIR || strcmp(a->name, "system.posix_acl_default") != 0);
}

/* What the entry says of the file. */
static int
describe(struct nodes *t, struct node *n, struct err *e)
{
	const struct tar_entry *x = t->entry;

	n->implied = false;
	n->mode = x->mode;
	n->uid = x->uid;
	n->gid = x->gid;
	n->mtime = x->mtime;
	n->mtime_ns = x->mtime_ns;
	for (size_t i = 0; i < x->nxattrs; i++) {
		if (!is_wanted(n, &x->xattrs[i])) {
			t->xattrs_skipped++;
			continue;
		}
		if (x->xattrs[i].n > UINT16_MAX || strlen(x->xattrs[i].name) > 255)
			return refused(t, e, "an extended attribute is too long");
		t->xattrs_bytes += x->xattrs[i].n;
		if (t->xattrs_bytes > NODES_XATTRS_MAX)
			return err_set(
			    e, ERR_LIMIT, "the extended attributes of the layer are too large");
		put_xattr(t, n, x->xattrs[i].name, x->xattrs[i].value, x->xattrs[i].n);
	}
	return 0;
}

static struct node *
parent_of(struct nodes *t, const char **last, struct err *e)
{
	struct node *dir = parent(t, true, last);

	if (dir == NULL)
		failed(t, e, "making the directory of");
	return dir;
}

/*
 * The directory for the entry's new file, with its name free.  *white: a whiteout of this layer stood there.
 */
static struct node *
make_room(struct nodes *t, const char **last, bool *white, struct err *e)
{
	struct node *dir = parent_of(t, last, e);
	struct node_name *there;

	*white = false;
	there = dir != NULL ? find(t, dir, *last, strlen(*last)) : NULL;
	if (there == NULL)
		return dir;
	*white = is_whiteout(there->node);
	remove_name(t, there);
	/* A link on the way may be what was taken away. */
	return parent_of(t, last, e);
}

static struct node *
add_node(struct nodes *t, struct node *dir, const char *last, struct err *e)
{
	struct node *n = new_node(t, t->entry->type);

	if (n == NULL) {
		err_set(e, ERR_LIMIT, "the layer has more than %u files", NODES_MAX);
		return NULL;
	}
	add_name(t, dir, last, strlen(last), n);
	return describe(t, n, e) == 0 ? n : NULL;
}

static int
make_file(struct nodes *t, struct err *e)
{
	const char *last;
	bool white;
	struct node *dir = make_room(t, &last, &white, e);

	if (dir == NULL)
		return -1;
	t->file = add_node(t, dir, last, e);
	if (t->file == NULL)
		return -1;
	t->file->size = t->entry->size;
	return 0;
}

static int
make_dir(struct nodes *t, struct err *e)
{
	const char *last;
	struct node *dir = parent_of(t, &last, e), *n;
	struct node_name *there = dir != NULL ? find(t, dir, last, strlen(last)) : NULL;
	bool white;

	if (there != NULL && there->node->type == TAR_DIR)
		return describe(t, there->node, e);
	if (dir == NULL || (dir = make_room(t, &last, &white, e)) == NULL ||
	    (n = add_node(t, dir, last, e)) == NULL)
		return -1;
	if (white)
		mark_opaque(t, n);
	return 0;
}

static int
make_special(struct nodes *t, struct err *e)
{
	const struct tar_entry *x = t->entry;
	const char *last;
	bool white;
	struct node *dir, *n;

	if (x->type == TAR_CHAR && x->major == 0 && x->minor == 0)
		return refused(t, e, "a character device 0:0 would be a forged whiteout");
	if (x->type == TAR_SYMLINK && x->link[0] == '\0')
		return refused(t, e, "a symbolic link without a target");
	dir = make_room(t, &last, &white, e);
	if (dir == NULL || (n = add_node(t, dir, last, e)) == NULL)
		return -1;
	if (x->type == TAR_SYMLINK) {
		n->target = arena_strdup(&t->mem, x->link);
		n->mode = 0777;
	} else if (x->type != TAR_FIFO) {
		n->major = x->major;
		n->minor = x->minor;
	}
	return 0;
}

static int
make_hardlink(struct nodes *t, struct err *e)
{
	char path[TAR_PATH_MAX + 1];
	struct node_name *there;
	struct node *target, *dir;
	const char *last;
	bool white;

	if (name_plain_link(t->entry->link, path) == -1)
		return refused(t, e, "a hard link out of the layer");
	if (strcmp(path, t->path) == 0)
		return refused(t, e, "a hard link to itself");
	there = nodes_find(t, path);
	target = there != NULL ? there->node : NULL;
	if (target == NULL || is_whiteout(target))
		return refused(t, e, "a hard link to a file that is not in the layer");
	if (target->type == TAR_DIR)
		return refused(t, e, "a hard link to a directory");
	dir = make_room(t, &last, &white, e);
	if (dir == NULL)
		return -1;
	there = nodes_find(t, path);
	if (there == NULL || there->node != target) {
		errno = ENOENT;
		return failed(t, e, "linking");
	}
	add_name(t, dir, last, strlen(last), target);
	return 0;
}

/* --- Whiteouts ------------------------------------------------------------------------------------- */

static int
make_whiteout(struct nodes *t, struct err *e)
{
	const char *last;
	struct node *dir = parent(t, true, &last), *n;
	struct node_name *there;

	/* What it was in is a whiteout itself: nothing below it is seen anyway. */
	if (dir == NULL)
		return errno == ENOTDIR ? 0 : failed(t, e, "making the directory of");
	there = find(t, dir, last, strlen(last));
	if (there == NULL) {
		n = new_node(t, TAR_CHAR);
		if (n == NULL)
			return failed(t, e, "making the whiteout for");
		n->mode = 0;
		add_name(t, dir, last, strlen(last), n);
	} else if (there->node->type == TAR_DIR) {
		/* A whiteout is about lower layers, never about its own: what stands there hides them. */
		mark_opaque(t, there->node);
	}
	return 0;
}

static int
make_opaque(struct nodes *t, struct err *e)
{
	struct node *dir = walk(t, t->path, strlen(t->path), true);

	if (dir == NULL)
		return errno == ENOTDIR ? 0 : failed(t, e, "making the directory of");
	mark_opaque(t, dir);
	return 0;
}

/* A real entry below a whiteout of this layer: the whiteout becomes an opaque directory. */
static int
open_whiteouts(struct nodes *t, struct err *e)
{
	for (const char *slash = strchr(t->path, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		size_t len = (size_t)(slash - t->path);
		const char *last = slash;
		struct node *dir, *n;
		struct node_name *there;

		while (last > t->path && last[-1] != '/')
			last--;
		dir = walk(t, t->path, last > t->path ? (size_t)(last - t->path) - 1 : 0, false);
		there = dir != NULL ? find(t, dir, last, len - (size_t)(last - t->path)) : NULL;
		if (there == NULL)
			return 0;
		if (!is_whiteout(there->node))
			continue;
		drop_name(t, there);
		n = make_missing(t, dir, there->text, there->len);
		if (n == NULL)
			return failed(t, e, "making the directory of");
		mark_opaque(t, n);
	}
	return 0;
}

static int
make_ordinary(struct nodes *t, struct err *e)
{
	static int (*const make[])(struct nodes *, struct err *) = {
	    [TAR_FILE] = make_file,
	    [TAR_HARDLINK] = make_hardlink,
	    [TAR_SYMLINK] = make_special,
	    [TAR_CHAR] = make_special,
	    [TAR_BLOCKDEV] = make_special,
	    [TAR_DIR] = make_dir,
	    [TAR_FIFO] = make_special,
	};
	const char *last;

	if (parent(t, true, &last) == NULL && errno == ENOTDIR && open_whiteouts(t, e) == -1)
		return -1;
	return make[t->entry->type](t, e);
}

int
nodes_begin(struct nodes *t, const struct tar_entry *entry, struct err *e)
{
	t->entry = entry;
	t->file = NULL;
	/* A name that comes again takes memory again. */
	if (++t->entries > NODES_MAX)
		return err_set(e, ERR_LIMIT, "the layer has more than %u files", NODES_MAX);
	switch (name_plain(entry->name, t->path)) {
	case NAME_ROOT: /* the store's own directory keeps its owner and mode */
	case NAME_IGNORED:
		return 0;
	case NAME_BAD:
		return refused(t, e, "a component of the name is too long or a whiteout");
	case NAME_WHITE:
		return make_whiteout(t, e);
	case NAME_OPAQUE:
		return make_opaque(t, e);
	case NAME_ORDINARY:
		break;
	}
	return make_ordinary(t, e);
}

int
nodes_data(struct nodes *t, uint64_t at, uint64_t from, size_t n, struct err *e)
{
	struct node *f = t->file;
	struct node_piece *last;

	if (f == NULL)
		return 0;
	t->bytes += n;
	last = f->npieces > 0 ? &t->pieces[t->npieces - 1] : NULL;
	if (last != NULL && last->at + last->n == at && last->from + last->n == from) {
		last->n += n;
		return 0;
	}
	if (t->npieces >= NODES_MAX)
		return err_set(e, ERR_LIMIT, "the files of the layer are in too many pieces");
	t->pieces = mem_grow(t->pieces, &t->pieces_cap, t->npieces + 1, sizeof(*t->pieces));
	if (f->npieces++ == 0)
		f->piece = t->npieces;
	t->pieces[t->npieces++] = (struct node_piece){.at = at, .from = from, .n = n};
	return 0;
}

void
nodes_init(struct nodes *t)
{
	*t = (struct nodes){0};
	grow_table(t);
	t->root = new_node(t, TAR_DIR);
	t->root->parent = t->root;
}

void
nodes_free(struct nodes *t)
{
	arena_free(&t->mem);
	free(t->table);
	free(t->pieces);
	*t = (struct nodes){0};
}
