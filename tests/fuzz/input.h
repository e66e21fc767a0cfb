/* SPDX-License-Identifier: ISC */
/* The input of a fuzzer as a file, for readers that take a path. */
#ifndef POD_FUZZ_INPUT_H
#define POD_FUZZ_INPUT_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/fs/file.h"

/* The path of a file that holds these bytes until the next call. */
static inline const char *
input_path(const uint8_t *data, size_t n)
{
	static char path[32];
	static int fd = -1;

	if (fd == -1) {
		fd = memfd_create("input", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	if (ftruncate(fd, 0) == -1 || lseek(fd, 0, SEEK_SET) == -1 || file_put(fd, data, n) == -1)
		abort();
	return path;
}

static char input_directory[] = "/tmp/fuzz.XXXXXX", input_link[64];

static inline void
input_dir_remove(void)
{
	unlink(input_link);
	rmdir(input_directory);
}

/* The path of a directory with that file in it, by the name that the first call gives. */
static inline const char *
input_dir(const uint8_t *data, size_t n, const char *name)
{
	const char *path = input_path(data, n);

	if (input_link[0] == '\0') {
		if (mkdtemp(input_directory) == NULL)
			abort();
		snprintf(input_link, sizeof(input_link), "%s/%s", input_directory, name);
		if (symlink(path, input_link) == -1 || atexit(input_dir_remove) != 0)
			abort();
	}
	return input_directory;
}

#endif
