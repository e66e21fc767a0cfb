/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/cli/human.h"
#include "common/fs/file.h"
#include "common/oci/manifest.h"
#include "pod-image/spool.h"
#include "pod-image/tarball.h"

#define NS INT64_C(1000000000)

void
tarball_free(struct tarball *t)
{
	while (t->n > 0) {
		fd_close(&t->v[--t->n].fd);
		free(t->v[t->n].name);
	}
}

static int
copy_to(int from, int to, struct err *e)
{
	char buf[1 << 16];
	ssize_t n;

	while ((n = read(from, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "reading the standard input");
		if (file_put(to, buf, (size_t)n) < 0)
			return err_sys(e, "writing a temporary file");
	}
	return 0;
}

/* The layer is read from its beginning, perhaps more than once. */
static int
open_input(struct tarball_file *f, const char *graph_root, struct err *e)
{
	struct timespec now;
	int fd = spool_open(graph_root, e);

	if (fd < 0)
		return -1;
	f->fd = fd;
	clock_gettime(CLOCK_REALTIME, &now);
	f->modified_ns = now.tv_sec * NS + now.tv_nsec;
	return copy_to(STDIN_FILENO, fd, e);
}

static int
open_file(struct tarball_file *f, const char *path, struct err *e)
{
	struct stat st;

	f->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (f->fd < 0 || fstat(f->fd, &st) < 0)
		return err_sys(e, "error opening file \"%s\"", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INVALID, "%s is no regular file", path);
	f->modified_ns = st.st_mtim.tv_sec * NS + st.st_mtim.tv_nsec;
	return 0;
}

static int
find_media_type(struct tarball_file *f, struct err *e)
{
	unsigned char magic[4] = {0};

	if (pread(f->fd, magic, sizeof(magic), 0) < 0)
		return err_sys(e, "reading %s", f->name);
	f->media_type = memcmp(magic, "\x1f\x8b", 2) == 0 ? MANIFEST_TYPE_OCI_LAYER "+gzip"
			: memcmp(magic, "\x28\xb5\x2f\xfd", 4) == 0 ? MANIFEST_TYPE_OCI_LAYER
			    "+zstd"
								    : MANIFEST_TYPE_OCI_LAYER;
	return 0;
}

int
tarball_open(struct tarball *t, const char *paths, const char *graph_root, struct err *e)
{
	own_strv struct strv names = {0};
	bool input = false;

	strv_split(&names, paths, ':');
	if (names.n > TARBALL_MAX)
		return err_set(e, ERR_LIMIT, "more than %d tarballs", TARBALL_MAX);
	for (size_t k = 0; k < names.n; k++) {
		struct tarball_file *f = &t->v[t->n];
		bool dash = strcmp(names.v[k], "-") == 0;

		if (dash && input)
			return err_set(
			    e, ERR_USAGE, "the standard input can be only one of the tarballs");
		input |= dash;
		f->fd = -1;
		f->name = xstrdup(dash ? "standard input" : names.v[k]);
		t->n++;
		if ((dash ? open_input(f, graph_root, e) : open_file(f, names.v[k], e)) < 0 ||
		    find_media_type(f, e) < 0)
			return -1;
	}
	return 0;
}

void
tarball_describe(const struct tarball *t, struct late *out)
{
	int64_t newest = 0;
	char text[64];

	out->history = json_arr();
	out->config = json_obj();
	out->tells_diff_id = true;
	for (size_t k = 0; k < t->n; k++) {
		json_t *step = json_add_obj(out->history);

		json_put_str(step, "created",
		    human_rfc3339nano_utc(t->v[k].modified_ns, text, sizeof(text)));
		json_put_str(step, "created_by", "");
		json_put_str(step, "comment", "imported from tarball");
		if (t->v[k].modified_ns > newest)
			newest = t->v[k].modified_ns;
	}
	json_put_str(out->config, "created", human_rfc3339nano_utc(newest, text, sizeof(text)));
	json_put_str(out->config, "architecture", manifest_host_architecture());
	json_put_str(out->config, "os", "linux");
	json_put_obj(out->config, "config");
}

int
tarball_ask(
    struct tarball *t, size_t file, struct peer *recode, int stream, uint32_t *seq, struct err *e)
{
	struct msg_recode m = {.form = "same", .in = t->v[file].fd, .out = stream};

	if (lseek(t->v[file].fd, 0, SEEK_SET) < 0)
		return err_sys(e, "rewinding %s", t->v[file].name);
	*seq = peer_next_seq(recode);
	return peer_send(recode, &msg_recode_desc, *seq, &m, e);
}
