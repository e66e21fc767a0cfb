/* SPDX-License-Identifier: ISC */
/* The input of a fuzzer as a file, for readers that take a path. */
#ifndef POD_FUZZ_INPUT_H
#define POD_FUZZ_INPUT_H

#include <fcntl.h>
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

static char input_directory[] = "/tmp/fuzz.XXXXXX";
static int input_dir_fd = -1;
static const char *input_name;

static inline void
input_dir_remove(void)
{
	unlinkat(input_dir_fd, input_name, 0);
	rmdir(input_directory);
}

/* The path of a directory with that file in it, by the name that the first call gives. */
static inline const char *
input_dir(const uint8_t *data, size_t n, const char *name)
{
	struct err e = {0};

	if (input_dir_fd == -1) {
		input_name = name;
		if (mkdtemp(input_directory) == NULL || atexit(input_dir_remove) != 0)
			abort();
		input_dir_fd = open(input_directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	if (file_write(input_dir_fd, input_name, data, n, 0600, 0, &e) == -1)
		abort();
	return input_directory;
}

#endif
