/* SPDX-License-Identifier: ISC */
#include "pod-run/life/mounts_conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/fs/file.h"
#include "common/fs/path.h"
#include "common/fs/tree.h"
#include "pod-run/life/bundle.h"
#include "pod-run/life/copying.h"
#include "pod-run/oci/spec_list.h"

#define FILE_MAX ((size_t)1 << 20)
#define LINES_MAX 64

/* The first file there is, as text; NULL if there is none, or with e. */
static char *
read_conf(struct start *s, struct err *e)
{
	const char *home = s->x->rootless.user ? getenv("HOME") : NULL;
	own_mem char *mine =
	    home != NULL ? xasprintf("%s/.config/containers/mounts.conf", home) : NULL;
	const char *const paths[] = {s->x->g->default_mounts_file, mine,
	    "/etc/containers/mounts.conf", "/usr/share/containers/mounts.conf"};

	for (size_t i = 0; i < COUNTOF(paths); i++) {
		own_fd int fd = -1;
		char *text;
		size_t n;

		if (paths[i] == NULL || *paths[i] == '\0')
			continue;
		fd = open(paths[i], O_RDONLY | O_CLOEXEC);
		if (fd != -1)
			return file_slurp(fd, FILE_MAX, paths[i], &text, &n, e) == 0 ? text : NULL;
		if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) {
			err_sys(e, "open %s", paths[i]);
			return NULL;
		}
	}
	return NULL;
}

/* The container may change its copy, and nobody else's. */
static int
copy(struct start *s, const char *source, const char *name, struct err *e)
{
	own_fd int from = open(source, O_RDONLY | O_CLOEXEC | O_NONBLOCK), to = -1;
	struct msg_copy m = {.form = "tree"};
	struct stat st;

	if (from == -1 || fstat(from, &st) == -1) {
		log_warn("mounts.conf: %s is passed over: %s", source, strerror(errno));
		return 0;
	}
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
		log_warn("mounts.conf: %s is passed over: neither a file nor a directory", source);
		return 0;
	}
	if (tree_remove(s->bundle_fd, name, e) == -1)
		return -1;
	if (S_ISDIR(st.st_mode)) {
		if (mkdirat(s->bundle_fd, name, 0755) == -1)
			return err_sys(e, "making a directory for %s", source);
		to = path_open(s->bundle_fd, name, PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0, e);
	} else {
		m.name = name;
		to = path_reopen(s->bundle_fd, O_RDONLY | O_DIRECTORY, e);
	}
	if (to == -1)
		return -1;
	m.source = from;
	m.target = to;
	if (copying_run(&m, e) == -1)
		return err_wrap(e, "copying %s", source);
	return bundle_label(s, name, e) == 0 ? 1 : -1;
}

int
mounts_conf_prepare(struct start *s, struct spec_facts *f, struct err *e)
{
	own_mem char *text = read_conf(s, e);
	struct cdi_mount *v;
	char *rest = text;
	size_t n = 0;

	if (text == NULL)
		return err_is_set(e) ? -1 : 0;
	v = arena_array(&s->arena, LINES_MAX, sizeof(*v));
	for (char *line; (line = strsep(&rest, "\n")) != NULL && n < LINES_MAX;) {
		const char *name = arena_printf(&s->arena, "conf.%zu", n);
		char *target;
		int r;

		line += strspn(line, " \t");
		line[strcspn(line, " \t\r#")] = '\0';
		if (*line != '/')
			continue;
		target = strchr(line, ':');
		if (target != NULL)
			*target++ = '\0';
		else
			target = line;
		if (*target != '/')
			return err_set(
			    e, ERR_INVALID, "mounts.conf: %s is not an absolute path", target);
		r = copy(s, line, name, e);
		if (r == -1)
			return -1;
		if (r == 0)
			continue;
		v[n] = (struct cdi_mount){.type = "bind",
		    .source = arena_printf(&s->arena, "%s/%s", s->bundle, name),
		    .target = arena_strdup(&s->arena, target)};
		spec_list_add(&s->arena, &v[n].options, "bind");
		spec_list_add(&s->arena, &v[n].options, "rprivate");
		n++;
	}
	f->conf_mounts = v;
	f->conf_mounts_n = n;
	return 0;
}
