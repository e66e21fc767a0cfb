/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/human.h"
#include "common/fs/file.h"
#include "common/fs/path.h"
#include "common/fs/tree.h"
#include "common/fs/walk.h"
#include "common/oci/base64.h"
#include "common/role/spawn.h"
#include "pod-run/life/archive.h"
#include "pod-run/life/copying.h"
#include "pod-run/life/criu_images.h"
#include "pod-run/life/document.h"
#include "pod-run/life/libpod.h"
#include "pod-run/life/volumes.h"
#include "pod-run/oci/spec_logging.h"

#define STAGE "archive" /* beside the checkpoint, while it is written */
#define CONFIG "config.dump"
#define SPEC "spec.dump"
#define NETWORK "network.status"
#define CONFIG_MAX ((size_t)16 << 20)
#define CHANGES_MAX ((size_t)1 << 30)
#define OURS "podContainer" /* our own keys: the records as the database holds them */
#define OURS_RUN "podRun"

/* --- The parts ----------------------------------------------------------------------------------*/

struct writing {
	struct ctx *x;
	struct ctr *c;
	const struct checkpoint *o;
	int dir, stage; /* the container's directory, and the archive's in it */
};

static int
put_json(const struct writing *w, const char *name, json_t *j, struct err *e)
{
	own_json json_t *owned = j;
	own_mem char *text = json_text(owned);

	return file_write(w->stage, name, text, strlen(text), 0600, 0, e);
}

static void
put_packed(json_t *o, const char *key, const struct wire_desc *d, const void *rec)
{
	own_strbuf struct strbuf packed = {0};
	own_mem char *text = NULL;

	wire_pack(d, rec, &packed);
	text = base64_encode(packed.s, packed.n);
	json_put_str(o, key, text);
}

static int
add_config(const struct writing *w, struct err *e)
{
	const struct rec_ctr_config *c = w->c->config;
	json_t *o = json_obj();
	char created[HUMAN_MAX];

	human_rfc3339nano_utc(w->c->created_ns, created, sizeof(created));
	json_put_str(o, "id", w->c->id);
	json_put_str(o, "name", w->c->name);
	json_put_str(o, "rootfsImageID", w->c->image);
	json_put_str(o, "rootfsImageName", c->image_name != NULL ? c->image_name : "");
	json_put_str(o, "createdTime", created);
	json_put_str(o, "runtime", c->runtime != NULL ? c->runtime : "");
	libpod_put(w->c, o);
	put_packed(o, OURS, &rec_ctr_config_desc, c);
	put_packed(o, OURS_RUN, &rec_ctr_run_desc, &w->c->run);
	return put_json(w, CONFIG, o, e);
}

static int
add_network(const struct writing *w, struct err *e)
{
	json_t *o = json_obj();

	for (size_t i = 0; i < w->c->run.interfaces.n; i++) {
		const struct rec_net_interface *f = &w->c->run.interfaces.v[i];
		json_t *all = json_put_obj(json_put_obj(o, f->network), "interfaces");
		json_t *one = json_put_obj(all, f->name), *subnets = json_put_arr(one, "subnets");

		for (size_t k = 0; k < f->addresses.n; k++) {
			json_t *subnet = json_add_obj(subnets);

			json_put_str(subnet, "ipnet", f->addresses.v[k].ipnet);
			if (f->addresses.v[k].gateway != NULL)
				json_put_str(subnet, "gateway", f->addresses.v[k].gateway);
		}
		json_put_str(one, "mac_address", f->mac != NULL ? f->mac : "");
	}
	return put_json(w, NETWORK, o, e);
}

/* A regular file of ours into the archive; one that is missing is left out. */
static int
add_file(const struct writing *w, const char *path, const char *name, struct err *e)
{
	own_fd int source = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct msg_copy m = {
	    .form = "tree", .name = name, .source = source, .target = w->stage, .overwrite = true};
	struct stat st;

	if (source == -1)
		return errno == ENOENT || errno == ELOOP ? 0 : err_sys(e, "opening %s", path);
	if (fstat(source, &st) == -1 || !S_ISREG(st.st_mode))
		return 0;
	return copying_run(&m, e);
}

static int
add_spec(const struct writing *w, const char *bundle, struct err *e)
{
	own_mem char *path = xasprintf("%s/config.json", bundle), *text = NULL;
	struct err missing = {0};
	json_t *spec;
	size_t n;

	if (file_read(AT_FDCWD, path, CONFIG_MAX, &text, &n, &missing) == -1) {
		*e = missing;
		return missing.no == ENOENT ? (err_clear(e), 0) : -1;
	}
	spec = json_read_max(text, n, CONFIG_MAX, JSON_DEPTH_DEFAULT, e);
	if (spec == NULL)
		return err_wrap(e, "reading %s", path);
	libpod_put_spec(w->c, bundle, spec);
	return put_json(w, SPEC, spec, e);
}

static int
add_files(const struct writing *w, struct err *e)
{
	const struct rec_ctr_config *c = w->c->config;
	own_mem char *bundle = ctx_bundle(w->x, w->c->id), *dir = ctx_static_dir(w->x, w->c->id);
	own_mem char *stats = xasprintf("%s/" CHECKPOINT_STATS, dir);
	own_mem char *log = c->log_path != NULL && *c->log_path != '\0'
				? xstrdup(c->log_path)
				: xasprintf("%s/ctr.log", dir);

	if (add_spec(w, bundle, e) == -1 || add_file(w, stats, CHECKPOINT_STATS, e) == -1)
		return -1;
	return spec_logging_is_file(c->log_driver) ? add_file(w, log, ARCHIVE_LOG, e) : 0;
}

static int
new_file(int dir, const char *name, struct err *e)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd != -1 ? fd : err_sys(e, "making %s", name);
}

static int
add_deleted(const struct writing *w, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	own_fd int file = memfd_create("diff", MFD_CLOEXEC);
	struct msg_rootfs_diff m = {.id = w->c->id, .stream = file};
	own_mem char *text = NULL;
	json_t *list;
	size_t n;

	if (file == -1)
		return err_sys(e, "making a file in memory");
	if (peer_call(ctx_store(w->x, e), &msg_rootfs_diff_desc, &m, &in, NULL, NULL, e) == -1)
		return -1;
	if (lseek(file, 0, SEEK_SET) == -1)
		return err_sys(e, "reading the changes");
	if (file_slurp(file, CHANGES_MAX, "changes", &text, &n, e) == -1)
		return -1;
	list = json_arr();
	for (size_t i = 0; i < n; i += strlen(text + i) + 1)
		if (text[i] == 'D' && text[i + 1] == ' ')
			json_add_str(list, text + i + 2);
	return put_json(w, ARCHIVE_DELETED, list, e);
}

static int
add_rootfs(const struct writing *w, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	own_fd int file = -1;
	struct msg_rootfs_export m = {.id = w->c->id, .changes = true};

	if (w->o->ignore_rootfs || w->o->pre || w->c->config->rootfs != NULL)
		return 0;
	file = new_file(w->stage, ARCHIVE_ROOTFS, e);
	if (file == -1 || ctx_store(w->x, e) == NULL)
		return -1;
	m.stream = file;
	if (peer_call(ctx_store(w->x, e), &msg_rootfs_export_desc, &m, &in, NULL, NULL, e) == -1)
		return -1;
	return add_deleted(w, e);
}

static int
add_volume(const struct writing *w, int dir, const char *name, struct err *e)
{
	own_arena struct arena a = {0};
	own_mem char *file = xasprintf("%s.tar", name);
	own_fd int source = -1, target = -1;
	struct msg_copy m = {.form = "pack"};
	struct rec_volume v = {0};
	const char *path;
	int found = volumes_find(w->x, name, &v, &a, e);

	/* What an image shows comes from the image again. */
	if (found != 1 || volumes_is_image(&v))
		return found == -1 ? -1 : 0;
	if (volumes_mount(w->x, &v, w->c->id, &path, &a, e) == -1)
		return -1;
	source = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (source == -1)
		return err_sys(e, "opening volume %s", name);
	target = new_file(dir, file, e);
	m.source = source;
	m.target = target;
	return target == -1 ? -1 : copying_run(&m, e);
}

static int
add_volumes(const struct writing *w, struct err *e)
{
	const struct rec_ctr_config *c = w->c->config;
	own_fd int dir = -1;

	if (w->o->ignore_volumes || w->o->pre)
		return 0;
	for (size_t i = 0; i < c->mounts.n; i++) {
		const struct rec_ctr_mount *m = &c->mounts.v[i];

		if (strcmp(m->type, "volume") != 0 || m->source == NULL)
			continue;
		if (dir == -1) {
			if (mkdirat(w->stage, ARCHIVE_VOLUMES, 0700) == -1)
				return err_sys(e, "making directory " ARCHIVE_VOLUMES);
			dir = openat(w->stage, ARCHIVE_VOLUMES,
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
			if (dir == -1)
				return err_sys(e, "opening directory " ARCHIVE_VOLUMES);
		}
		if (add_volume(w, dir, m->source, e) == -1)
			return err_wrap(e, "saving volume %s", m->source);
	}
	return 0;
}

/* The images are lent to the archive while it is written. */
static int
pack(const struct writing *w, int stream, struct err *e)
{
	const char *name = w->o->pre ? CHECKPOINT_PRE_DIR : CHECKPOINT_DIR;
	struct msg_copy m = {.form = "pack", .source = w->stage, .target = stream};
	int r;

	if (renameat(w->dir, name, w->stage, name) == -1)
		return err_sys(e, "moving %s", name);
	r = criu_images_loosen(w->stage, name, e);
	if (r == 0)
		r = copying_run(&m, e);
	if (renameat(w->stage, name, w->dir, name) == -1 && r == 0)
		return err_sys(e, "moving %s back", name);
	return r;
}

int
archive_write(struct ctx *x, struct ctr *c, const struct checkpoint *o, int stream, struct err *e)
{
	struct writing w = {.x = x, .c = c, .o = o};
	own_fd int dir = checkpoint_open_dir(x, c->id, NULL, e), stage = -1;
	struct err ignored = {0};
	int r;

	if (dir == -1 || tree_remove(dir, STAGE, e) == -1)
		return -1;
	if (mkdirat(dir, STAGE, 0700) == -1)
		return err_sys(e, "making directory " STAGE);
	stage = openat(dir, STAGE, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (stage == -1)
		return err_sys(e, "opening directory " STAGE);
	w.dir = dir;
	w.stage = stage;
	r = add_config(&w, e);
	if (r == 0)
		r = add_network(&w, e);
	if (r == 0)
		r = add_files(&w, e);
	if (r == 0)
		r = add_rootfs(&w, e);
	if (r == 0)
		r = add_volumes(&w, e);
	if (r == 0)
		r = pack(&w, stream, e);
	tree_remove(dir, STAGE, &ignored);
	return r;
}

/* --- The file -----------------------------------------------------------------------------------*/

static const struct {
	const char *word, *mode;
} compressions[] = {{"zstd", "compress-zstd"}, {"gzip", "compress-gzip"}, {"none", NULL}};

int
archive_check_compression(const char *word, struct err *e)
{
	for (size_t i = 0; i < COUNTOF(compressions); i++)
		if (strcmp(compressions[i].word, word) == 0)
			return 0;
	return err_set(e, ERR_USAGE,
	    "selected compression algorithm (\"%s\") not supported. Please select one from: gzip, "
	    "none, zstd",
	    word);
}

/* The worker that compresses, in front of *to, which becomes its input. */
static int
deflate(const char *mode, int *to, pid_t *pid, struct err *e)
{
	struct spawn sp = {.role = ROLE_INFLATE, .mode = mode, .nfds = 2, .discard_stderr = true};
	int pair[2];

	if (pipe2(pair, O_CLOEXEC) == -1)
		return err_sys(e, "making a pipe");
	sp.fds[0] = pair[0];
	sp.fds[1] = *to;
	*pid = spawn_start(&sp, e);
	close(pair[0]);
	close(*to);
	*to = pair[1];
	return *pid == -1 ? -1 : 0;
}

int
archive_export(struct ctx *x, struct ctr *c, const struct checkpoint *o, struct err *e)
{
	const char *mode = "compress-zstd";
	own_fd int out = -1;
	struct stat st;
	int status = 0, r;
	pid_t pid = -1;

	for (size_t i = 0; o->compress != NULL && i < COUNTOF(compressions); i++)
		if (strcmp(compressions[i].word, o->compress) == 0)
			mode = compressions[i].mode;
	/* It holds the memory of processes.  A device or a FIFO stays as it is. */
	out = open(o->export, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_CLOEXEC, 0600);
	if (out == -1 || fstat(out, &st) == -1 || (S_ISREG(st.st_mode) && fchmod(out, 0600) == -1))
		return err_sys(e, "error creating checkpoint export file \"%s\"", o->export);
	if (mode != NULL && deflate(mode, &out, &pid, e) == -1)
		return -1;
	r = archive_write(x, c, o, out, e);
	fd_close(&out);
	if (pid != -1 && waitpid(pid, &status, 0) == pid && status != 0 && r == 0)
		r = err_set(e, ERR_INTERNAL, "compressing \"%s\" failed", o->export);
	if (r == -1 && S_ISREG(st.st_mode))
		unlink(o->export);
	return r;
}

/* --- Reading ------------------------------------------------------------------------------------*/

/*
 * CRIU writes its log beside what was unpacked and opens images by name, as root: no name may lead
 * elsewhere.  The one link that an increment has is made again by ourselves.
 */
static int
check_entry(void *arg, const struct walk_entry *w, struct err *e)
{
	char target[32];
	ssize_t n;

	(void)arg;
	if (S_ISDIR(w->st.st_mode) || (S_ISREG(w->st.st_mode) && w->st.st_nlink == 1))
		return 0;
	n = S_ISLNK(w->st.st_mode) && strcmp(w->path, CHECKPOINT_DIR "/parent") == 0
		? readlinkat(w->dir, w->name, target, sizeof(target) - 1)
		: -1;
	target[n > 0 ? n : 0] = '\0';
	if (strcmp(target, "../" CHECKPOINT_PRE_DIR) == 0)
		return 0;
	return err_set(e, ERR_FORMAT,
	    "the archive is no checkpoint: \"%s\" is neither a plain file nor a directory",
	    w->path);
}

static int
list_entry(void *arg, const struct walk_entry *w, struct err *e)
{
	(void)e;
	strv_add(arg, w->name);
	return WALK_PRUNE;
}

/*
 * The directory becomes the container's own, where the engine keeps files of its own and believes them: what else
 * came along goes.
 */
static int
drop_strangers(int dir, struct err *e)
{
	static const char *const known[] = {CONFIG, SPEC, NETWORK, ARCHIVE_ROOTFS, ARCHIVE_DELETED,
	    ARCHIVE_VOLUMES, ARCHIVE_LOG, ARCHIVE_SHM, CHECKPOINT_DIR, CHECKPOINT_PRE_DIR,
	    CHECKPOINT_LOG, CHECKPOINT_STATS};
	own_strv struct strv names = {0};

	if (walk_tree(dir, list_entry, &names, e) == -1)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		bool keep = false;

		for (size_t k = 0; k < COUNTOF(known); k++)
			keep = keep || strcmp(known[k], names.v[i]) == 0;
		if (!keep && tree_remove(dir, names.v[i], e) == -1)
			return -1;
	}
	return 0;
}

int
archive_unpack(int *stream, int dir, struct err *e)
{
	struct msg_copy m = {.form = "unpack",
	    .path = "/",
	    .target = dir,
	    .chown = true,
	    .uid = geteuid(),
	    .gid = getegid(),
	    .no_devices = true};

	if (copying_unpack(&m, stream, e) == -1)
		return err_wrap(e, "unpacking the checkpoint");
	return walk_tree(dir, check_entry, NULL, e) == -1 ? -1 : drop_strangers(dir, e);
}

/*
 * Names of the host's files that the engine itself would write or execute are never taken from an archive: what
 * remains is what the container gets to see, for which the user answers.
 */
static void
drop_host(struct rec_ctr_config *c)
{
	c->cid_file = c->pid_file = c->monitor_pid_file = NULL;
	c->log_path = c->health_log_destination = c->hosts_file = NULL;
	if (c->runtime != NULL && strchr(c->runtime, '/') != NULL)
		c->runtime = NULL;
}

/* What the worker took out of config.dump, or what came there in its name: decoded as strictly as any message. */
static int
read_ours(const struct msg_dump_got *m, struct ctr *c, struct err *e)
{
	struct rec_ctr_run run;

	c->config = arena_alloc(&c->arena, rec_ctr_config_desc.size);
	if (wire_unpack(&rec_ctr_config_desc, m->config.p, m->config.n, c->config, &c->arena, e) ==
		-1 ||
	    wire_unpack(&rec_ctr_run_desc, m->run.p, m->run.n, &run, &c->arena, e) == -1)
		return err_wrap(e, "reading " CONFIG " of the checkpoint");
	/* The rest was true of the run that ended; volumes that it held are not ours to give back. */
	c->run.interfaces.v = run.interfaces.v;
	c->run.interfaces.n = run.interfaces.n;
	return 0;
}

int
archive_read(struct ctx *x, int dir, struct ctr *c, bool *foreign, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	const struct msg_dump_got *m;
	int r;

	if (document_dump(dir, &in, e) == -1)
		return -1;
	m = MSG_OF(&in, dump_got);
	if (!text_is_hex(m->id, NAMES_ID_LEN) || !names_is_valid(m->name))
		return err_set(
		    e, ERR_FORMAT, CONFIG " of the checkpoint names no container: \"%s\"", m->name);
	*foreign = m->config.n == 0;
	r = *foreign ? libpod_read(x, m, c, e) : read_ours(m, c, e);
	if (r == -1)
		return -1;
	drop_host(c->config);
	snprintf(c->id, sizeof(c->id), "%s", m->id);
	c->name = c->config->name = arena_strdup(&c->arena, m->name);
	c->image = arena_strdup(&c->arena, m->image != NULL ? m->image : "");
	c->error = "";
	c->status = CTR_CONFIGURED;
	return 0;
}
