/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <sys/ioctl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/base/sha256.h"
#include "common/base/text.h"
#include "pod-store/quota.h"

#define BLOCK 1024u /* of if_dqblk's limits */
#define TRIES 16

static int
refused(struct err *e)
{
	int no = errno;

	err_set(e, ERR_UNSUPPORTED,
	    "storage option size: the file system of the store has no project quotas for us");
	e->no = no;
	return err_hint(e, "They take root, and XFS mounted with pquota or ext4 with the feature "
			   "project and prjquota.");
}

static int
control(int dir, int command, uint32_t project, struct if_dqblk *q)
{
	return (int)syscall(SYS_quotactl_fd, dir, QCMD(command, PRJQUOTA), project, q);
}

/*
 * A project that nobody uses: its number comes from the container's ID, so that it need not be written down.  Two who
 * look at once have different ones.
 */
static int
free_project(int dir, const char *id, uint32_t *out, struct err *e)
{
	for (unsigned i = 0; i < TRIES; i++) {
		own_mem char *text = xasprintf("%s/%u", id, i);
		struct if_dqblk q = {0};
		char hex[SHA256_HEX];

		sha256_hex(text, strlen(text), hex);
		text_from_hex(hex, 7, out);
		*out |= 0x10000000u;
		if (control(dir, Q_GETQUOTA, *out, &q) == -1 && errno != ENOENT)
			return refused(e);
		if (q.dqb_curinodes == 0 && q.dqb_curspace == 0)
			return 0;
	}
	return err_set(e, ERR_LIMIT, "no project of the file system's quotas is free");
}

int
quota_set(int dir, const char *id, uint64_t bytes, uint64_t inodes, struct err *e)
{
	const uint64_t blocks = bytes / BLOCK + (bytes % BLOCK != 0);
	struct if_dqblk q = {.dqb_bhardlimit = blocks,
	    .dqb_bsoftlimit = blocks,
	    .dqb_ihardlimit = inodes,
	    .dqb_isoftlimit = inodes,
	    .dqb_valid = QIF_LIMITS};
	struct fsxattr attr;
	uint32_t project;

	if (bytes == 0 && inodes == 0)
		return 0;
	if (ioctl(dir, FS_IOC_FSGETXATTR, &attr) == -1)
		return refused(e);
	if (free_project(dir, id, &project, e) == -1)
		return -1;
	attr.fsx_projid = project;
	attr.fsx_xflags |= FS_XFLAG_PROJINHERIT;
	if (ioctl(dir, FS_IOC_FSSETXATTR, &attr) == -1 ||
	    control(dir, Q_SETQUOTA, project, &q) == -1)
		return refused(e);
	return 0;
}
