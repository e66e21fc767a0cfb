/* SPDX-License-Identifier: ISC */
// objs: pod-store/db.o pod-store/store.o pod-store/volume_place.o pod-store/places.o pod-store/options.o pod-store/adopt.o pod-store/bring.o pod-store/made.o pod-store/quota.o pod-store/whole.o pod-store/driver.o pod-store/overlay.o pod-store/fuse.o pod-store/layout.o pod-store/erofs_mount.o pod-store/fsapi.o pod-store/layer/erofs.o pod-store/layer/nodes.o pod-store/layer/name.o pod-store/layer/acl.o pod-store/layer/xattr.o pod-store/layer.o pod-store/layer_id.o pod-store/theirs.o pod-store/below.o pod-store/image.o pod-store/naming.o pod-store/artifacts.o pod-store/remove.o pod-store/stage.o pod-store/flush.o pod-store/unwritten.o pod-store/check.o pod-store/check_blobs.o pod-store/verify.o pod-store/transfer.o pod-store/blob.o pod-store/job.o pod-store/take.o pod-store/list.o pod-store/partial.o pod-store/commit.o pod-store/mountpoints.o pod-store/rootfs.o pod-store/owners.o pod-store/variant.o pod-store/attach.o pod-store/user.o pod-store/volume.o pod-store/copy.o pod-store/sweep.o pod-store/diff.o pod-store/layer/result.o pod-store/layer/opaque.o
// objs: pod-store/layer/tar.o pod-store/layer/tarpax.o pod-store/layer/tarhdr.o pod-store/layer/sparse.o
// libs: -lsqlite3 -lmsgpackc -levent_core
#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/file.h"
#include "common/fs/path.h"
#include "pod-store/below.h"
#include "pod-store/diff.h"
#include "pod-store/image.h"
#include "pod-store/layer.h"
#include "pod-store/naming.h"
#include "pod-store/overlay.h"
#include "pod-store/remove.h"
#include "pod-store/rootfs.h"
#include "pod-store/stage.h"
#include "pod-store/sweep.h"
#include "pod-store/volume.h"

static char root[64];
static struct store s;
static struct err e;

static int
unlink_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

static void
setup(void)
{
	snprintf(root, sizeof(root), "/tmp/test-store.XXXXXX");
	cr_assert_not_null(mkdtemp(root));
	cr_assert_eq(store_open(&s, root, &e), 0, "%s", e.text);
}

static void
teardown(void)
{
	store_close(&s);
	nftw(root, unlink_one, 32, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

TestSuite(store, .init = setup, .fini = teardown, .timeout = 60);

static bool
may_mount(void)
{
	return geteuid() == 0;
}

static void
put_file(int dir, const char *name, const char *text)
{
	cr_assert_eq(file_write(dir, name, text, strlen(text), 0644, 0, &e), 0, "%s", e.text);
}

static void
put_link(const char *target, int dir, const char *name)
{
	cr_assert_eq(symlinkat(target, dir, name), 0);
}

static char *
get_file(int dir, const char *name)
{
	char *text;
	size_t n;

	if (file_read(dir, name, 1 << 20, &text, &n, &e) == -1)
		return NULL;
	return text;
}

/* A finished layer in the area, as transfer.c leaves it; its content is up to the caller. */
static int
stage_one(struct stage *g, char digit, char diff_id[80])
{
	struct stage_place place;
	size_t at;

	cr_assert_eq(stage_layer(g, LAYOUT_DIR, &at, &place, &e), 0, "%s", e.text);
	close(place.index);
	memset(g->layers[at].diff_hex, digit, 64);
	g->layers[at].diff_hex[64] = '\0';
	g->layers[at].tar_size = 1000;
	snprintf(diff_id, 80, "sha256:%s", g->layers[at].diff_hex);
	return place.content;
}

/* An image of layers named by one digit each; those in the store already are not brought again. */
static int
make_image(const char *layers, size_t steps, const char *name, char id[SHA256_HEX])
{
	static char diff_ids[16][80];
	struct stages all = {0};
	struct stage *g = stage_begin(&s, &all, &e);
	struct rec_layer_ref refs[16] = {0};
	struct rec_history history[16] = {0};
	const char *list[16], *names[] = {name};
	struct rec_image_config parsed = {.created = "2026-01-02T03:04:05Z"};
	char config[256], parent[SHA256_HEX], layer[SHA256_HEX] = "";
	struct msg_image_commit m = {.parsed = &parsed, .names = {names, name != NULL}};
	int r;

	cr_assert_not_null(g, "%s", e.text);
	for (size_t i = 0; i < strlen(layers); i++) {
		snprintf(diff_ids[i], 80, "sha256:%064d", 0);
		memset(diff_ids[i] + 7, layers[i], 64);
		memcpy(parent, layer, sizeof(parent));
		layer_id(parent, diff_ids[i] + 7, layer);
		if (layer_present(&s, layer, &e) == 0) {
			own_fd int diff = stage_one(g, layers[i], diff_ids[i]);
			char file[2] = {layers[i], '\0'};

			put_file(diff, file, "content");
			put_file(diff, "top", file);
		}
		list[i] = refs[i].diff_id = diff_ids[i];
	}
	for (size_t i = 0; i < steps; i++)
		history[i].created_by = "step";
	snprintf(config, sizeof(config), "%s-%zu", layers, steps);
	parsed.diff_ids = (struct strs){list, strlen(layers)};
	parsed.history.v = history;
	parsed.history.n = steps;
	m.layers.v = refs;
	m.layers.n = strlen(layers);
	m.config = (struct bytes){(const uint8_t *)config, strlen(config)};
	m.manifest = m.config;
	r = stage_commit(&s, g, &m, id, &e);
	stage_end_all(&s, &all);
	return r;
}

static char *
find(const char *text)
{
	own_naming_match struct naming_match m = {0};

	return naming_find(&s, text, NULL, &m, &e) == 0 ? xstrdup(m.id) : NULL;
}

Test(store, layer_ids_are_those_of_the_containers_library)
{
	char a[65], b[65], id[SHA256_HEX];

	memset(a, 'a', 64);
	memset(b, 'b', 64);
	a[64] = b[64] = '\0';
	layer_id(NULL, a, id);
	cr_assert_str_eq(id, a);
	/* printf '%s+%s' aaa… bbb… | sha256sum */
	layer_id(a, b, id);
	cr_assert_str_eq(id, "76f79efda453922cda1cecb6ec9e7cf9d86ea968c6dd199d4030dd00078a1686");
}

Test(store, opens_again_and_refuses_a_newer_one)
{
	store_close(&s);
	cr_assert_eq(store_open(&s, root, &e), 0, "%s", e.text);
	sqlite3_exec(s.db.h, "PRAGMA user_version=99", NULL, NULL, NULL);
	store_close(&s);
	cr_assert_eq(store_open(&s, root, &e), -1);
	cr_assert_eq(e.class, ERR_UNSUPPORTED);
	cr_assert_eq(store_open(&s, "relative", &e), -1);
}

Test(store, brings_an_older_index_up_to_date)
{
	char id[SHA256_HEX];
	own_arena struct arena a = {0};
	struct rec_image im;

	cr_assert_eq(make_image("12", 2, "quay.io/ns/app:1", id), 0, "%s", e.text);
	sqlite3_exec(s.db.h,
	    "DROP TABLE past_name; DROP TABLE signature; DROP TABLE unwritten; "
	    "PRAGMA user_version=1",
	    NULL, NULL, NULL);
	store_close(&s);
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(store_open(&s, root, &e), 0, "%s", e.text);
		cr_assert_eq(image_load(&s, id, IMAGE_PAST, &im, &a, &e), 1, "%s", e.text);
		cr_assert_eq(im.past_names.n, 1);
		cr_assert_str_eq(im.past_names.v[0], "quay.io/ns/app:1");
		if (i == 0)
			store_close(&s);
	}
}

Test(store, commits_and_finds)
{
	char id[SHA256_HEX], other[SHA256_HEX], digest[80];
	own_mem char *found = NULL;

	cr_assert_eq(make_image("12", 2, "quay.io/ns/app:1", id), 0, "%s", e.text);
	cr_assert_eq(make_image("13", 2, "localhost/app:1", other), 0, "%s", e.text);
	static const char *const good[] = {"quay.io/ns/app:1", "ns/app:1"};
	for (size_t i = 0; i < 2; i++) {
		own_mem char *got = find(good[i]);

		cr_assert_str_eq(got, id);
	}
	found = find("app:1");
	cr_assert_str_eq(found, other, "localhost/ comes before any registry");
	snprintf(digest, sizeof(digest), "x/y@sha256:%s", id);
	own_mem char *by_digest = find(digest);
	cr_assert_str_eq(by_digest, id, "the manifest is the same text here");
	id[12] = '\0';
	own_mem char *by_prefix = find(id);
	cr_assert_eq(strncmp(by_prefix, id, 12), 0);
	cr_assert_null(find("nosuch"));
	cr_assert_str_eq(e.text, "nosuch: image not known");
	cr_assert_null(find(""));
	cr_assert_null(find("app:2"));
	cr_assert_null(find("pp:1"), "a suffix begins at a slash");
}

Test(store, layers_must_be_those_of_the_configuration)
{
	struct stages all = {0};
	struct stage *g = stage_begin(&s, &all, &e);
	char diff_id[80], id[SHA256_HEX];
	own_fd int diff = stage_one(g, '4', diff_id);
	const char *wrong[] = {
	    "sha256:5555555555555555555555555555555555555555555555555555555555555555"};
	struct rec_layer_ref ref = {.diff_id = diff_id};
	struct rec_image_config parsed = {.diff_ids = {wrong, 1}};
	struct msg_image_commit m = {.parsed = &parsed, .layers = {&ref, 1}};

	cr_assert_eq(stage_commit(&s, g, &m, id, &e), -1);
	cr_assert_eq(e.class, ERR_INTEGRITY);
	parsed.diff_ids.n = 0;
	cr_assert_eq(stage_commit(&s, g, &m, id, &e), -1);
	ref.diff_id = wrong[0];
	parsed.diff_ids.n = 1;
	cr_assert_eq(stage_commit(&s, g, &m, id, &e), -1, "the layer was never brought");
	cr_assert_eq(e.class, ERR_STATE);
	stage_end_all(&s, &all);
}

Test(store, a_name_moves_and_leaves_a_nameless_image)
{
	char a[SHA256_HEX], b[SHA256_HEX];
	own_arena struct arena mem = {0};
	struct rec_image im;

	cr_assert_eq(make_image("1", 1, "localhost/x:1", a), 0);
	cr_assert_eq(make_image("2", 1, "localhost/x:1", b), 0);
	own_mem char *now = find("x:1");
	cr_assert_str_eq(now, b);
	cr_assert_eq(image_load(&s, a, IMAGE_LAYERS, &im, &mem, &e), 1);
	cr_assert_eq(im.names.n, 0);
	cr_assert_eq(im.layers.n, 1);
	cr_assert_eq(im.created_ns, 1767323045000000000);
}

static size_t
count_dirs(const char *path)
{
	own_fd int fd = store_dir(&s, path, &e);
	struct stat st;

	cr_assert_eq(fstat(fd, &st), 0);
	return st.st_nlink - 2;
}

Test(store, removal_keeps_shared_layers_and_takes_nameless_parents)
{
	char base[SHA256_HEX], mid[SHA256_HEX], top[SHA256_HEX];
	own_removed struct removed gone = {0};
	struct msg_image_remove m = {.image = "localhost/top:1"};

	cr_assert_eq(make_image("1", 1, "localhost/base:1", base), 0);
	cr_assert_eq(make_image("12", 2, NULL, mid), 0);
	cr_assert_eq(make_image("123", 3, "localhost/top:1", top), 0);
	cr_assert_eq(count_dirs("layers"), 3);
	cr_assert_eq(remove_image(&s, &m, &gone, &e), 0, "%s", e.text);
	cr_assert_eq(gone.untagged.n, 1);
	cr_assert_eq(gone.deleted.n, 2, "the nameless parent goes, the named one stays");
	cr_assert_str_eq(gone.deleted.v[1], mid);
	cr_assert_eq(count_dirs("layers"), 1);
	cr_assert_eq(store_clean(&s, true, &e), 0, "%s", e.text);
	cr_assert_eq(count_dirs("trash"), 0);
}

Test(store, intermediate_images_are_not_listed)
{
	char id[SHA256_HEX];
	own_arena struct arena a = {0};
	struct msg_image_listed l;

	cr_assert_eq(make_image("1", 1, NULL, id), 0);
	cr_assert_eq(make_image("12", 2, "localhost/top:1", id), 0);
	cr_assert_eq(make_image("9", 1, NULL, id), 0);
	cr_assert_eq(image_list(&s, false, 0, &l, &a, &e), 0);
	cr_assert_eq(l.images.n, 2);
	cr_assert_eq(image_list(&s, true, IMAGE_USERS | IMAGE_CONFIG, &l, &a, &e), 0);
	cr_assert_eq(l.images.n, 3);
}

Test(store, untag_and_repository_digests)
{
	char id[SHA256_HEX];
	own_arena struct arena a = {0};
	struct rec_image im;
	const char *names[] = {"quay.io/a/b:2"}, *one[] = {"quay.io/a/b:1"};
	struct msg_image_tag tag = {.image = "localhost/x:1", .names = {names, 1}};
	struct msg_image_untag untag = {.image = "localhost/x:1", .names = {one, 1}};

	cr_assert_eq(make_image("1", 1, "localhost/x:1", id), 0);
	cr_assert_eq(remove_tag(&s, &tag, &e), 0);
	cr_assert_eq(image_load(&s, id, 0, &im, &a, &e), 1);
	cr_assert_eq(im.names.n, 2);
	cr_assert_eq(im.repo_digests.n, 2);
	cr_assert(strncmp(im.repo_digests.v[1], "quay.io/a/b@sha256:", 19) == 0);
	cr_assert_eq(remove_untag(&s, &untag, &e), -1);
	untag.names.n = 0;
	cr_assert_eq(remove_untag(&s, &untag, &e), 0, "%s", e.text);
	cr_assert_eq(image_load(&s, id, 0, &im, &a, &e), 1);
	cr_assert_eq(im.names.n, 0);
	cr_assert_eq(im.repo_digests.n, 0);
}

Test(store, sweep_takes_what_has_no_row)
{
	own_fd int tmp = -1;
	struct msg_store_sweep m = {0};
	struct msg_store_swept out;
	char id[SHA256_HEX];

	cr_assert_eq(make_image("1", 1, "localhost/x:1", id), 0);
	mkdirat(s.dir, "layers/orphan", 0700);
	mkdirat(s.dir, "tmp/dead", 0700);
	mkdirat(s.dir, "rw/c1", 0700);
	mkdirat(s.dir, "volumes/v", 0700);
	cr_assert_eq(sweep_store(&s, &m, &out, &e), 0, "%s", e.text);
	cr_assert_eq(count_dirs("layers"), 1);
	cr_assert_eq(count_dirs("tmp"), 0);
	cr_assert_eq(count_dirs("volumes"), 0);
	cr_assert_eq(count_dirs("rw"), 1, "nobody said which containers there are");
	m.rootfs = true;
	cr_assert_eq(sweep_store(&s, &m, &out, &e), 0);
	cr_assert_eq(count_dirs("rw"), 0);
}

/* --- Mounts --------------------------------------------------------------------------------------- */

Test(store, every_way_to_mount)
{
	struct overlay o = {.base = root, .empty = "empty", .rw = "rw/c"};
	const char *lower[] = {"layers/a", "layers/b"};

	if (!may_mount())
		cr_skip_test("needs privilege");
	o.lower = lower;
	for (enum overlay_way w = OVERLAY_FDS; w < OVERLAY_WAYS; w++) {
		for (size_t n = 0; n <= 2; n++) {
			own_fd int a = -1, b = -1, m = -1;
			own_mem char *text = NULL;

			mkdirat(s.dir, "layers/a", 0755);
			mkdirat(s.dir, "layers/b", 0755);
			mkdirat(s.dir, "rw/c", 0755);
			mkdirat(s.dir, "rw/c/upper", 0755);
			mkdirat(s.dir, "rw/c/work", 0755);
			a = store_dir(&s, "layers/a", &e);
			b = store_dir(&s, "layers/b", &e);
			put_file(a, "f", "a");
			put_file(b, "f", "b");
			o.n = n;
			o.rw = "rw/c";
			o.volatile_ = true;
			/* Twice: a volatile one leaves a mark that must be taken away. */
			for (int i = 0; i < 2; i++) {
				fd_close(&m);
				m = overlay_mount_by(w, &o, &e);
				cr_assert_geq(m, 0, "way %d, %zu layers: %s", w, n, e.text);
				put_file(m, "new", "x");
			}
			if (n > 0) {
				text = get_file(m, "f");
				cr_assert_str_eq(text, n == 2 ? "b" : "a");
			}
			fd_close(&m);
			o.rw = NULL;
			m = overlay_mount_by(w, &o, &e);
			cr_assert_geq(m, 0, "way %d, %zu layers: %s", w, n, e.text);
			cr_assert_eq(openat(m, "x", O_CREAT | O_WRONLY, 0600), -1);
			cr_assert_eq(errno, EROFS);
		}
	}
}

Test(store, five_hundred_layers)
{
	own_strv struct strv names = {0};
	struct overlay o = {.base = root, .empty = "empty"};

	if (!may_mount())
		cr_skip_test("needs privilege");
	for (int i = 0; i < 501; i++) {
		strv_addf(&names, "layers/%064d", i);
		mkdirat(s.dir, names.v[i], 0755);
	}
	o.lower = (const char *const *)names.v;
	for (enum overlay_way w = OVERLAY_FDS; w < OVERLAY_WAYS; w++) {
		own_fd int m = -1;

		o.n = 500;
		m = overlay_mount_by(w, &o, &e);
		cr_assert_geq(m, 0, "way %d: %s", w, e.text);
		o.n = 501;
		cr_assert_eq(overlay_mount_by(w, &o, &e), -1);
		cr_assert_eq(e.class, ERR_LIMIT);
	}
}

/* --- Root file systems ---------------------------------------------------------------------------- */

static char image[SHA256_HEX];
static struct arena mem;

/* An image with etc/passwd, a directory data with a file, and links that lead astray. */
static void
make_base(void)
{
	char diff_id[80];
	struct stages all = {0};
	struct stage *g = stage_begin(&s, &all, &e);
	own_fd int diff = stage_one(g, '7', diff_id), data = -1;
	const char *list[] = {diff_id}, *names[] = {"localhost/base:1"};
	struct rec_layer_ref ref = {.diff_id = diff_id};
	struct rec_image_config parsed = {.diff_ids = {list, 1}};
	struct msg_image_commit m = {.parsed = &parsed, .layers = {&ref, 1}, .names = {names, 1}};

	mkdirat(diff, "etc", 0755);
	put_file(
	    diff, "etc/passwd", "root:x:0:0:r:/root:/bin/sh\nal:x:1000:1000::/home/al:/bin/sh\n");
	put_file(diff, "etc/group", "root:x:0:\nwheel:x:10:al\n");
	mkdirat(diff, "data", 0750);
	data = openat(diff, "data", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	put_file(data, "seed", "from the image");
	put_link("/etc/passwd", data, "link");
	mkdirat(data, "sub", 0700);
	cr_assert_eq(fchownat(diff, "data", 5, 6, 0), 0);
	put_link("/tmp", diff, "out");
	put_link("../../../../../../tmp/test-store-made", diff, "dangling");
	put_file(diff, "file", "");
	cr_assert_eq(stage_commit(&s, g, &m, image, &e), 0, "%s", e.text);
	stage_end_all(&s, &all);
}

static int
open_ctr(struct msg_rootfs_open *m, struct msg_rootfs_opened *out)
{
	m->id = m->id != NULL ? m->id : "c1";
	m->image = image;
	return rootfs_open(&s, m, out, &mem, &e);
}

#define NEEDS_MOUNTS                                     \
	do {                                             \
		if (!may_mount())                        \
			cr_skip_test("needs privilege"); \
		make_base();                             \
	} while (0)

Test(store, users)
{
	struct msg_rootfs_opened out;

	NEEDS_MOUNTS;
	struct msg_rootfs_open m = {.user = "al"};
	cr_assert_eq(open_ctr(&m, &out), 0, "%s", e.text);
	cr_assert_eq(out.uid, 1000);
	cr_assert_eq(out.groups.n, 1);
	cr_assert_eq(out.groups.v[0].id, 10);
	cr_assert_str_eq(out.home, "/home/al");
	close(out.root);
	m.user = "nobody-here";
	cr_assert_eq(open_ctr(&m, &out), -1);
	m.user = "12:13";
	cr_assert_eq(open_ctr(&m, &out), 0, "%s", e.text);
	cr_assert_eq(out.uid, 12);
	cr_assert_eq(out.gid, 13);
	close(out.root);
	m.user = "al\nroot";
	cr_assert_eq(open_ctr(&m, &out), -1);
}

Test(store, an_unknown_number_gets_an_entry)
{
	struct msg_rootfs_opened out;
	own_mem char *passwd = NULL, *other = NULL, *group = NULL;
	own_fd int etc = -1;

	NEEDS_MOUNTS;
	mkdirat(s.dir, "etc", 0755);
	etc = store_dir(&s, "etc", &e);
	struct msg_rootfs_open m = {.user = "54321", .etc_dir = etc, .workdir = "/data"};
	cr_assert_eq(open_ctr(&m, &out), 0, "%s", e.text);
	cr_assert(out.passwd_made);
	cr_assert(out.group_made);
	group = get_file(etc, "group");
	cr_assert_not_null(strstr(group, "\n54321:x:54321:54321\n"), "%s", group);
	passwd = get_file(etc, "passwd");
	cr_assert_not_null(strstr(passwd, "al:x:1000"));
	cr_assert_not_null(
	    strstr(passwd, "\n54321:*:54321:0:container user:/data:/bin/sh\n"), "%s", passwd);
	close(out.root);
	m.user = "1000";
	cr_assert_eq(open_ctr(&m, &out), 0);
	cr_assert_not(out.passwd_made);
	close(out.root);
	m.user = "77";
	m.passwd_entry = "$USERNAME:*:$UID:$GID:me:$HOME:/bin/x";
	cr_assert_eq(open_ctr(&m, &out), 0);
	other = get_file(etc, "passwd");
	cr_assert_not_null(strstr(other, "\n77:*:77:0:me:/data:/bin/x\n"), "%s", other);
	close(out.root);
}

Test(store, workdir_stays_below_the_root)
{
	struct msg_rootfs_opened out;
	struct stat st;

	NEEDS_MOUNTS;
	struct msg_rootfs_open m = {.id = "c9", .workdir = "/nosuch"};
	cr_assert_eq(open_ctr(&m, &out), -1);
	cr_assert_str_eq(e.text, "workdir \"/nosuch\" does not exist on container c9");
	cr_assert_eq(count_dirs("rw"), 0, "what the failed call made is gone");
	m.workdir = "/file";
	cr_assert_eq(open_ctr(&m, &out), -1);
	cr_assert_not_null(strstr(e.text, "but is not a directory"));
	m.make_workdir = true;
	m.user = "al";
	m.workdir = "/a/b";
	cr_assert_eq(open_ctr(&m, &out), 0, "%s", e.text);
	cr_assert_eq(fstatat(out.root, "a/b", &st, 0), 0);
	cr_assert_eq(st.st_uid, 1000);
	cr_assert_eq(fstatat(out.root, "a", &st, 0), 0);
	cr_assert_eq(st.st_uid, 0);
	close(out.root);
	m.workdir = "/out/test-store-made";
	cr_assert_eq(open_ctr(&m, &out), 0, "%s", e.text);
	close(out.root);
	m.workdir = "/dangling/x";
	cr_assert_eq(open_ctr(&m, &out), 0, "%s", e.text);
	close(out.root);
	cr_assert_eq(access("/tmp/test-store-made", F_OK), -1, "nothing was made outside");
}

Test(store, an_image_in_use_is_not_removed)
{
	struct msg_rootfs_opened out;
	own_removed struct removed gone = {0};
	struct msg_image_remove rm = {.image = "localhost/base:1"};

	NEEDS_MOUNTS;
	struct msg_rootfs_open m = {.prepare = true};
	cr_assert_eq(open_ctr(&m, &out), 0, "%s", e.text);
	cr_assert_eq(out.root, -1);
	cr_assert_eq(remove_image(&s, &rm, &gone, &e), -1);
	cr_assert_eq(e.class, ERR_INUSE);
	cr_assert_str_eq(e.text,
	    "image used by c1: image is in use by a container: consider listing external "
	    "containers and force-removing image");
	cr_assert_eq(rootfs_remove(&s, "c1", &e), 0);
	cr_assert_eq(rootfs_remove(&s, "c1", &e), 0, "nothing there is no error");
	cr_assert_eq(rootfs_remove(&s, "../layers", &e), -1);
	cr_assert_eq(remove_image(&s, &rm, &gone, &e), 0, "%s", e.text);
	m.id = "c2";
	cr_assert_eq(open_ctr(&m, &out), -1);
	cr_assert_eq(e.class, ERR_NOTFOUND);
}

Test(store, volumes_are_filled_once)
{
	struct msg_rootfs_opened out;
	struct rec_volume_use use = {.name = "v", .target = "/data"};
	own_fd int dir = -1;
	own_mem char *text = NULL;
	struct stat st;

	NEEDS_MOUNTS;
	struct msg_rootfs_open m = {.user = "al", .volumes = {&use, 1}};
	cr_assert_eq(open_ctr(&m, &out), 0, "%s", e.text);
	close(out.root);
	dir = open(out.volume_paths.v[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	text = get_file(dir, "seed");
	cr_assert_str_eq(text, "from the image");
	cr_assert_eq(fstat(dir, &st), 0);
	cr_assert_eq(st.st_uid, 5, "owner and mode are the image's");
	cr_assert_eq(st.st_mode & 07777, 0750);
	cr_assert_eq(unlinkat(dir, "seed", 0), 0);
	cr_assert_eq(open_ctr(&m, &out), 0, "%s", e.text);
	close(out.root);
	cr_assert_eq(faccessat(dir, "seed", F_OK, 0), -1, "only at the first use");
}

Test(store, volumes_without_content_belong_to_the_user)
{
	struct msg_rootfs_opened out;
	struct rec_volume_use use[] = {{.name = "v", .target = "/none"},
	    {.name = "w", .target = "/data", .no_copy = true}, {.name = "x", .target = "/out"}};
	struct stat st;

	NEEDS_MOUNTS;
	struct msg_rootfs_open m = {.user = "al", .volumes = {use, 3}};
	cr_assert_eq(open_ctr(&m, &out), 0, "%s", e.text);
	close(out.root);
	cr_assert_eq(stat(out.volume_paths.v[0], &st), 0);
	cr_assert_eq(st.st_uid, 1000);
	cr_assert_eq(stat(out.volume_paths.v[1], &st), 0);
	cr_assert_eq(st.st_uid, 5);
	own_fd int w = open(out.volume_paths.v[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(faccessat(w, "seed", F_OK, 0), -1);
	/* The link /out leads to the image's /tmp, which is not there, and never to the host's. */
	own_fd int x = open(out.volume_paths.v[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(faccessat(x, root + 5, F_OK, 0), -1);
	use[0].name = "nosuch";
	use[0].no_create = true;
	cr_assert_eq(open_ctr(&m, &out), -1);
	cr_assert_eq(e.class, ERR_NOTFOUND);
}

/* In a process of its own, which has its store open when it says so, and begins when it is told. */
static int
use_volume(int ready, int go)
{
	struct rec_volume_use use = {.name = "v", .target = "/image"};
	struct store own = {0};
	own_arena struct arena a = {0};
	own_fd int top = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *path;
	char byte = 0;

	if (store_open(&own, root, &e) == -1 || write(ready, &byte, 1) != 1 ||
	    read(go, &byte, 1) != 1)
		return 2;
	return volume_use(&own, top, &use, 5, 5, &path, &a, &e) == -1 && e.class == ERR_NOTFOUND;
}

Test(store, a_volume_removed_at_its_first_use_stays_removed)
{
	struct rec_volume want = {.name = "v"}, got;
	struct msg_volume_create m = {.volume = &want};
	own_arena struct arena a = {0};
	own_fd int top = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC), from = -1;
	int ready[2], go[2], status;
	char byte = 0;
	pid_t pid;

	cr_assert_eq(mkdirat(top, "image", 0755), 0);
	from = openat(top, "image", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	put_file(from, "seed", "x");
	cr_assert_eq(volume_create(&s, &m, &got, &a, &e), 0, "%s", e.text);
	cr_assert_eq(pipe2(ready, O_CLOEXEC) | pipe2(go, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0)
		_exit(use_volume(ready[1], go[0]));
	cr_assert_eq(read(ready[0], &byte, 1), 1);
	/* It can fill the volume, but not write that down, until we have removed it. */
	cr_assert_eq(db_begin(&s.db, &e), 0, "%s", e.text);
	cr_assert_eq(write(go[1], &byte, 1), 1);
	while (faccessat(top, "volumes/v/_data/seed", F_OK, 0) == -1)
		usleep(1000);
	cr_assert_eq(db_run(&s.db, db_query(&s.db, SQL_VOLUME_DELETE, &e, "t", "v"), &e), 0);
	cr_assert_eq(db_end(&s.db, true, &e), 0, "%s", e.text);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 1 << 8, "told that it is gone");
	cr_assert_eq(volume_get(&s, "v", true, &got, &a, &e), -1);
	cr_assert_eq(e.class, ERR_NOTFOUND);
}

Test(store, volume_records)
{
	struct rec_kv label = {.key = "k", .value = "v"};
	struct rec_volume want = {.name = "v1", .labels = {&label, 1}}, got;
	struct msg_volume_create m = {.volume = &want};
	struct msg_volume_listed l;

	cr_assert_eq(volume_create(&s, &m, &got, &mem, &e), 0, "%s", e.text);
	cr_assert_eq(volume_create(&s, &m, &got, &mem, &e), -1);
	cr_assert_str_eq(e.text, "volume with name v1 already exists: volume already exists");
	want.name = "../x";
	cr_assert_eq(volume_create(&s, &m, &got, &mem, &e), -1);
	want.name = "";
	cr_assert_eq(volume_create(&s, &m, &got, &mem, &e), 0, "%s", e.text);
	cr_assert_eq(strlen(got.name), 64);
	cr_assert_eq(volume_get(&s, "v", false, &got, &mem, &e), 0, "%s", e.text);
	cr_assert_str_eq(got.labels.v[0].value, "v");
	cr_assert_eq(volume_list(&s, &l, &mem, &e), 0);
	cr_assert_eq(l.volumes.n, 2);
	cr_assert_eq(volume_remove(&s, "v1", false, &e), 0, "%s", e.text);
	cr_assert_eq(volume_remove(&s, "v1", false, &e), -1);
	cr_assert_str_eq(e.text, "no such volume v1");
	cr_assert_eq(volume_remove(&s, "v1", true, &e), 0);
}

Test(store, differences)
{
	struct msg_rootfs_opened out;
	own_fd int file = -1;
	own_mem char *text = NULL;
	size_t n;

	NEEDS_MOUNTS;
	struct msg_rootfs_open m = {0};
	cr_assert_eq(open_ctr(&m, &out), 0, "%s", e.text);
	put_file(out.root, "file", "changed");
	mkdirat(out.root, "fresh", 0755);
	put_file(out.root, "fresh/one\n", "");
	unlinkat(out.root, "data/seed", 0);
	close(out.root);
	file = memfd_create("diff", 0);
	cr_assert_eq(diff_write(&s, "c1", file, &e), 0, "%s", e.text);
	lseek(file, 0, SEEK_SET);
	cr_assert_eq(file_slurp(file, 65536, "diff", &text, &n, &e), 0);
	static const char want[] = "C /data\0D /data/seed\0C /file\0A /fresh\0A /fresh/one\n";
	cr_assert_eq(n, sizeof(want));
	cr_assert_eq(memcmp(text, want, n), 0);
	cr_assert_eq(diff_write(&s, "nosuch", file, &e), -1);
}

#define BELOW_ID "00ff11223344556677889900aabbccddeeff00112233445566778899aabbcc7f"

static void
reads_below(int dir, const char *id, bool mountpoints)
{
	struct below b;

	cr_assert_eq(below_read(dir, ".", &b), 0);
	cr_assert_str_eq(b.image, id);
	cr_assert_eq(b.mountpoints, mountpoints);
	cr_assert_eq(below_write(dir, id, mountpoints, &e), 0, "it says so already: %s", e.text);
	cr_assert_eq(below_write(dir, id, !mountpoints, &e), -1);
	cr_assert_eq(below_write(dir, "another", mountpoints, &e), -1);
	err_clear(&e);
	cr_assert_eq(unlinkat(dir, "image", 0), 0);
}

Test(store, what_a_container_stands_on)
{
	own_fd int dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	cr_assert_geq(dir, 0);
	cr_assert_eq(below_write(dir, BELOW_ID, true, &e), 0, "%s", e.text);
	cr_assert_eq(fstatat(dir, "image", &st, AT_SYMLINK_NOFOLLOW), 0);
	cr_assert_lt(st.st_size, 60, "ext4 keeps it in the inode");
	reads_below(dir, BELOW_ID, true);
	cr_assert_eq(below_write(dir, "short", false, &e), 0, "%s", e.text);
	reads_below(dir, "short", false);
	/* As older versions wrote it. */
	cr_assert_eq(symlinkat(BELOW_ID "/mountpoints", dir, "image"), 0);
	reads_below(dir, BELOW_ID, true);
	cr_assert_eq(symlinkat(BELOW_ID, dir, "image"), 0);
	reads_below(dir, BELOW_ID, false);
}
