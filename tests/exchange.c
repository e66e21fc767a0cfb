/* SPDX-License-Identifier: ISC */
/*
 * exchange DIR A B: exchanges two names in a directory as fast as the kernel can, until it is ended.  Whoever
 * looks at a name and opens it afterwards meets something else about every other time.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

int
main(int argc, char **argv)
{
	int dir;

	if (argc != 4) {
		fprintf(stderr, "usage: exchange DIR A B\n");
		return 125;
	}
	dir = open(argv[1], O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir == -1)
		err(125, "%s", argv[1]);
	/* One of them may be about to be replaced. */
	while (renameat2(dir, argv[2], dir, argv[3], RENAME_EXCHANGE) == 0 || errno == ENOENT)
		;
	err(125, "%s and %s", argv[2], argv[3]);
}
