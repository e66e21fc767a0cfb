/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/file.h"
#include "common/fs/stream.h"
#include "common/oci/digest.h"
#include "pod-image/artifact_extract.h"

#define BLOCK ((size_t)128 << 10)

/*
 * The last byte is held back until the digest is known to be right: without it the worker refuses the
 * file.
 */
static int
pass_checked(int from, int to, const struct rec_artifact_file *f, struct err *e)
{
	own_mem unsigned char *block = xmalloc(BLOCK);
	struct digest *d = digest_new();
	char got[DIGEST_TEXT];
	unsigned char last = 0;
	uint64_t sum = 0;
	ssize_t n;

	while ((n = file_get(from, block, BLOCK)) > 0) {
		digest_add(d, block, (size_t)n);
		if ((sum > 0 && file_put(to, &last, 1) < 0) ||
		    file_put(to, block, (size_t)n - 1) < 0)
			break;
		last = block[n - 1];
		sum += (uint64_t)n;
	}
	digest_end(d, got);
	if (n != 0)
		return err_sys(e, "copying blob %s", f->digest);
	if (sum != f->size || strcmp(got, f->digest) != 0)
		return err_set(e, ERR_INTEGRITY, "blob %s is damaged", f->digest);
	return sum == 0 || file_put(to, &last, 1) == 0 ? 0
						       : err_sys(e, "copying blob %s", f->digest);
}

static int
pipe_pair(int *out, int *in, struct err *e)
{
	int ends[2];

	if (stream_pair(ends, e) < 0)
		return -1;
	*out = ends[0];
	*in = ends[1];
	return 0;
}

int
artifact_extract_file(struct peer *from, struct peer *to, const char *path,
    const struct rec_artifact_file *f, const char *name, struct err *e)
{
	own_fd int read_out = -1, read_in = -1, write_out = -1, write_in = -1;
	own_peer_in struct peer_in copied = {0}, added = {0};
	struct msg_archive_copy copy = {.name = path};
	struct msg_archive_add add = {.name = name, .size = f->size};
	uint32_t a = peer_next_seq(from), b = peer_next_seq(to);
	struct err why = {0};
	int r;

	if (pipe_pair(&read_out, &read_in, e) < 0 || pipe_pair(&write_out, &write_in, e) < 0)
		return -1;
	copy.stream = read_in;
	add.stream = write_out;
	if (peer_send(from, &msg_archive_copy_desc, a, &copy, e) < 0 ||
	    peer_send(to, &msg_archive_add_desc, b, &add, e) < 0)
		return -1;
	fd_close(&read_in);
	fd_close(&write_out);
	r = pass_checked(read_out, write_in, f, &why);
	fd_close(&write_in);
	fd_close(&read_out);
	if (peer_wait(from, &msg_archive_copy_desc, a, &copied, NULL, NULL, e) < 0)
		return -1;
	if (peer_wait(to, &msg_archive_add_desc, b, &added, NULL, NULL, e) < 0 && r == 0)
		return -1;
	if (r == 0)
		return 0;
	*e = why;
	return -1;
}
