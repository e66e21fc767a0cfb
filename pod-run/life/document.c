/* SPDX-License-Identifier: ISC */
#include "pod-run/life/document.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/file.h"
#include "common/fs/path.h"
#include "common/role/spawn.h"

#define PART_MAX ((off_t)16 << 20)
#define LIST_MAX ((size_t)64 << 20)

static int
ask(const struct wire_desc *d, const void *m, struct peer_in *out, struct err *e)
{
	pid_t pid;
	struct peer *p = spawn_peer(ROLE_RUN, ROLE_DOCUMENT, &pid, e);
	int r = p == NULL ? -1 : peer_call(p, d, m, out, NULL, NULL, e);

	peer_free(p);
	return r;
}

/* -1 without an error: there is none. */
static int
open_part(int dir, const char *name, struct err *e)
{
	struct err missing = {0};
	int fd = path_open_regular(dir, name, PATH_PLAIN, PART_MAX, NULL, &missing);

	if (fd == -1 && missing.no != ENOENT) {
		*e = missing;
		err_wrap(e, "reading %s of the checkpoint", name);
	}
	return fd;
}

int
document_dump(int dir, struct peer_in *out, struct err *e)
{
	own_fd int config = open_part(dir, "config.dump", e);
	own_fd int spec = open_part(dir, "spec.dump", e);
	own_fd int network = open_part(dir, "network.status", e);
	struct msg_dump_read m = {.config = config, .spec = spec, .network = network};

	if (err_is_set(e))
		return -1;
	if (config == -1)
		return err_set(
		    e, ERR_FORMAT, "reading config.dump of the checkpoint: there is none");
	return ask(&msg_dump_read_desc, &m, out, e);
}

int
document_list(int list, struct strv *out, struct err *e)
{
	own_fd int names = memfd_create("names", MFD_CLOEXEC);
	struct msg_list_read m = {.list = list, .names = names};
	own_peer_in struct peer_in in = {0};
	own_mem char *text = NULL;
	size_t n;

	if (names == -1)
		return err_sys(e, "making a file in memory");
	if (ask(&msg_list_read_desc, &m, &in, e) == -1)
		return -1;
	if (lseek(names, 0, SEEK_SET) == -1)
		return err_sys(e, "reading a list");
	if (file_slurp(names, LIST_MAX, "the list", &text, &n, e) == -1)
		return -1;
	/* Behind the last byte there is a NUL in any case. */
	for (size_t i = 0; i < n; i += strlen(text + i) + 1)
		strv_add(out, text + i);
	return 0;
}

int
document_criu(int image, int changed, struct err *e)
{
	struct msg_criu_read m = {.image = image, .changed = changed};
	own_peer_in struct peer_in in = {0};

	return ask(&msg_criu_read_desc, &m, &in, e);
}

int
document_annotations(const struct bytes *manifest, struct peer_in *out, struct err *e)
{
	static const char key[] = "\"annotations\"";
	struct msg_annotations_read m = {.manifest = *manifest};

	if (memmem(manifest->p, manifest->n, key, sizeof(key) - 1) == NULL)
		return 0;
	return ask(&msg_annotations_read_desc, &m, out, e);
}
