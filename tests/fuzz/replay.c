/* SPDX-License-Identifier: ISC */
/*
 * The main of a fuzzer without libFuzzer: feeds it each file of the directories it is given, the kept corpus.  For
 * `make check`, where a fuzzer that no longer links, or an old finding that is back, is seen.
 */
#include <dirent.h>
#include <stdio.h>

#include "common/base/own.h"
#include "common/fs/file.h"

#define INPUT_MAX ((size_t)16 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
size_t LLVMFuzzerMutate(uint8_t *data, size_t n, size_t max);

/* libFuzzer's, for mutators of our own, which nobody calls here. */
size_t
LLVMFuzzerMutate(uint8_t *data, size_t n, size_t max)
{
	(void)data;
	(void)max;
	return n;
}

static int
feed(int dir, const char *name)
{
	own_mem char *text = NULL;
	struct err e = {0};
	size_t n;

	if (file_read(dir, name, INPUT_MAX, &text, &n, &e) == -1) {
		fprintf(stderr, "%s: %s\n", name, e.text);
		return -1;
	}
	LLVMFuzzerTestOneInput((const uint8_t *)text, n);
	return 0;
}

int
main(int argc, char **argv)
{
	struct dirent *de;

	for (int i = 1; i < argc; i++) {
		DIR *d = opendir(argv[i]);

		if (d == NULL) {
			perror(argv[i]);
			return 1;
		}
		while ((de = readdir(d)) != NULL)
			if (de->d_name[0] != '.' && feed(dirfd(d), de->d_name) == -1)
				return 1;
		closedir(d);
	}
	return 0;
}
