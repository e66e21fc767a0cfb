/* SPDX-License-Identifier: ISC */
/*
 * cp: paths are resolved here, once, to descriptors; the worker copies between them.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/path.h"
#include "common/role/spawn.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/cp.h"
#include "pod-run/life/copying.h"
#include "pod-run/life/sync.h"
#include "pod-run/remote/copies.h"

#define LINKS_MAX 40 /* as the kernel's own limit */

static const struct opt rows[] = {
    {"archive", 'a', OPT_BOOL(struct cp_opts, archive), .def = "true",
	.help = "Chown copied files to the primary uid/gid of the destination container"},
    {"extract", 0, OPT_NO_BOOL, .flags = OPT_HIDDEN,
	.help = "Deprecated: has no effect, archives are always unpacked from standard input"},
    {"overwrite", 0, OPT_BOOL(struct cp_opts, overwrite),
	.help = "Allow to overwrite directories with non-directories and vice versa"},
    {"pause", 0, OPT_NO_BOOL, .flags = OPT_HIDDEN, .help = "Deprecated: has no effect"},
    OPT_END,
};

void
cp_side_free(struct cp_side *s)
{
	fd_close(&s->fd);
	fd_close(&s->dir);
	if (s->container == NULL)
		fd_close(&s->root);
	files_free(&s->opened);
}

/* --- Words --------------------------------------------------------------------------------------*/

/* "CONTAINER:PATH"; what begins with "." or "/" is a path of the host, whatever it holds. */
static void
split(const char *word, struct cp_side *s, struct arena *a)
{
	const char *colon = strchr(word, ':');

	s->path = word;
	if (*word == '.' || *word == '/' || colon == NULL)
		s->stream = strcmp(word, "-") == 0;
	else {
		s->path = colon + 1;
		if (colon != word)
			s->container = arena_strndup(a, word, (size_t)(colon - word));
	}
}

bool
cp_is_content(const char *path)
{
	return strcmp(path, ".") == 0 || strcmp(path, "/") == 0 || text_has_suffix(path, "/.");
}

/* --- Finding ------------------------------------------------------------------------------------*/

static void
open_host(struct cp_side *s, struct arena *a)
{
	own_mem char *cwd = *s->path != '/' ? getcwd(NULL, 0) : NULL;

	s->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	s->absolute = cwd == NULL ? s->path : arena_printf(a, "%s/%s", cwd, s->path);
}

static int
find_container(struct ctx *x, struct cp_side *s, struct arena *a, struct err *e)
{
	char id[NAMES_ID_LEN + 1];
	struct db *db;

	if (s->container == NULL)
		return 0;
	db = ctx_db(x, e);
	if (db == NULL)
		return -1;
	if (ctr_find(db, s->container, id, e) == -1)
		return e->class == ERR_NOTFOUND
			   ? err_set(
				 e, ERR_NOTFOUND, "container \"%s\" does not exist", s->container)
			   : -1;
	s->id = arena_strdup(a, id);
	return 0;
}

/* A container, unless its files were opened for the other side already. */
static int
open_container(struct ctx *x, struct cp_side *s, struct files *open, struct err *e)
{
	if (s->id == NULL)
		return 0;
	if (open == NULL && files_open(x, s->id, &s->opened, e) == -1)
		return -1;
	s->files = open != NULL ? open : &s->opened;
	s->root = s->files->root;
	s->absolute = files_absolute(s->files, s->path);
	return 0;
}

/*
 * Containers that do not run stay locked.  Of two the one with the lower ID comes first: somebody may be copying
 * the other way.
 */
static int
open_sides(struct ctx *x, struct cp_side *from, struct cp_side *to, struct arena *a, struct err *e)
{
	int order;

	if (find_container(x, from, a, e) == -1 || find_container(x, to, a, e) == -1)
		return -1;
	order = from->id != NULL && to->id != NULL ? strcmp(from->id, to->id) : -1;
	if (order > 0 && open_container(x, to, NULL, e) == -1)
		return -1;
	if (open_container(x, from, NULL, e) == -1 ||
	    (order <= 0 && open_container(x, to, order == 0 ? from->files : NULL, e) == -1))
		return -1;
	if (from->id == NULL && !from->stream)
		open_host(from, a);
	if (to->id == NULL && !to->stream)
		open_host(to, a);
	return 0;
}

int
cp_not_found(const struct cp_side *s, struct err *e)
{
	if (s->container == NULL)
		err_set(e, ERR_NOTFOUND,
		    "\"%s\" could not be found on the host: no such file or directory", s->path);
	else
		err_set(e, ERR_NOTFOUND,
		    "\"%s\" could not be found on container %s: no such file or directory",
		    s->absolute, s->container);
	return -1;
}

/*
 * Finds the directory and the name behind links: path, as long as its last component is a link, becomes
 * what the link says.
 */
static int
find_name(struct cp_side *s, const char *path, struct arena *a)
{
	struct err ignored = {0};
	char target[PATH_MAX];
	struct stat st;
	ssize_t n;

	for (int i = 0; i < LINKS_MAX; i++) {
		const char *slash;

		fd_close(&s->dir);
		s->dir = path_parent(s->root, path, PATH_IN_ROOT, s->name, &ignored);
		if (s->dir == -1)
			return -1;
		if (fstatat(s->dir, s->name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
		    !S_ISLNK(st.st_mode))
			return 0;
		n = readlinkat(s->dir, s->name, target, sizeof(target) - 1);
		if (n <= 0)
			return -1;
		target[n] = '\0';
		slash = strrchr(path, '/');
		path = *target == '/' ? arena_strdup(a, target)
				      : arena_printf(a, "%.*s/%s",
					    slash != NULL ? (int)(slash - path) : 0, path, target);
	}
	errno = ELOOP;
	return -1;
}

/* Looks what path leads to. */
static int
look(struct cp_side *s, struct arena *a, struct err *e)
{
	s->fd = path_try(s->root, s->absolute, PATH_IN_ROOT, O_PATH, 0);
	if (s->fd == -1 && errno != ENOENT && errno != ENOTDIR)
		return err_sys(e, "opening \"%s\"", s->path);
	if (s->fd != -1 && fstat(s->fd, &s->st) == -1)
		return err_sys(e, "looking at \"%s\"", s->path);
	s->exists = s->fd != -1;
	s->is_dir = s->exists && S_ISDIR(s->st.st_mode);
	/* A file of the name of a directory that is asked for. */
	if (s->exists && !s->is_dir && text_has_suffix(s->path, "/"))
		return cp_not_found(s, e);
	if (find_name(s, s->absolute, a) == -1) {
		fd_close(&s->dir);
		s->name[0] = '\0';
	}
	return 0;
}

int
cp_find(struct cp_side *s, struct arena *a, struct err *e)
{
	open_host(s, a);
	return look(s, a, e);
}

/*
 * Of a host's path its last component, as it was typed; of a container's, where
 * its links lead.
 */
void
cp_base_name(const struct cp_side *s, char out[NAME_MAX + 1])
{
	const char *path = s->path;
	size_t end = strlen(path), start;

	while (end > 1 && path[end - 1] == '/')
		end--;
	for (start = end; start > 0 && path[start - 1] != '/';)
		start--;
	snprintf(out, NAME_MAX + 1, "%.*s", (int)(end - start), path + start);
	if (s->container != NULL && s->name[0] != '\0')
		snprintf(out, NAME_MAX + 1, "%s", s->name);
	if (*out == '\0' || strcmp(out, "..") == 0 || strcmp(out, ".") == 0) {
		own_mem char *link = xasprintf("/proc/self/fd/%d", s->fd);
		char real[PATH_MAX];
		ssize_t n = readlink(link, real, sizeof(real) - 1);
		const char *slash;

		real[n > 0 ? n : 0] = '\0';
		slash = strrchr(real, '/');
		snprintf(out, NAME_MAX + 1, "%s",
		    slash != NULL && slash[1] != '\0' ? slash + 1 : "root");
	}
}

/* --- Copying ------------------------------------------------------------------------------------*/

/* Who shall own what arrives. */
static void
fill_owner(struct msg_copy *m, const struct cp_side *to, const struct cp_opts *o)
{
	const struct rec_ctr_config *c;

	if (to->container == NULL) {
		m->chown = true;
		m->uid = geteuid();
		m->gid = getegid();
		m->no_devices = true;
		return;
	}
	c = to->files->ctr.config;
	m->chown = o->archive;
	m->uid = to->files->uid;
	m->gid = to->files->gid;
	m->uid_map.v = c->uid_map.v;
	m->uid_map.n = c->uid_map.n;
	m->gid_map.v = c->gid_map.v;
	m->gid_map.n = c->gid_map.n;
}

int
cp_open_source(struct cp_side *s, struct err *e)
{
	if (s->fd == -1)
		return cp_not_found(s, e);
	if (!S_ISDIR(s->st.st_mode) && !S_ISREG(s->st.st_mode))
		return err_set(e, ERR_UNSUPPORTED,
		    "\"%s\" is neither a regular file nor a directory", s->path);
	return path_reopen(s->fd, O_RDONLY | (S_ISDIR(s->st.st_mode) ? O_DIRECTORY : 0), e);
}

static int
read_only_hint(const struct cp_side *to, struct err *e)
{
	if (e->no == EROFS && to->container != NULL && to->files->read_only)
		return err_set(e, ERR_DENIED, "container rootfs is marked read-only");
	return -1;
}

int
cp_check(const struct cp_side *from, const struct cp_side *to, bool has_parent, struct err *e)
{
	if (from->is_dir && to->exists && !to->is_dir)
		return err_set(
		    e, ERR_INVALID, "destination must be a directory when copying a directory");
	if (to->container == NULL && to->exists && !to->is_dir && !S_ISREG(to->st.st_mode))
		return err_set(e, ERR_INVALID,
		    "invalid destination: \"%s\" must be a directory or a regular file", to->path);
	if (!to->exists &&
	    (!has_parent || text_has_suffix(to->path, "/") || cp_is_content(to->path)))
		return cp_not_found(to, e);
	return 0;
}

static int
copy_tree(struct cp_side *from, struct cp_side *to, const struct cp_opts *o, struct err *e)
{
	struct msg_copy m = {.form = "tree", .overwrite = o->overwrite};
	bool contents;
	own_fd int source = -1, target = -1;
	char base[NAME_MAX + 1];

	source = cp_open_source(from, e);
	if (source == -1)
		return -1;
	contents = from->is_dir && cp_is_content(from->path);
	if (cp_check(from, to, to->dir != -1, e) == -1)
		return -1;
	if (to->is_dir) {
		cp_base_name(from, base);
		m.name = contents ? NULL : base;
		target = path_reopen(to->fd, O_RDONLY | O_DIRECTORY, e);
	} else {
		m.name = to->name;
		target = path_reopen(to->dir, O_RDONLY | O_DIRECTORY, e);
	}
	if (target == -1)
		return -1;
	m.source = source;
	m.target = target;
	fill_owner(&m, to, o);
	return copying_run(&m, e) == -1 ? read_only_hint(to, e) : 0;
}

static int
copy_out(struct cp_side *from, struct err *e)
{
	struct msg_copy m = {.form = "pack", .chown = true};
	own_fd int source = cp_open_source(from, e), target = -1;
	char base[NAME_MAX + 1];

	if (source == -1)
		return -1;
	cp_base_name(from, base);
	m.name = from->is_dir && cp_is_content(from->path) ? NULL : base;
	/* As the container counts its users. */
	m.uid = from->files->inner_uid;
	m.gid = from->files->inner_gid;
	target = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (target == -1)
		return err_sys(e, "writing to standard output");
	m.source = source;
	m.target = target;
	return copying_run(&m, e);
}

/* --- A tar stream comes in ----------------------------------------------------------------------*/

static int
copy_in(struct cp_side *to, const struct cp_opts *o, struct err *e)
{
	static const char no_archive[] =
	    "source must be a (compressed) tar archive when copying from stdin";
	struct msg_copy m = {.form = "unpack", .overwrite = o->overwrite, .path = to->absolute};
	own_fd int source = -1;
	int r;

	if (!to->is_dir)
		return err_set(
		    e, ERR_INVALID, "destination must be a directory when copying from stdin");
	source = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	if (source == -1)
		return err_sys(e, "reading standard input");
	m.target = to->root;
	fill_owner(&m, to, o);
	r = copying_unpack(&m, &source, e);
	if (r == -1 && e->class == ERR_FORMAT) {
		own_mem char *why = xstrdup(e->text);

		if (strcmp(why, COPYING_NO_ARCHIVE) == 0)
			return err_set(e, ERR_FORMAT, "%s", no_archive);
		return err_set(e, ERR_FORMAT, "%s: %s", no_archive, why);
	}
	return r == -1 ? read_only_hint(to, e) : 0;
}

/* --- The command --------------------------------------------------------------------------------*/

static int
copy(struct ctx *x, struct cp_side *from, struct cp_side *to, const struct cp_opts *o,
    struct arena *a, struct err *e)
{
	if (open_sides(x, from, to, a, e) == -1 || (!from->stream && look(from, a, e) == -1))
		return -1;
	if (!from->stream && !from->exists)
		return cp_not_found(from, e);
	if (!to->stream && look(to, a, e) == -1)
		return -1;
	if (from->stream)
		return copy_in(to, o, e);
	return to->stream ? copy_out(from, e) : copy_tree(from, to, o, e);
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	struct ctx *x = ctx_of(cli);
	own_arena struct arena a = {0};
	own_cp_side struct cp_side from = CP_SIDE_NONE, to = CP_SIDE_NONE;

	(void)argc;
	split(argv[0], &from, &a);
	split(argv[1], &to, &a);
	if (*from.path == '\0' || *to.path == '\0')
		return err_set(e, ERR_USAGE,
		    "invalid arguments \"%s\", \"%s\": you must specify paths", argv[0], argv[1]);
	if (from.container == NULL && to.container == NULL)
		return err_set(e, ERR_USAGE, "name or ID cannot be empty");
	if (x->remote != NULL)
		return copies_run(x->remote, &from, &to, opts, &a, e);
	return copy(x, &from, &to, opts, &a, e);
}

const struct cmd cmd_cp = {
    .name = "cp",
    .synopsis = "[options] [CONTAINER:]SRC_PATH [CONTAINER:]DEST_PATH",
    .brief = "Copy files/folders between a container and the local filesystem",
    .text =
	"Copies the contents of SRC_PATH to the DEST_PATH.\n\n  You can copy from the "
	"container's file system to the local machine or the reverse, from the local filesystem "
	"to the container. If \"-\" is specified for either the SRC_PATH or DEST_PATH, you can "
	"also stream a tar archive from STDIN or to STDOUT. The CONTAINER can be a running or "
	"stopped container. The SRC_PATH or DEST_PATH can be a file or a directory.",
    .examples = "cp ctr1:/tmp/file /tmp\ncp file ctr1:/tmp/\ncp ctr1:/etc - | tar -t",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct cp_opts),
    .min = 2,
    .max = 2,
    .complete = COMPLETE_CONTAINER,
    .run = run,
};
