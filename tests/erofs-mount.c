/* SPDX-License-Identifier: ISC */
/*
 * erofs-mount IMAGE TAR DIRECTORY: mounts the image of a layer for the tests, as pod-store does but for all in
 * this mount namespace to see.
 */
#include <linux/mount.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static int
fail(int fs, const char *what)
{
	char line[512];
	ssize_t n;

	perror(what);
	while ((n = read(fs, line, sizeof(line) - 1)) > 0)
		fprintf(stderr, "%.*s\n", (int)n, line);
	return EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	int fs = (int)syscall(SYS_fsopen, "erofs", FSOPEN_CLOEXEC), m;

	if (argc != 4 || fs == -1)
		return fail(fs, "erofs-mount IMAGE TAR DIRECTORY");
	if (syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "source", argv[1], 0) == -1 ||
	    syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "device", argv[2], 0) == -1 ||
	    syscall(SYS_fsconfig, fs, FSCONFIG_SET_FLAG, "ro", NULL, 0) == -1 ||
	    syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == -1)
		return fail(fs, argv[1]);
	m = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
	if (m == -1 ||
	    syscall(SYS_move_mount, m, "", AT_FDCWD, argv[3], MOVE_MOUNT_F_EMPTY_PATH) == -1)
		return fail(fs, argv[3]);
	return EXIT_SUCCESS;
}
