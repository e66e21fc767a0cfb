/* SPDX-License-Identifier: ISC */
// objs: pod-store/db.o pod-store/store.o pod-store/volume_place.o pod-store/places.o pod-store/options.o pod-store/adopt.o pod-store/bring.o pod-store/made.o pod-store/quota.o pod-store/whole.o pod-store/driver.o pod-store/overlay.o pod-store/fuse.o pod-store/layout.o pod-store/erofs_mount.o pod-store/fsapi.o pod-store/layer/erofs.o pod-store/layer/nodes.o pod-store/layer/name.o pod-store/layer/acl.o pod-store/layer/xattr.o pod-store/layer.o pod-store/layer_id.o pod-store/theirs.o pod-store/below.o pod-store/image.o pod-store/list.o pod-store/artifacts.o pod-store/naming.o pod-store/remove.o pod-store/stage.o pod-store/flush.o pod-store/unwritten.o pod-store/commit.o pod-store/mountpoints.o pod-store/rootfs.o pod-store/owners.o pod-store/variant.o pod-store/attach.o pod-store/take.o pod-store/check.o pod-store/verify.o pod-store/user.o pod-store/volume.o pod-store/copy.o pod-store/sweep.o pod-store/diff.o pod-store/blob.o pod-store/info.o pod-store/job.o pod-store/transfer.o pod-store/server.o pod-store/handlers.o pod-store/partial.o pod-store/layer/result.o pod-store/layer/opaque.o
// objs: pod-store/layer/tar.o pod-store/layer/tarpax.o pod-store/layer/tarhdr.o pod-store/layer/sparse.o
// libs: -lsqlite3 -lmsgpackc -levent_core
// objs: pod-store/exchange.o pod-store/check_blobs.o pod-store/partial.o
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
#include "common/base/sha256.h"
#include "common/fs/file.h"
#include "common/fs/tree.h"
#include "common/role/role.h"
#include "common/wire/peer.h"
#include "pod-store/server.h"

static char root[64];
static struct peer *p;
static pid_t server;
static struct err e;
static struct peer_in in;

#define CALL(name, m) peer_call(p, &msg_##name##_desc, m, &in, NULL, NULL, &e)

static void
hello(const char *driver)
{
	struct msg_hello h = {.graph_root = root, .driver = driver};

	cr_assert_eq(peer_send(p, &msg_hello_desc, 0, &h, &e), 0, "%s", e.text);
}

static void
setup(void)
{
	int pair[2];

	snprintf(root, sizeof(root), "/tmp/test-peer.XXXXXX");
	cr_assert_not_null(mkdtemp(root));
	role_start();
	cr_assert_eq(peer_pair(pair, &e), 0);
	server = fork();
	if (server == 0) {
		close(pair[0]);
		_exit(server_run(pair[1], &e) == 0 ? 0 : 1);
	}
	close(pair[1]);
	p = peer_new(pair[0], ROLE_RUN, ROLE_STORE);
}

static int
end_server(void)
{
	int status = -1;

	peer_in_free(&in);
	peer_free(p);
	p = NULL;
	if (server > 0)
		waitpid(server, &status, 0);
	server = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
teardown(void)
{
	end_server();
	tree_remove(AT_FDCWD, root, &e);
}

TestSuite(peer_face, .init = setup, .fini = teardown, .timeout = 60);

static size_t
entries(const char *dir)
{
	own_mem char *path = xasprintf("%s/%s", root, dir);
	struct stat st;

	cr_assert_eq(stat(path, &st), 0);
	return st.st_nlink - 2;
}

/* --- Layers as descriptors ------------------------------------------------------------------------ */

/* One file of n bytes in a tar. */
static void
make_tar(struct strbuf *out, const char *name, char fill, size_t n)
{
	char h[512] = {0};
	unsigned sum = 0;

	snprintf(h, 100, "%s", name);
	memcpy(h + 100, "0000644", 7);
	memcpy(h + 108, "0000000", 7);
	memcpy(h + 116, "0000000", 7);
	snprintf(h + 124, 12, "%011zo", n);
	memcpy(h + 136, "00000000000", 11);
	h[156] = '0';
	memcpy(h + 257, "ustar\00000", 8);
	memset(h + 148, ' ', 8);
	for (size_t i = 0; i < sizeof(h); i++)
		sum += (unsigned char)h[i];
	snprintf(h + 148, 8, "%06o", sum);
	strbuf_addn(out, h, sizeof(h));
	for (size_t i = 0; i < (n + 511) / 512 * 512; i++)
		strbuf_addc(out, i < n ? fill : '\0');
	for (size_t i = 0; i < 1024; i++)
		strbuf_addc(out, '\0');
}

static int
as_file(const struct strbuf *b)
{
	int fd = memfd_create("layer", MFD_CLOEXEC);

	cr_assert_eq(file_put(fd, b->s, b->n), 0);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static uint64_t
begin(void)
{
	struct msg_stage_begin m = {0};
	uint64_t stage;

	cr_assert_eq(CALL(stage_begin, &m), 0, "%s", e.text);
	stage = MSG_OF(&in, stage_begun)->stage;
	peer_in_free(&in);
	return stage;
}

static int
put(uint64_t stage, const struct strbuf *layer, const char *want)
{
	own_fd int fd = as_file(layer);
	struct rec_layer_ref ref = {.diff_id = want != NULL ? want : ""};
	struct msg_layer_put m = {.stage = stage, .layer = &ref, .stream = fd};

	return CALL(layer_put, &m);
}

Test(peer_face, several_layers_at_once)
{
	struct strbuf tar[3] = {0};
	char diff[3][80];
	const char *ids[2] = {diff[0], diff[2]};
	uint32_t seq[3];
	struct rec_layer_ref refs[2] = {{.diff_id = ids[0]}, {.diff_id = ids[1]}};
	struct rec_image_config parsed = {.diff_ids = {ids, 2}};
	struct msg_image_commit m = {.parsed = &parsed, .layers = {refs, 2}};
	uint64_t stage;

	hello(NULL);
	stage = begin();
	for (int i = 0; i < 3; i++) {
		own_fd int fd = -1;
		struct rec_layer_ref ref = {.diff_id = diff[i]};
		struct msg_layer_put put_m = {.stage = stage, .layer = &ref};

		make_tar(&tar[i], "file", (char)('a' + i), 200000);
		memcpy(diff[i], "sha256:", 8);
		sha256_hex(tar[i].s, tar[i].n, diff[i] + 7);
		/* The middle one is not what it is said to be. */
		if (i == 1)
			diff[i][20] = diff[i][20] == '0' ? '1' : '0';
		fd = put_m.stream = as_file(&tar[i]);
		seq[i] = peer_next_seq(p);
		cr_assert_eq(peer_send(p, &msg_layer_put_desc, seq[i], &put_m, &e), 0);
	}
	for (int got = 0; got < 3; got++) {
		cr_assert_eq(peer_recv(p, &in, 20000, &e), 1, "%s", e.text);
		if (in.seq == seq[1]) {
			cr_assert(PEER_IS(&in, error));
			cr_assert_str_eq(MSG_OF(&in, error)->class, "integrity");
		} else {
			cr_assert(PEER_IS(&in, layer_put_r));
			cr_assert_eq(MSG_OF(&in, layer_put_r)->tar_size, tar[0].n);
		}
		peer_in_free(&in);
	}
	m.stage = stage;
	cr_assert_eq(CALL(image_commit, &m), 0, "%s", e.text);
	cr_assert_eq(entries("layers"), 2);
	cr_assert_eq(end_server(), 0);
	cr_assert_eq(entries("tmp"), 0);
	cr_assert_eq(entries("trash"), 0);
	for (int i = 0; i < 3; i++)
		strbuf_free(&tar[i]);
}

Test(peer_face, the_cause_of_a_failure_is_told)
{
	own_strbuf struct strbuf tar = {0}, junk = {0}, cut = {0};
	uint64_t stage;

	hello(NULL);
	stage = begin();
	make_tar(&tar, "file", 'x', 3000000);
	for (size_t i = 0; i < 2000000; i++)
		strbuf_addc(&junk, (char)(i * 7));
	cr_assert_eq(put(stage, &junk, NULL), -1);
	cr_assert_eq(e.class, ERR_FORMAT, "%s", e.text);
	strbuf_addn(&cut, tar.s, 1000000);
	cr_assert_eq(put(stage, &cut, NULL), -1);
	cr_assert_eq(e.class, ERR_FORMAT, "%s", e.text);
	cut.n = 0;
	strbuf_addn(&cut, "\x1f\x8b\x08\0\0\0\0\0\0\3junk", 14);
	cr_assert_eq(put(stage, &cut, NULL), -1);
	cr_assert_eq(e.class, ERR_FORMAT, "%s", e.text);
	cr_assert_eq(put(stage, &tar, "sha256:short"), -1);
	cr_assert_eq(put(stage + 1, &tar, NULL), -1);
	cr_assert_eq(e.class, ERR_NOTFOUND);
	cr_assert_eq(put(stage, &tar, NULL), 0, "the server goes on: %s", e.text);
}

Test(peer_face, the_end_of_the_connection_ends_the_work)
{
	own_strbuf struct strbuf tar = {0};
	int stream[2];
	struct rec_layer_ref ref = {.diff_id = ""};
	struct msg_layer_put m = {.layer = &ref};

	hello(NULL);
	m.stage = begin();
	make_tar(&tar, "file", 'x', 100000);
	cr_assert_eq(pipe2(stream, O_CLOEXEC), 0);
	m.stream = stream[0];
	cr_assert_eq(peer_send(p, &msg_layer_put_desc, 77, &m, &e), 0);
	cr_assert_eq(write(stream[1], tar.s, 5000), 5000);
	cr_assert_eq(entries("tmp"), 1);
	/* The writer of the stream is still there; the workers must not wait for it. */
	cr_assert_eq(end_server(), 0);
	cr_assert_eq(entries("tmp"), 0);
	cr_assert_eq(entries("trash"), 0);
}

Test(peer_face, a_second_connection_may_do_less)
{
	int pair[2];
	struct msg_store_join join = {0};
	struct msg_layer_query query = {0};
	struct msg_image_prune prune = {0};
	struct peer *image;
	struct err fault = {0};

	hello(NULL);
	cr_assert_eq(peer_pair(pair, &e), 0);
	join.peer = pair[1];
	cr_assert_eq(CALL(store_join, &join), 0, "%s", e.text);
	peer_in_free(&in);
	close(pair[1]);
	image = peer_new(pair[0], ROLE_IMAGE, ROLE_STORE);
	cr_assert_eq(peer_call(image, &msg_layer_query_desc, &query, &in, NULL, NULL, &fault), 0,
	    "%s", fault.text);
	peer_in_free(&in);
	cr_assert_eq(peer_call(image, &msg_image_prune_desc, &prune, &in, NULL, NULL, &fault), -1);
	peer_free(image);
	/* The first connection is not harmed. */
	cr_assert_eq(CALL(image_prune, &prune), 0, "%s", e.text);
}

Test(peer_face, why_a_store_does_not_open_is_every_answer)
{
	struct msg_image_list m = {0};

	hello("zfs");
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(CALL(image_list, &m), -1);
		cr_assert_eq(e.class, ERR_UNSUPPORTED);
		cr_assert_str_eq(e.text, "storage driver \"zfs\" is not available");
	}
}

Test(peer_face, nothing_is_served_before_hello)
{
	struct msg_image_list m = {0};

	cr_assert_eq(CALL(image_list, &m), -1);
	cr_assert_eq(e.class, ERR_PEER);
}

Test(peer_face, a_reader_that_goes_away_does_not_stop_the_server)
{
	own_strbuf struct strbuf tar = {0};
	char diff[80] = "sha256:";
	const char *ids[] = {diff};
	struct rec_layer_ref ref = {.diff_id = diff};
	struct rec_image_config parsed = {.diff_ids = {ids, 1}};
	struct msg_image_commit m = {.parsed = &parsed, .layers = {&ref, 1}};
	struct msg_layer_get get = {.layer = diff + 7};
	struct msg_image_list list = {0};
	int stream[2];

	hello(NULL);
	m.stage = begin();
	make_tar(&tar, "file", 'x', 3000000);
	sha256_hex(tar.s, tar.n, diff + 7);
	cr_assert_eq(put(m.stage, &tar, diff), 0, "%s", e.text);
	peer_in_free(&in);
	cr_assert_eq(CALL(image_commit, &m), 0, "%s", e.text);
	peer_in_free(&in);
	cr_assert_eq(pipe2(stream, O_CLOEXEC), 0);
	get.stream = stream[1];
	cr_assert_eq(peer_send(p, &msg_layer_get_desc, 88, &get, &e), 0);
	close(stream[1]);
	close(stream[0]);
	cr_assert_eq(peer_recv(p, &in, 20000, &e), 1, "%s", e.text);
	cr_assert(PEER_IS(&in, error));
	peer_in_free(&in);
	cr_assert_eq(CALL(image_list, &list), 0, "%s", e.text);
}
