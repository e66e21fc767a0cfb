/* SPDX-License-Identifier: ISC */
#include "pod-run/oci/selinux.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/conf/selinux_conf.h"
#include "common/fs/path.h"
#include "common/fs/walk.h"
#include "pod-run/oci/spec_list.h"

#define CATEGORIES 1024

/* --- Contexts ---------------------------------------------------------------------------------------*/

struct context {
	char *part[3]; /* user, role, type */
	char *range;   /* NULL: a policy without levels */
};

static int
split(char *text, struct context *c, struct err *e)
{
	char *rest = text;

	for (int i = 0; i < 3; i++) {
		c->part[i] = strsep(&rest, ":");
		if (c->part[i] == NULL || *c->part[i] == '\0')
			return err_set(
			    e, ERR_FORMAT, "SELinux: the policy's contexts are malformed");
	}
	c->range = rest;
	return 0;
}

static const char *
join(const struct context *c, struct arena *a)
{
	if (c->range == NULL)
		return arena_printf(a, "%s:%s:%s", c->part[0], c->part[1], c->part[2]);
	return arena_printf(a, "%s:%s:%s:%s", c->part[0], c->part[1], c->part[2], c->range);
}

/* One word of label=: true with *disable for disable. */
static int
apply(char *word, struct context *process, struct context *file, struct selinux_labels *out,
    bool *disable, struct err *e)
{
	static const char *const parts[] = {"user", "role", "type"};
	char *value = strchr(word, ':');

	if (strcmp(word, "disable") == 0) {
		*disable = true;
		return 0;
	}
	if (strcmp(word, "nested") == 0) {
		out->nested = true;
		return 0;
	}
	if (value != NULL && value[1] != '\0') {
		*value++ = '\0';
		for (size_t i = 0; i < COUNTOF(parts); i++)
			if (strcmp(word, parts[i]) == 0) {
				process->part[i] = value;
				return 0;
			}
		if (strcmp(word, "filetype") == 0) {
			file->part[2] = value;
			return 0;
		}
		if (strcmp(word, "level") == 0) {
			process->range = file->range = value;
			return 0;
		}
		value[-1] = ':';
	}
	return err_set(e, ERR_INVALID,
	    "invalid label option \"%s\", valid options 'disable' or 'user, role, level, type, "
	    "filetype' followed by ':' and a value",
	    word);
}

int
selinux_compute(const char *contexts, const struct strs *words, bool systemd, unsigned c1,
    unsigned c2, struct arena *a, struct selinux_labels *out, struct err *e)
{
	char *process_text = selinux_conf_value(contexts, "process", a);
	char *file_text = selinux_conf_value(contexts, "file", a);
	char *init_text = selinux_conf_value(contexts, "init_process", a);
	struct context process, file;
	bool disable = false;

	*out = (struct selinux_labels){.process = "", .mount = ""};
	if (process_text == NULL || file_text == NULL)
		return err_set(e, ERR_FORMAT, "SELinux: the policy names no labels for containers");
	if (systemd && init_text != NULL)
		process_text = init_text;
	if (split(process_text, &process, e) == -1 || split(file_text, &file, e) == -1)
		return -1;
	if (process.range != NULL)
		process.range = file.range =
		    arena_printf(a, "s0:c%u,c%u", c1 < c2 ? c1 : c2, c1 < c2 ? c2 : c1);
	for (size_t i = 0; i < words->n; i++)
		if (apply(arena_strdup(a, words->v[i]), &process, &file, out, &disable, e) == -1)
			return -1;
	if (disable) {
		out->mount = selinux_shared(join(&file, a), a);
		return 0;
	}
	out->process = join(&process, a);
	out->mount = join(&file, a);
	return 0;
}

const char *
selinux_level(const char *label)
{
	for (int i = 0; i < 3 && label != NULL; i++) {
		label = strchr(label, ':');
		if (label != NULL)
			label++;
	}
	return label;
}

const char *
selinux_shared(const char *label, struct arena *a)
{
	char *copy = arena_strdup(a, label);
	const char *level = selinux_level(copy);

	/* Its categories go. */
	if (level != NULL)
		copy[level - copy + (ptrdiff_t)strcspn(level, ":-")] = '\0';
	return copy;
}

int
selinux_labels(const struct strs *words, bool systemd, struct arena *a, struct selinux_labels *out,
    struct err *e)
{
	own_mem char *contexts = selinux_conf_contexts(e);
	uint16_t c[2];

	if (contexts == NULL)
		return -1;
	do {
		/* getrandom cannot fail for so few bytes once the kernel has booted. */
		if (getrandom(c, sizeof(c), 0) != sizeof(c))
			abort();
	} while (c[0] % CATEGORIES == c[1] % CATEGORIES);
	return selinux_compute(
	    contexts, words, systemd, c[0] % CATEGORIES, c[1] % CATEGORIES, a, out, e);
}

/* --- Relabelling ------------------------------------------------------------------------------------*/

static bool
is_file(const struct stat *st, const char *path)
{
	struct stat other;

	return stat(path, &other) == 0 && other.st_dev == st->st_dev && other.st_ino == st->st_ino;
}

/*
 * By what is open, for its name leads where whoever owns a directory on the way wants it to; and by the name, for what
 * is open may be an overlay on it.
 */
static bool
is_forbidden(const struct stat *st, const char *path)
{
	static const char *const host[] = {"/", "/bin", "/boot", "/dev", "/etc", "/etc/passwd",
	    "/etc/pki", "/etc/shadow", "/home", "/lib", "/lib64", "/media", "/opt", "/proc",
	    "/root", "/run", "/sbin", "/srv", "/sys", "/tmp", "/usr", "/var", "/var/lib",
	    "/var/log"};
	const char *home = getenv("HOME");

	for (size_t i = 0; i < COUNTOF(host); i++)
		if (is_file(st, host[i]) || strcmp(host[i], path) == 0)
			return true;
	return home != NULL && (is_file(st, home) || strcmp(home, path) == 0);
}

/* A file system that knows no labels is none of our business. */
static int
set(const char *path, const char *label)
{
	return lsetxattr(path, SELINUX_XATTR, label, strlen(label) + 1, 0) == 0 ||
		       errno == EOPNOTSUPP || errno == ENOENT
		   ? 0
		   : -1;
}

/*
 * Safe because the tree is walked by descriptors: the name is looked up in its own directory, and a link is
 * labelled itself.
 */
static int
label_entry(void *arg, const struct walk_entry *w, struct err *e)
{
	own_mem char *path = xasprintf("/proc/self/fd/%d/%s", w->dir, w->name);

	return set(path, arg) == 0 ? 0 : err_sys(e, "relabel %s", w->path);
}

/* "user:role:type:level" */
static const char *
type_of(const char *label, size_t *n)
{
	for (int i = 0; i < 2; i++) {
		label += strcspn(label, ":");
		label += *label == ':';
	}
	*n = strcspn(label, ":");
	return label;
}

bool
selinux_differs(const char *path, const char *label)
{
	char has[4096];
	ssize_t size = lgetxattr(path, SELINUX_XATTR, has, sizeof(has) - 1);
	const char *a, *b;
	size_t n, m;

	if (size < 0)
		return false;
	has[size] = '\0';
	a = type_of(has, &n);
	b = type_of(label, &m);
	return n != m || memcmp(a, b, n) != 0;
}

int
selinux_relabel(int fd, const char *path, const char *label, struct err *e)
{
	own_mem char *real = realpath(path, NULL);
	own_fd int dir = -1;
	char top[40];
	struct stat st;
	char word[4096];

	if (fstat(fd, &st) == -1)
		return err_sys(e, "relabel %s", path);
	/* "/usr/" and a link to /usr are /usr. */
	if (is_forbidden(&st, real != NULL ? real : path))
		return err_set(e, ERR_INVALID, "SELinux relabeling of %s is not allowed", path);
	snprintf(top, sizeof(top), "/proc/self/fd/%d", fd);
	snprintf(word, sizeof(word), "%s", label);
	if (setxattr(top, SELINUX_XATTR, label, strlen(label) + 1, 0) == -1 && errno != EOPNOTSUPP)
		return err_sys(e, "relabel %s", path);
	if (!S_ISDIR(st.st_mode))
		return 0;
	dir = path_reopen(fd, O_RDONLY | O_DIRECTORY, e);
	return dir == -1 ? -1 : walk_deep(dir, label_entry, word, e);
}
