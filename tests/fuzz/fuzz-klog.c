/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/oci/klog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
parse(const uint8_t *data, size_t size)
{
	struct klog_line l;
	/* Of exactly this size, so that a read behind the end is seen. */
	char *copy = malloc(size);

	if (copy == NULL)
		return;
	memcpy(copy, data, size);
	if (klog_parse(copy, size, &l) == 0 &&
	    (l.text < copy || l.text + l.n != copy + size || strlen(l.stamp) != 35))
		abort();
	free(copy);
}

/* A whole file, of which the first byte says how many lines from its end. */
static void
read_file(const uint8_t *data, size_t size)
{
	int fd = memfd_create("log", MFD_CLOEXEC);
	struct klog_reader *r = klog_new(0, 0);
	int64_t tail = size > 0 ? data[0] & 7 : 0;
	struct klog_line l;
	struct err e;

	if (write(fd, data, size) != (ssize_t)size)
		abort();
	lseek(fd, 0, SEEK_SET);
	klog_take_file(r, fd);
	if (size > 0 && (data[0] & 8) != 0 && klog_tail(r, &tail, &e) != 0)
		abort();
	while (klog_next(r, &l, &e) == 1)
		if (l.n > KLOG_RECORD_MAX)
			abort();
	klog_free(r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	parse(data, size);
	read_file(data, size);
	return 0;
}
