/* SPDX-License-Identifier: ISC */
#include <linux/fs.h>
#include <sys/ioctl.h>

#include "common/fs/spread.h"

void
spread_below(int dir)
{
	/* The kernel reads and writes an int, whatever the request's name says. */
	unsigned flags = 0;

	if (ioctl(dir, FS_IOC_GETFLAGS, &flags) == -1 || (flags & FS_TOPDIR_FL))
		return;
	flags |= FS_TOPDIR_FL;
	/* Safe because it changes nothing but where new directories lie. */
	(void)ioctl(dir, FS_IOC_SETFLAGS, &flags);
}
