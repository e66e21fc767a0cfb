/* SPDX-License-Identifier: ISC */
/* auth.json: files of other tools.  Helper programs are not run: their names are taken out. */
// libs: -ljansson
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/oci/auth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	own_fd int fd = memfd_create("auth", 0);
	own_auth struct auth a = {0};
	struct err e = {0};
	char path[64];

	if (memmem(data, n, "cred", 4) != NULL || memmem(data, n, "\\u", 2) != NULL ||
	    write(fd, data, n) != (ssize_t)n)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	(void)auth_find(NULL, path, "registry.io/ns/app", &a, &e);
	return 0;
}
