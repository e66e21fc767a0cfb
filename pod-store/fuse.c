/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/fs/file.h"
#include "common/role/spawn.h"
#include "pod-store/fsapi.h"
#include "pod-store/fuse.h"
#include "pod-store/layer/result.h"

#define DEVICE "/dev/fuse"
#define DEVICE_FD 3
#define MOUNT_FD 4
#define START_MS 60000	  /* a program that does not come up must not hold the store */
#define OPTION_MAX 120000 /* one word of a command line is at most 128 KiB long */

static int
configure(int fs, int device, const struct overlay *o, struct err *e)
{
	char number[16];
	const struct {
		unsigned cmd;
		const char *key, *value;
	} keys[] = {
	    {FSCONFIG_SET_STRING, "source", "overlay"},
	    {FSCONFIG_SET_STRING, "subtype", "fuse-overlayfs"},
	    {FSCONFIG_SET_STRING, "fd", number},
	    {FSCONFIG_SET_STRING, "rootmode", "40000"},
	    {FSCONFIG_SET_STRING, "user_id", "0"},
	    {FSCONFIG_SET_STRING, "group_id", "0"},
	    /* The kernel checks permissions, and containers have other users than root. */
	    {FSCONFIG_SET_FLAG, "default_permissions", NULL},
	    {FSCONFIG_SET_FLAG, "allow_other", NULL},
	    {FSCONFIG_SET_STRING, "context", o->label},
	};

	snprintf(number, sizeof(number), "%d", device);
	for (size_t i = 0; i < COUNTOF(keys); i++) {
		if (keys[i].cmd == FSCONFIG_SET_STRING && keys[i].value == NULL)
			continue;
		if (fsapi_config(fs, keys[i].cmd, keys[i].key, keys[i].value, 0) == -1)
			return fsapi_error(fs, "fuse", keys[i].key, e);
	}
	if (fsapi_config(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == -1)
		return fsapi_error(fs, "fuse", "creating the file system", e);
	return 0;
}

static int
add_path(struct strbuf *out, const char *path, const char *below, struct err *e)
{
	if (strpbrk(path, ":,\\") != NULL)
		return err_set(e, ERR_UNSUPPORTED,
		    "a mount program cannot be given %s: the path holds a colon, a comma or a "
		    "backslash",
		    path);
	strbuf_addf(out, "%s%s", path, below);
	return 0;
}

/* Images are attached to the directories that they lie in. */
static int
add_lower(struct strbuf *out, struct strbuf *images, const char *path, struct err *e)
{
	own_mem char *dir = NULL;

	if (!overlay_is_image(path))
		return add_path(out, path, "", e);
	strbuf_addn(images, path, strlen(path) + 1);
	dir = xstrndup(path, (size_t)(strrchr(path, '/') - path));
	return add_path(out, dir, "", e);
}

/* The value of the program's -o, and what it says of the mount itself. */
static int
add_options(const struct overlay *o, struct strbuf *out, struct strbuf *images, unsigned *attrs,
    struct err *e)
{
	own_strv struct strv words = {0};

	strbuf_add(out, "lowerdir=");
	for (size_t i = o->n; i-- > 0;) {
		if (add_lower(out, images, o->lower[i], e) == -1)
			return -1;
		if (i > 0)
			strbuf_addc(out, ':');
	}
	if (o->n == 0)
		strbuf_add(out, o->empty);
	if (o->rw != NULL) {
		strbuf_add(out, ",upperdir=");
		if (add_path(out, o->rw, "/upper,workdir=", e) == -1 ||
		    add_path(out, o->rw, "/work", e) == -1)
			return -1;
		if (o->volatile_)
			strbuf_add(out, ",volatile");
	}
	if (o->options != NULL)
		strv_split(&words, o->options, ',');
	for (size_t i = 0; i < words.n; i++)
		if (*words.v[i] != '\0' && !overlay_flag(words.v[i], attrs))
			strbuf_addf(out, ",%s", words.v[i]);
	if (out->n > OPTION_MAX)
		return err_set(
		    e, ERR_LIMIT, "too many layers for the command line of a mount program");
	return 0;
}

/* Where it starts, the images to attach, an empty word, its own words: see layer/fuse-main.c. */
static int
make_request(const struct overlay *o, const char *program, unsigned *attrs, struct err *e)
{
	own_strbuf struct strbuf options = {0}, images = {0}, all = {0};
	const char *const words[] = {program, "-f", "-o", NULL, "/dev/fd/3"};
	own_fd int fd = -1;

	if (add_options(o, &options, &images, attrs, e) == -1)
		return -1;
	strbuf_addn(&all, o->base, strlen(o->base) + 1);
	if (images.n > 0)
		strbuf_addn(&all, images.s, images.n);
	strbuf_addc(&all, '\0');
	for (size_t i = 0; i < COUNTOF(words); i++) {
		const char *word = words[i] != NULL ? words[i] : options.s;

		strbuf_addn(&all, word, strlen(word) + 1);
	}
	/* As a file, which cannot block the two of us against each other. */
	fd = memfd_create("mount program", MFD_CLOEXEC);
	if (fd == -1 || file_put(fd, all.s, all.n) == -1 || lseek(fd, 0, SEEK_SET) == -1)
		return err_sys(e, "writing the words of a mount program");
	return fd_take(&fd);
}

/* The worker leaves the program behind it, or says why not. */
static int
start(int request, int take_device, int mount, struct err *e)
{
	own_fd int device = take_device;
	struct spawn sp = {.role = ROLE_FUSE, .mode = "mount", .nfds = MOUNT_FD + 1};
	own_result struct result r = {0};
	int answer[2], rc;
	pid_t pid;

	if (pipe2(answer, O_CLOEXEC) == -1)
		return err_sys(e, "making a pipe");
	sp.discard_stderr = true;
	sp.fds[0] = request;
	sp.fds[1] = answer[1];
	sp.fds[DEVICE_FD] = device;
	sp.fds[MOUNT_FD] = mount;
	pid = spawn_start(&sp, e);
	/* With its last descriptor the mount breaks, which is how the worker learns that the program is gone. */
	fd_close(&device);
	fd_close(&answer[1]);
	rc = pid == -1 ? -1 : result_read(answer[0], START_MS, &r, e);
	fd_close(&answer[0]);
	if (pid > 0)
		spawn_end(pid, rc == -1 ? 0 : SPAWN_GRACE_MS);
	return rc;
}

int
fuse_mount(const struct overlay *o, const char *program, struct err *e)
{
	unsigned attrs = o->rw == NULL ? MOUNT_ATTR_RDONLY : 0;
	own_fd int device = -1, fs = -1, m = -1, request = -1;

	request = make_request(o, program, &attrs, e);
	if (request == -1)
		return -1;
	device = open(DEVICE, O_RDWR | O_CLOEXEC);
	if (device == -1)
		return err_sys(e, "mount program %s: opening " DEVICE, program);
	fs = fsapi_open("fuse");
	if (fs == -1)
		return err_sys(e, "mount program %s: fsopen", program);
	if (configure(fs, device, o, e) == -1)
		return err_wrap(e, "mount program %s", program);
	m = fsapi_mount(fs, attrs);
	if (m == -1)
		return fsapi_error(fs, "fuse", "fsmount", e);
	if (start(request, fd_take(&device), m, e) == -1)
		return err_wrap(e, "mount program %s", program);
	return fd_take(&m);
}
