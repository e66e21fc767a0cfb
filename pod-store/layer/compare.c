/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/path.h"
#include "common/fs/walk.h"
#include "pod-store/layer/acl.h"
#include "pod-store/layer/compare.h"
#include "pod-store/layer/index.h"
#include "pod-store/layer/nodes.h"
#include "pod-store/layer/result.h"
#include "pod-store/layer/xattr.h"

#define FAULTS_MAX 50
#define CONTENTS_MAX (1ull << 42) /* of all files: a damaged index may say anything */
#define OPAQUE "trusted.overlay.opaque"

struct compare {
	const struct pack *p;
	struct nodes nodes;
	struct strbuf *out;
	int faults;
	bool beyond; /* something lies deeper than a path is long */
};

static void __attribute__((format(printf, 3, 4)))
fault(struct compare *c, const char *path, const char *fmt, ...)
{
	char why[300];
	own_mem char *line = NULL;
	va_list ap;

	if (++c->faults > FAULTS_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	line = c->faults < FAULTS_MAX ? xasprintf("/%s: %s", path, why)
				      : xstrdup("more of its files are not as they were");
	result_add(c->out, "fault", line);
}

/* --- What the stream says ---------------------------------------------------------------------------- */

static int
feed(struct compare *c, struct tar *t, const void *p, size_t n, struct err *e)
{
	tar_feed(t, p, n);
	for (;;) {
		switch (tar_next(t, e)) {
		case TAR_MORE:
		case TAR_END:
			return 0;
		case TAR_ENTRY:
			if (nodes_begin(&c->nodes, tar_entry(t), e) == -1)
				return -1;
			break;
		case TAR_RAW:
		case TAR_DATA:
		case TAR_ENTRY_END:
			break;
		case TAR_BAD:
			return -1;
		}
	}
}

/* Whatever the contents are. */
static int
feed_contents(struct compare *c, struct tar *t, uint64_t n, struct err *e)
{
	static const char zeros[256u << 10];
	int r = 0;

	for (size_t some; n > 0 && r == 0; n -= some) {
		some = n < sizeof(zeros) ? (size_t)n : sizeof(zeros);
		r = feed(c, t, zeros, some, e);
	}
	return r;
}

static int
read_stream(struct compare *c, int index, struct err *e)
{
	struct index_reader *r = index_open(index, e);
	own_tar struct tar *t = tar_new();
	uint64_t contents = 0;
	struct index_record x = {0};
	int got = r == NULL ? -1 : 0;

	while (got == 0 && (got = index_next(r, &x, e)) == 0 && x.kind != INDEX_END) {
		if (x.kind == INDEX_RAW && x.n > 0)
			got = feed(c, t, x.raw, x.n, e);
		else if (x.kind == INDEX_FILE && x.n <= CONTENTS_MAX - contents)
			got = feed_contents(c, t, x.n, e);
		else if (x.kind == INDEX_FILE)
			got = err_set(e, ERR_LIMIT, "the files of the layer are too large");
		contents += x.kind == INDEX_FILE ? x.n : 0;
	}
	index_reader_free(&r);
	return got == -1 ? -1 : feed(c, t, NULL, 0, e);
}

/* --- What is there ----------------------------------------------------------------------------------- */

static bool
is_mapped(const struct pack_ids *v, size_t n, uint32_t id)
{
	for (size_t i = 0; i < n; i++)
		if (id >= v[i].inside && id - v[i].inside < v[i].count)
			return true;
	return n == 0;
}

/* The kernel gives and takes them with and without the ID of a user namespace's root. */
static bool
is_same_capability(const char *a, size_t an, const char *b, size_t bn)
{
	enum { FLAGS = 1, SETS = 16, SIZE = 4 + SETS };

	return an >= SIZE && bn >= SIZE && (a[0] & FLAGS) == (b[0] & FLAGS) &&
	       memcmp(a + 4, b + 4, SETS) == 0;
}

static bool
is_same_xattr(const struct node_xattr *x, const struct tar_xattr *y)
{
	if (text_has_prefix(x->name, "system."))
		return acl_is_same(x->value, x->n, y->value, y->n);
	if (strcmp(x->name, "security.capability") == 0)
		return is_same_capability(x->value, x->n, y->value, y->n);
	return x->n == y->n && memcmp(x->value, y->value, x->n) == 0;
}

/* Some file systems and user namespaces do not take them all. */
static bool
may_be_absent(const struct compare *c, int fd, const struct node_xattr *x)
{
	if (fgetxattr(fd, x->name, NULL, 0) == -1 && errno == ENOTSUP)
		return true;
	return text_has_prefix(x->name, "system.") &&
	       (c->p->uids_n > 0 || acl_is_mode(x->value, x->n));
}

static void
compare_xattrs(struct compare *c, const struct node *n, int fd, const char *path)
{
	struct tar_xattr there[TAR_XATTRS_MAX];
	own_arena struct arena a = {0};
	size_t have = xattr_read(fd, there, &a), known = 0;
	bool opaque = false;

	for (const struct node_xattr *x = n->xattrs; x != NULL; x = x->next) {
		size_t i = 0;

		if (strcmp(x->name, OPAQUE) == 0) {
			opaque = true;
			continue;
		}
		while (i < have && strcmp(there[i].name, x->name) != 0)
			i++;
		known += i < have;
		if (i < have ? !is_same_xattr(x, &there[i]) : !may_be_absent(c, fd, x))
			return fault(c, path, "its extended attribute %.200s %s", x->name,
			    i < have ? "was modified" : "is missing");
	}
	if (n->type == TAR_DIR && pack_is_opaque(c->p, fd, path) != opaque)
		return fault(c, path, "it %s what lower layers have there",
		    opaque ? "no longer hides" : "hides");
	if (known < have && !n->implied)
		fault(c, path, "it has an extended attribute that it did not have");
}

static int
compare_target(struct compare *c, const struct node *n, const struct walk_entry *w, struct err *e)
{
	char target[TAR_PATH_MAX + 1];
	ssize_t len = readlinkat(w->dir, w->name, target, sizeof(target));

	if (len == -1)
		return err_sys(e, "reading link %s", w->path);
	if ((size_t)len != strlen(n->target) || memcmp(target, n->target, (size_t)len) != 0)
		fault(c, w->path, "it leads to something else");
	return 0;
}

/* Did it say so itself already? */
static bool
compare_inode(
    struct compare *c, const struct node *n, const struct stat *st, const char *path, bool acl)
{
	const mode_t mode = nodes_mode(n);

	if ((st->st_mode & S_IFMT) != (mode & S_IFMT) ||
	    ((n->type == TAR_CHAR || n->type == TAR_BLOCKDEV) &&
		st->st_rdev != makedev(n->major, n->minor)))
		fault(c, path, "it is of another type");
	else if (n->implied)
		return false;
	else if ((is_mapped(c->p->uids, c->p->uids_n, n->uid) && st->st_uid != n->uid) ||
		 (is_mapped(c->p->gids, c->p->gids_n, n->gid) && st->st_gid != n->gid))
		fault(c, path, "its owner is %u:%u, not %u:%u", st->st_uid, st->st_gid, n->uid,
		    n->gid);
	/* An access control list has the bits of the group, and may have been more. */
	else if (n->type != TAR_SYMLINK && !acl && st->st_mode != mode)
		fault(c, path, "its mode is %04o, not %04o", st->st_mode & 07777, mode & 07777);
	else if (n->type == TAR_FILE && (uint64_t)st->st_size != n->size)
		fault(c, path, "its size is %lld, not %llu", (long long)st->st_size,
		    (unsigned long long)n->size);
	else
		return false;
	return true;
}

static bool
has_acl(const struct node *n)
{
	const struct node_xattr *x = n->xattrs;

	while (x != NULL && strcmp(x->name, "system.posix_acl_access") != 0)
		x = x->next;
	return x != NULL;
}

static int
compare_one(void *arg, const struct walk_entry *w, struct err *e)
{
	struct compare *c = arg;
	struct node_name *name;
	struct node *n;
	own_fd int fd = -1;

	if (w->beyond) {
		c->beyond = true;
		return 0;
	}
	name = nodes_find(&c->nodes, w->path);
	if (name == NULL) {
		fault(c, w->path, "it does not belong to the layer");
		return WALK_PRUNE;
	}
	name->seen = true;
	n = name->node;
	n->seen = S_ISDIR(w->st.st_mode);
	if (compare_inode(c, n, &w->st, w->path, has_acl(n)))
		return S_ISDIR(w->st.st_mode) && n->type != TAR_DIR ? WALK_PRUNE : 0;
	if (n->type == TAR_SYMLINK)
		return compare_target(c, n, w, e);
	if (n->type != TAR_FILE && n->type != TAR_DIR)
		return 0;
	fd = path_try(w->dir, w->name, PATH_PLAIN, O_RDONLY | O_NONBLOCK, 0);
	if (fd == -1)
		return errno == ENOENT ? 0 : err_sys(e, "opening /%s", w->path);
	compare_xattrs(c, n, fd, w->path);
	return 0;
}

/* --- What is not there -------------------------------------------------------------------------------- */

/* The name of a directory that is not the root. */
static const struct node_name *
name_of(const struct node *dir)
{
	const struct node_name *x = dir->parent->names;

	while (x->node != dir)
		x = x->next;
	return x;
}

static char *
path_of(const struct nodes *t, const struct node_name *n)
{
	char *path = xstrdup(n->text);

	for (const struct node *d = n->dir; d != t->root; d = d->parent) {
		char *longer = xasprintf("%s/%s", name_of(d)->text, path);

		free(path);
		path = longer;
	}
	return path;
}

/* Of what is gone with its directory only that is told; devices are not made everywhere. */
static bool
is_missing(const struct node_name *n)
{
	const struct node *x = n->node;

	if (n->seen || x->type == TAR_BLOCKDEV ||
	    (x->type == TAR_CHAR && (x->major != 0 || x->minor != 0)))
		return false;
	return n->dir->seen;
}

static void
find_missing(struct compare *c)
{
	const struct nodes *t = &c->nodes;

	for (size_t i = 0; i < t->slots && c->faults <= FAULTS_MAX; i++)
		for (const struct node_name *n = t->table[i]; n != NULL; n = n->hashed) {
			own_mem char *path = NULL;

			if (!is_missing(n))
				continue;
			path = path_of(t, n);
			fault(c, path, "it is missing");
		}
}

/* Its mode and owner are those of "/", whatever the stream says. */
static int
compare_root(struct compare *c, struct err *e)
{
	struct node *root = c->nodes.root;
	struct stat st;

	if (fstat(c->p->root, &st) == -1)
		return err_sys(e, "looking at the directory of a layer");
	root->implied = false;
	root->seen = true;
	if (!compare_inode(c, root, &st, "", false))
		compare_xattrs(c, root, c->p->root, "");
	return 0;
}

int
compare_tree(const struct pack *p, int index, struct strbuf *out, struct err *e)
{
	struct compare c = {.p = p, .out = out};
	struct err none = {0};
	int r = 0;

	nodes_init(&c.nodes);
	if (read_stream(&c, index, &none) == 0) {
		r = compare_root(&c, e);
		if (r == 0)
			r = walk_deep(p->root, compare_one, &c, e);
		if (r == 0 && !c.beyond)
			find_missing(&c);
	}
	nodes_free(&c.nodes);
	return r == -1 ? -1 : c.faults;
}
