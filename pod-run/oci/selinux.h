/* SPDX-License-Identifier: ISC */
/*
 * SELinux labels of containers, by the kernel's and the policy's files: the program is static, and the library
 * would only read the same files.
 */
#ifndef POD_SELINUX_H
#define POD_SELINUX_H

#include "common/base/err.h"
#include "common/wire/msg.h"

struct selinux_labels {
	const char *process, *mount; /* process "": the runtime sets none */
	bool nested;
};

/*
 * Labels of a container by the policy's file lxc_contexts, the words of --security-opt label= and a fresh pair of
 * categories.  systemd: the type for containers whose process is an init.
 */
int selinux_labels(const struct strs *words, bool systemd, struct arena *a,
    struct selinux_labels *out, struct err *e);

/* The same from the text of the file and given categories. */
int selinux_compute(const char *contexts, const struct strs *words, bool systemd, unsigned c1,
    unsigned c2, struct arena *a, struct selinux_labels *out, struct err *e);

/* What stands behind user, role and type; NULL in a policy without levels. */
const char *selinux_level(const char *label);

/* label without its categories, for what containers share. */
const char *selinux_shared(const char *label, struct arena *a);

/* True if the file at path has a label of another type. */
bool selinux_differs(const char *path, const char *label);

/*
 * Gives the file fd (O_PATH will do), and everything below it if it is a directory, that label.  path is for the
 * check that nobody takes the host's own directories away from it, and for errors.
 */
int selinux_relabel(int fd, const char *path, const char *label, struct err *e);

#endif
