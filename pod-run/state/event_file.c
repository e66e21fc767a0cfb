/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/cli/human.h"
#include "common/cli/value.h"
#include "common/fs/file.h"
#include "common/fs/lock.h"
#include "common/fs/path.h"
#include "pod-run/state/event_file.h"

/* Waiting for another writer, who only appends a line or copies a megabyte. */
#define LOCK_MS 10000

static int
make_dir_of(const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	own_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	own_mem char *dir = xstrndup(path, slash != NULL ? (size_t)(slash - path) : 0);
	own_fd int fd = -1;

	if (slash == NULL || slash == path)
		return 0;
	fd = path_mkdirs(root, dir, PATH_IN_ROOT, 0700, NULL, e);
	return fd == -1 ? -1 : 0;
}

/* Opens the file and locks it; a rotation may put another in its place before the lock is there. */
static int
open_locked(const char *path, struct err *e)
{
	struct stat mine, there;

	for (;;) {
		own_fd int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

		if (fd == -1 && errno == ENOENT) {
			if (make_dir_of(path, e) == -1)
				return -1;
			fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
		}
		if (fd == -1)
			return err_sys(e, "opening events file %s", path);
		if (lock_take(fd, LOCK_EXCLUSIVE, LOCK_MS, path, e) == -1)
			return -1;
		if (fstat(fd, &mine) == 0 && stat(path, &there) == 0 && mine.st_ino == there.st_ino)
			return fd_take(&fd);
	}
}

/* The line that stands at the top of what was kept. */
static void
add_rotation(const char *path, struct strbuf *out)
{
	own_json json_t *o = json_obj();
	struct timespec t;
	char when[HUMAN_MAX];

	clock_gettime(CLOCK_REALTIME, &t);
	json_put_str(o, "Name", path);
	json_put_str(o, "Status", "log-rotation");
	json_put_str(o, "Time",
	    human_rfc3339nano((int64_t)t.tv_sec * 1000000000 + t.tv_nsec, when, sizeof(when)));
	json_put_str(o, "Type", "system");
	json_put_take(o, "Attributes", json_null());
	json_go(o, "", out);
	strbuf_addc(out, '\n');
}

static int
rotate(const char *path, int fd, off_t size, struct err *e)
{
	own_strbuf struct strbuf kept = {0};
	own_mem char *text = NULL;
	const char *half;
	size_t n = 0;

	if (lseek(fd, size / 2, SEEK_SET) == -1)
		return err_sys(e, "rotating events file %s", path);
	if (file_slurp(fd, (size_t)size, path, &text, &n, e) == -1)
		return -1;
	add_rotation(path, &kept);
	half = memchr(text, '\n', n);
	if (half != NULL)
		strbuf_addn(&kept, half + 1, n - (size_t)(half + 1 - text));
	return file_write(AT_FDCWD, path, kept.s, kept.n, 0600, 0, e);
}

int
event_file_append(const char *path, const json_t *doc, const char *max, struct err *e)
{
	own_strbuf struct strbuf line = {0};
	own_fd int fd = -1;
	int64_t limit = 0;
	struct stat st;

	if (*max != '\0' && value_size(max, &limit, e) == -1)
		return err_wrap(e, "events_logfile_max_size");
	json_go(doc, "", &line);
	strbuf_addc(&line, '\n');
	fd = open_locked(path, e);
	if (fd == -1)
		return -1;
	if (limit > 0 && fstat(fd, &st) == 0 && st.st_size > 0 &&
	    st.st_size + (off_t)line.n > limit) {
		if (rotate(path, fd, st.st_size, e) == -1)
			return -1;
		fd_close(&fd);
		fd = open_locked(path, e);
		if (fd == -1)
			return -1;
	}
	return file_put(fd, line.s, line.n) == -1 ? err_sys(e, "writing events file %s", path) : 0;
}
