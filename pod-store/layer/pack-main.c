/* SPDX-License-Identifier: ISC */
/*
 * pod-store-pack: writes the tar stream of the one directory it is given (descriptor 4) to standard
 * output: the exact stream it was unpacked from if its index is descriptor 5, else a fresh one.
 * Descriptor 6, if open, tells more, in lines as of results (result.h):
 *	opaque PATH			a directory that hides what is below it (opaque_list)
 *	skip PATH			left out if it is an empty file
 *	plain yes			whiteouts and marks of opaque directories are left out
 *	uid|gid INSIDE OUTSIDE COUNT	owners to be written as others
 * The result goes to descriptor 7, or to standard error if that is not open.
 * Mode "check": the files are compared with what the index says of them, see compare.h; the stream is written only if
 * they are what they were.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/file.h"
#include "common/role/role.h"
#include "pod-store/layer/compare.h"
#include "pod-store/layer/opaque.h"
#include "pod-store/layer/pack.h"
#include "pod-store/layer/result.h"

#define INDEX_FD 5
#define FACTS_FD 6
#define RESULT_FD 7
#define IDS_MAX 340 /* what the kernel takes */

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) != -1;
}

struct facts {
	struct strbuf opaque, skip;
	bool plain;
	struct pack_ids uids[IDS_MAX], gids[IDS_MAX];
	size_t uids_n, gids_n;
};

static int
read_ids(const char *text, struct pack_ids *v, size_t *n, struct err *e)
{
	unsigned long long inside, outside, count;

	if (*n == IDS_MAX || sscanf(text, "%llu %llu %llu", &inside, &outside, &count) != 3)
		return err_set(e, ERR_FORMAT, "a line of the ID map is malformed");
	v[(*n)++] = (struct pack_ids){inside, outside, count};
	return 0;
}

/* A line of /proc/self/uid_map is such a line, too. */
static int
read_map(const char *path, struct pack_ids *v, size_t *n, struct err *e)
{
	own_file FILE *f = fopen(path, "re");
	char line[100];

	if (f == NULL)
		return err_sys(e, "opening %s", path);
	while (fgets(line, sizeof(line), f) != NULL)
		if (read_ids(line, v, n, e) == -1)
			return -1;
	return 0;
}

/* While they can be opened. */
static int
read_maps(struct facts *f, struct err *e)
{
	return !opaque_in_user() || (read_map("/proc/self/uid_map", f->uids, &f->uids_n, e) == 0 &&
					read_map("/proc/self/gid_map", f->gids, &f->gids_n, e) == 0)
		   ? 0
		   : -1;
}

static int
read_fact(struct facts *f, const struct result_field *x, struct err *e)
{
	if (strcmp(x->key, "opaque") == 0)
		strbuf_addn(&f->opaque, x->value, strlen(x->value) + 1);
	else if (strcmp(x->key, "skip") == 0)
		strbuf_addn(&f->skip, x->value, strlen(x->value) + 1);
	else if (strcmp(x->key, "plain") == 0)
		f->plain = true;
	else if (strcmp(x->key, "uid") == 0)
		return read_ids(x->value, f->uids, &f->uids_n, e);
	else if (strcmp(x->key, "gid") == 0)
		return read_ids(x->value, f->gids, &f->gids_n, e);
	return 0;
}

/* Reads the list, which has no "end" line while it is a file of lines alone. */
static int
read_facts(struct facts *f, struct err *e)
{
	own_result struct result r = {0};
	own_strbuf struct strbuf text = {0};
	own_mem char *s = NULL;
	size_t n;

	if (file_slurp(FACTS_FD, RESULT_MAX, "what is known of the directory", &s, &n, e) == -1)
		return -1;
	strbuf_addn(&text, s, n);
	strbuf_add(&text, "end\n");
	if (result_parse(text.s, text.n, &r, e) == -1)
		return -1;
	for (size_t i = 0; i < r.n; i++)
		if (read_fact(f, &r.v[i], e) == -1)
			return -1;
	return 0;
}

static void
use_facts(struct pack *p, const struct facts *f)
{
	p->opaque = f->opaque.s;
	p->opaque_n = f->opaque.n;
	p->skip = f->skip.s;
	p->skip_n = f->skip.n;
	p->plain = f->plain;
	p->uids = f->uids;
	p->uids_n = f->uids_n;
	p->gids = f->gids;
	p->gids_n = f->gids_n;
}

static int
pack_checked(struct pack *p, struct strbuf *out, struct err *e)
{
	int faults = compare_tree(p, INDEX_FD, out, e);

	if (faults != 0)
		return faults == -1 ? -1 : 0;
	if (lseek(INDEX_FD, 0, SEEK_SET) == -1)
		return err_sys(e, "reading the index of a layer again");
	return pack_exact(p, INDEX_FD, e);
}

static int
run(int argc, char **argv, struct strbuf *out, struct err *e)
{
	const bool indexed = is_open(INDEX_FD), listed = is_open(FACTS_FD);
	const bool check = indexed && argc == 2 && strcmp(argv[1], "check") == 0;
	struct facts facts = {0};
	struct pack p = {.out = STDOUT_FILENO};
	own_fd int root = -1;
	int keep[4] = {ROLE_VIEW_FD_NUMBER}, got;
	size_t n = 1;

	if (!is_open(ROLE_VIEW_FD_NUMBER))
		return err_set(e, ERR_USAGE, "descriptor 4 must be the directory to pack");
	if (indexed)
		keep[n++] = INDEX_FD;
	if (listed)
		keep[n++] = FACTS_FD;
	if (is_open(RESULT_FD))
		keep[n++] = RESULT_FD;
	if ((check && read_maps(&facts, e) == -1) || role_enter(ROLE_PACK, keep, n, e) == -1)
		return -1;
	root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root == -1)
		return err_sys(e, "opening the directory to pack");
	p.root = root;
	got = listed ? read_facts(&facts, e) : 0;
	use_facts(&p, &facts);
	if (got == 0)
		got = check	? pack_checked(&p, out, e)
		      : indexed ? pack_exact(&p, INDEX_FD, e)
				: pack_fresh(&p, e);
	pack_free(&p);
	strbuf_free(&facts.opaque);
	strbuf_free(&facts.skip);
	if (got == -1)
		return -1;
	result_add_u64(out, "entries", p.entries);
	result_add_u64(out, "bytes", p.bytes);
	result_add_u64(out, "changed", p.changed);
	result_add_u64(out, "sockets_skipped", p.sockets_skipped);
	return 0;
}

int
main(int argc, char **argv)
{
	return result_main(run, argc, argv, is_open(RESULT_FD) ? RESULT_FD : STDERR_FILENO);
}
