/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/sha256.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "common/fs/path.h"
#include "pod-store/check_blobs.h"

#define BLOCK 65536u

/* What cannot be read to its end is not what the name says either. */
static bool
is_whole(int dir, const char *name)
{
	own_fd int fd = path_try(dir, name, PATH_PLAIN, O_RDONLY | O_NONBLOCK, 0);
	own_mem char *block = xmalloc(BLOCK);
	uint8_t sum[SHA256_SIZE];
	char hex[SHA256_HEX];
	struct sha256 s;
	struct stat st;
	ssize_t n;

	if (fd == -1 || fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))
		return false;
	sha256_init(&s);
	while ((n = file_get(fd, block, BLOCK)) > 0)
		sha256_add(&s, block, (size_t)n);
	if (n < 0)
		return false;
	sha256_end(&s, sum);
	text_hex(sum, sizeof(sum), hex);
	return strcmp(hex, name) == 0;
}

int
check_blobs(int dir, struct strv *out, struct err *e)
{
	own_fd int fd = path_try(dir, ".", PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0);
	own_dir DIR *d = NULL;
	struct dirent *de;

	if (fd == -1 || (d = fdopendir(fd)) == NULL)
		return err_sys(e, "listing blobs");
	fd_take(&fd);
	while ((de = readdir(d)) != NULL) {
		/* Other names are those of blobs on their way. */
		if (strlen(de->d_name) == SHA256_HEX - 1 &&
		    text_is_hex(de->d_name, SHA256_HEX - 1) && !is_whole(dirfd(d), de->d_name))
			strv_add(out, de->d_name);
	}
	return 0;
}
