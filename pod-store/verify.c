/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "common/fs/path.h"
#include "common/role/spawn.h"
#include "pod-store/blob.h"
#include "pod-store/layer/result.h"
#include "pod-store/layout.h"
#include "pod-store/transfer.h"
#include "pod-store/verify.h"

/* Descriptors of the workers, see their sources. */
#define DIR_SLOT ROLE_VIEW_FD_NUMBER
#define INDEX_SLOT 5
#define FACTS_SLOT 6
#define PACK_RESULT_SLOT 7
#define DIGEST_RESULT_SLOT 4

#define FRESH LAYOUT_IMAGE ".new"
#define COMPARE_SIZE (256u << 10)
#define LAYER_MS (4 * 3600 * 1000) /* the largest layers take long; for ever nothing does */

static pid_t
start(struct spawn *sp, int slot, int *result, struct err *e)
{
	int pair[2];
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC) == -1)
		return err_sys(e, "making a pipe");
	sp->fds[slot] = pair[1];
	sp->discard_stderr = true;
	pid = spawn_start(sp, e);
	fd_close(&pair[1]);
	if (pid == -1)
		fd_close(&pair[0]);
	else
		*result = pair[0];
	return pid;
}

/* rc: -1 if its answer is no longer wanted. */
static void
await(pid_t pid, int rc)
{
	if (pid > 0)
		spawn_end(pid, rc == -1 ? 0 : SPAWN_GRACE_MS);
}

static pid_t
start_digest(int in, int *digested, struct err *e)
{
	struct spawn sum = {.role = ROLE_INFLATE, .mode = "digest", .nfds = DIGEST_RESULT_SLOT + 1};
	own_fd int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (null == -1)
		return err_sys(e, "opening /dev/null");
	sum.fds[0] = in;
	sum.fds[1] = null;
	return start(&sum, DIGEST_RESULT_SLOT, digested, e);
}

/* Both workers' answers; the first failure is the cause. */
static int
read_both(int packed, int digested, struct result *out, struct strv *faults, struct err *e)
{
	own_result struct result pack = {0};
	int r = result_read(packed, LAYER_MS, &pack, e);
	struct err later;

	for (size_t i = 0; i < pack.n && r == 0; i++)
		if (strcmp(pack.v[i].key, "fault") == 0)
			strv_add(faults, pack.v[i].value);
	return result_read(
		   digested, r == 0 ? LAYER_MS : SPAWN_GRACE_MS, out, r == 0 ? e : &later) == 0
		   ? r
		   : -1;
}

/* Of the stream that is put together again of the files. */
static int
digest_packed(int dir, struct result *r, struct strv *faults, struct err *e)
{
	own_fd int diff = path_open(dir, "diff", PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0, e);
	own_fd int index = path_open(dir, "tar.index", PATH_PLAIN, O_RDONLY, 0, e);
	own_fd int facts = -1, in = -1, out = -1, packed = -1, digested = -1;
	struct spawn pack = {.role = ROLE_PACK, .mode = "check", .nfds = PACK_RESULT_SLOT + 1};
	pid_t a, b;
	int pair[2], rc;

	if (diff == -1 || index == -1)
		return err_wrap(e, "its index");
	facts = transfer_facts(diff, NULL, NULL, e);
	if (facts == -1)
		return -1;
	if (pipe2(pair, O_CLOEXEC) == -1)
		return err_sys(e, "preparing the digest of a layer");
	in = pair[0];
	out = pair[1];
	pack.fds[1] = out;
	pack.fds[DIR_SLOT] = diff;
	pack.fds[INDEX_SLOT] = index;
	pack.fds[FACTS_SLOT] = facts;
	a = start(&pack, PACK_RESULT_SLOT, &packed, e);
	fd_close(&out);
	b = a == -1 ? -1 : start_digest(in, &digested, e);
	fd_close(&in);
	rc = b == -1 ? -1 : read_both(packed, digested, r, faults, e);
	await(a, rc);
	await(b, rc);
	return rc;
}

static int
digest_file(int dir, const char *name, struct result *r, struct err *e)
{
	own_fd int file = path_open(dir, name, PATH_PLAIN, O_RDONLY, 0, e), digested = -1;
	pid_t pid = file == -1 ? -1 : start_digest(file, &digested, e);
	int rc = pid == -1 ? -1 : result_read(digested, LAYER_MS, r, e);

	await(pid, rc);
	return rc;
}

static void
take_digest(const struct result *r, char digest[VERIFY_DIGEST])
{
	const char *got = result_get(r, "plain_digest");

	snprintf(digest, VERIFY_DIGEST, "%s", got != NULL ? got : "");
}

int
verify_digest(int dir, char digest[VERIFY_DIGEST], struct strv *faults, struct err *e)
{
	own_result struct result r = {0};
	int rc = layout_of(dir) == LAYOUT_EROFS ? digest_file(dir, LAYOUT_TAR, &r, e)
						: digest_packed(dir, &r, faults, e);

	if (rc == -1)
		return -1;
	take_digest(&r, digest);
	return 0;
}

bool
verify_blob(int dir, const char *name)
{
	const char *hex = blob_hex(name);
	own_result struct result r = {0};
	char digest[VERIFY_DIGEST];
	struct err ignored;

	if (digest_file(dir, name, &r, &ignored) == -1)
		return false;
	take_digest(&r, digest);
	return text_has_prefix(digest, "sha256:") && strcmp(digest + 7, hex) == 0;
}

/* --- Images of tars --------------------------------------------------------------------------------- */

static bool
same_content(int a, int b)
{
	own_mem char *x = xmalloc(COMPARE_SIZE), *y = xmalloc(COMPARE_SIZE);
	ssize_t n, m;

	do {
		n = file_get(a, x, COMPARE_SIZE);
		m = file_get(b, y, COMPARE_SIZE);
	} while (n > 0 && n == m && memcmp(x, y, (size_t)n) == 0);
	return n == 0 && m == 0;
}

/* The image made anew, as the file FRESH in the layer's directory. */
static int
make_fresh(int dir, struct err *e)
{
	const int flags = O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC;
	own_fd int tar = path_open(dir, LAYOUT_TAR, PATH_PLAIN, O_RDONLY, 0, e), out = -1;
	own_fd int fresh = tar == -1 ? -1 : openat(dir, FRESH, flags, 0600);
	struct spawn index = {.role = ROLE_EROFS, .mode = "index", .nfds = INDEX_SLOT + 1};
	own_result struct result r = {0};
	pid_t pid;
	int rc;

	if (tar == -1)
		return -1;
	if (fresh == -1)
		return err_sys(e, "making an image of the layer");
	index.fds[0] = tar;
	index.fds[INDEX_SLOT] = fresh;
	pid = start(&index, 1, &out, e);
	if (pid == -1)
		return -1;
	rc = result_read(out, LAYER_MS, &r, e);
	await(pid, rc);
	if (rc == -1 || lseek(fresh, 0, SEEK_SET) == -1)
		return -1;
	return fd_take(&fresh);
}

int
verify_image(int dir, struct err *e)
{
	own_fd int image = path_open(dir, LAYOUT_IMAGE, PATH_PLAIN, O_RDONLY, 0, e), fresh = -1;
	int r;

	if (image == -1)
		return -1;
	fresh = make_fresh(dir, e);
	r = fresh == -1 ? -1 : same_content(image, fresh);
	unlinkat(dir, FRESH, 0);
	return r;
}

int
verify_image_renew(int dir, struct err *e)
{
	own_fd int fresh = make_fresh(dir, e);

	if (fresh != -1 && fsync(fresh) == 0 && renameat(dir, FRESH, dir, LAYOUT_IMAGE) == 0)
		return 0;
	unlinkat(dir, FRESH, 0);
	return fresh == -1 ? -1 : err_sys(e, "making an image of the layer");
}
