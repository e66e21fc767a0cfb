/* SPDX-License-Identifier: ISC */
/*
 * The two sides of a copy: what the user named, and what is there.
 */
#ifndef POD_CP_H
#define POD_CP_H

#include <limits.h>
#include <sys/stat.h>

#include "pod-run/life/files.h"

struct cp_opts {
	bool archive, overwrite;
};

struct cp_side {
	const char *container; /* NULL: the host */
	const char *id;	       /* of the container, once it was found */
	const char *path;      /* as the user typed it; "-": a tar stream */
	bool stream;
	struct files opened;
	struct files *files; /* of a container: ours, or those of the other side */
	int root;	     /* borrowed or ours */
	const char *absolute;

	/* What is there (fd is -1 if it cannot be opened from here), and where it is or would be. */
	bool exists, is_dir;
	int fd, dir;
	struct stat st;
	char name[NAME_MAX + 1];
};
void cp_side_free(struct cp_side *s);
#define CP_SIDE_NONE ((struct cp_side){.opened = FILES_NONE, .root = -1, .fd = -1, .dir = -1})
#define own_cp_side own(cp_side_free)

/* Fills a side of the host that is not a stream; that nothing is there is no error. */
int cp_find(struct cp_side *s, struct arena *a, struct err *e);

int cp_not_found(const struct cp_side *s, struct err *e);

/* Is only the content of such a directory meant? */
bool cp_is_content(const char *path);

/* The name a copy gets below a directory. */
void cp_base_name(const struct cp_side *s, char out[NAME_MAX + 1]);

/* The source, open for reading; only now that it is known to be neither FIFO nor device. */
int cp_open_source(struct cp_side *s, struct err *e);

/* May the one become the other?  has_parent: there is a directory for a target that is not there. */
int cp_check(const struct cp_side *from, const struct cp_side *to, bool has_parent, struct err *e);

#endif
