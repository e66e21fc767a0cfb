/* SPDX-License-Identifier: ISC */
#include "pod-run/life/criu_images.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/fs/file.h"
#include "common/fs/path.h"
#include "pod-run/life/document.h"

#define IMAGE_MAX ((size_t)64 << 20)

static int
loosen(int dir, const char *name, struct err *e)
{
	own_fd int changed = memfd_create("image", MFD_CLOEXEC), image = -1;
	own_mem char *bytes = NULL;
	struct err missing = {0};
	size_t n;

	if (changed == -1)
		return err_sys(e, "making a file in memory");
	image = path_open_regular(dir, name, PATH_PLAIN, (off_t)IMAGE_MAX, NULL, &missing);
	if (image == -1) {
		if (missing.no == ENOENT)
			return 0;
		*e = missing;
		return err_wrap(e, "reading %s of the checkpoint", name);
	}
	if (document_criu(image, changed, e) == -1)
		return err_wrap(e, "reading %s of the checkpoint", name);
	if (lseek(changed, 0, SEEK_SET) == -1)
		return err_sys(e, "reading the changed %s", name);
	if (file_slurp(changed, IMAGE_MAX, name, &bytes, &n, e) == -1)
		return -1;
	return n > 0 ? file_write(dir, name, bytes, n, 0600, 0, e) : 0;
}

int
criu_images_loosen(int dir, const char *images, struct err *e)
{
	own_fd int from = path_try(dir, images, PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0);

	return from == -1 ? 0 : loosen(from, "files.img", e);
}
