/* SPDX-License-Identifier: ISC */
/*
 * Finds users and groups in the passwd and group files of an image, as the peers do (runc's
 * libcontainer/user): a numeric name is an id whether or not the file knows it, the first match
 * counts, supplementary groups come with a name that was found and only if no group was asked for.
 * The files are hostile: lines that are malformed or whose ids are out of range are not there.
 */
#ifndef POD_PASSWD_H
#define POD_PASSWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/mem.h"

#define PASSWD_FILE_MAX (4u << 20)
#define PASSWD_ID_MAX 2147483647u
#define PASSWD_GROUPS_MAX 1024u

/* Zeroed before use; what it points to lives in the arena. */
struct passwd_user {
	uint32_t uid, gid;
	bool known; /* there is a line for the user */
	bool
	    group_known; /* a group asked for by number, or else a number that was the user, has a line */
	const char *name, *home, *shell; /* "", "/" and "" if not known */
	uint32_t *groups;		 /* supplementary, each once */
	size_t ngroups, groups_cap;
};

/*
 * Looks up spec ("", "USER", "UID", "USER:GROUP", …) and the additional groups.  passwd and group
 * are the files' contents, NULL if there is no file; n bytes each, which are not changed.
 */
struct passwd_files {
	const char *passwd, *group;
	size_t passwd_n, group_n;
};

int passwd_lookup(const struct passwd_files *f, const char *spec, const struct strv *more,
    struct passwd_user *out, struct arena *a, struct err *e);
void passwd_free(struct passwd_user *u);

#endif
