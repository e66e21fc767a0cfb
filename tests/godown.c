/* SPDX-License-Identifier: ISC */
/*
 * godown DIRECTORY: the file system (ext4 or XFS) stops at once, without writing back what it holds in memory nor
 * its journal, as when the power goes.  Unmounted and mounted again it shows what had reached the disk.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>

#define GOING_DOWN _IOR('X', 125, uint32_t) /* of both */
#define WITHOUT_JOURNAL 2u

int
main(int argc, char **argv)
{
	uint32_t how = WITHOUT_JOURNAL;
	int fd = argc == 2 ? open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd == -1 || ioctl(fd, GOING_DOWN, &how) == -1) {
		perror(argc == 2 ? argv[1] : "usage: godown DIRECTORY");
		return 1;
	}
	return 0;
}
