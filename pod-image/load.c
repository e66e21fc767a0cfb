/* SPDX-License-Identifier: ISC */
/* The first half: what is done with the caller's power. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/role/spawn.h"
#include "pod-image/graph.h"
#include "pod-image/load.h"
#include "pod-image/spool.h"

void
load_free(struct load *l)
{
	peer_in_free(&l->opened);
	peer_free(l->worker);
	daemon_free(&l->daemon);
	tarball_free(&l->tarball);
	free(l->reference_text);
	free(l->driver);
	for (size_t i = 0; i < LOAD_FORMS_MAX; i++)
		trust_free(&l->trust[i]);
}

void
load_fds(const struct load *l, struct keep *k)
{
	keep_peer(k, l->worker);
	for (size_t i = 0; i < l->tarball.n; i++)
		keep_fd(k, l->tarball.v[i].fd);
	keep_peer(k, l->daemon.peer);
	for (size_t i = 0; i < LOAD_FORMS_MAX; i++)
		trust_fds(&l->trust[i], k);
}

/* What policy.json says of the input in each form that it may turn out to have. */
static int
prepare_trust(struct load *l, int fd, bool directory, struct err *e)
{
	own_policy_file struct policy_file *f = l->ours ? NULL : policy_open(l->policy_file, e);
	own_mem char *link = xasprintf("/proc/self/fd/%d", fd);
	char path[4096];
	ssize_t n = readlink(link, path, sizeof(path) - 1);

	if (l->ours)
		return 0;
	if (f == NULL)
		return -1;
	path[n > 0 ? n : 0] = '\0';
	l->trust_form[0] = l->form != NULL ? l->form : directory ? "oci" : "docker-archive";
	l->trust_form[1] = l->form != NULL ? NULL : directory ? "dir" : "oci-archive";
	for (size_t i = 0; i < LOAD_FORMS_MAX && l->trust_form[i] != NULL; i++) {
		if (trust_prepare_path(&l->trust[i], f, l->trust_form[i], path, l->reference, e) <
		    0)
			return -1;
	}
	/* Both forms refused: nothing need be read. */
	if (l->trust_form[1] != NULL && trust_refused(&l->trust[1], e) == 0)
		return 0;
	err_clear(e);
	return trust_refused(&l->trust[0], e);
}

/* True if the archive can be read at any place as it is: a regular file that is a plain tar. */
static bool
is_plain_file(int fd, const struct stat *st)
{
	char magic[6] = "";

	if (!S_ISREG(st->st_mode))
		return false;
	if (pread(fd, magic, 5, 0) < 0)
		return false;
	return memcmp(magic, "\x1f\x8b", 2) != 0 && memcmp(magic, "\x28\xb5\x2f\xfd", 4) != 0 &&
	       memcmp(magic,
		   "\xfd"
		   "7zXZ",
		   5) != 0 &&
	       memcmp(magic, "BZh", 3) != 0;
}

static int
start_archive(struct load *l, int fd, const struct stat *st, struct err *e)
{
	own_fd int spool = -1;
	struct msg_archive_open m = {.input = fd};

	if (!is_plain_file(fd, st)) {
		spool = spool_open(l->graph_root, e);
		if (spool < 0)
			return -1;
		m.spool = spool;
	}
	l->worker = spawn_peer(ROLE_IMAGE, ROLE_ARCHIVE, NULL, e);
	if (l->worker == NULL)
		return -1;
	l->open_seq = peer_next_seq(l->worker);
	return peer_send(l->worker, &msg_archive_open_desc, l->open_seq, &m, e);
}

/* By names only: the files are read without privilege. */
static bool
has_signatures(int dir)
{
	own_dir DIR *d = NULL;
	const struct dirent *x;
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || (d = fdopendir(fd)) == NULL)
		return false;
	while ((x = readdir(d)) != NULL)
		if (strstr(x->d_name, "signature-") != NULL)
			return true;
	return false;
}

int
load_prepare_fd(struct load *l, int fd, struct err *e)
{
	own_fd int input = fd;
	struct stat st;

	if (fstat(input, &st) < 0)
		return err_sys(e, "looking at the archive");
	if (prepare_trust(l, input, S_ISDIR(st.st_mode), e) < 0)
		return -1;
	l->signed_files = S_ISDIR(st.st_mode) && has_signatures(input);
	if (!S_ISDIR(st.st_mode))
		return start_archive(l, input, &st, e);
	l->worker = spawn_peer_view(ROLE_IMAGE, ROLE_LAYOUT, input, e);
	return l->worker != NULL ? 0 : -1;
}

/* The store of another engine. */
static int
prepare_graph(struct load *l, const char *rest, struct err *e)
{
	own_policy_file struct policy_file *f = policy_open(l->policy_file, e);
	own_graph_spec struct graph_spec g = {0};
	own_fd int fd = -1;

	if (f == NULL || graph_spec_parse(rest, &g, e) < 0)
		return -1;
	l->form = l->trust_form[0] = "containers-storage";
	l->signed_files = true;
	l->driver = ptr_take(&g.driver);
	l->reference = l->reference_text = ptr_take(&g.image);
	if (trust_prepare_graph(&l->trust[0], f, l->driver, g.root, l->reference, e) < 0 ||
	    trust_refused(&l->trust[0], e) < 0)
		return -1;
	fd = open(g.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open %s", g.root);
	l->worker = spawn_peer_view(ROLE_IMAGE, ROLE_GRAPH, fd, e);
	return l->worker != NULL ? 0 : -1;
}

static int
prepare_tarball(struct load *l, const char *paths, struct err *e)
{
	own_policy_file struct policy_file *f = policy_open(l->policy_file, e);

	l->form = l->trust_form[0] = "tarball";
	/* Such images have no scopes (containers-policy.json(5)). */
	if (f == NULL || trust_prepare_path(&l->trust[0], f, "tarball", NULL, NULL, e) < 0 ||
	    trust_refused(&l->trust[0], e) < 0 ||
	    tarball_open(&l->tarball, paths, l->graph_root, e) < 0)
		return -1;
	l->worker = spawn_peer(ROLE_IMAGE, ROLE_RECODE, NULL, e);
	return l->worker != NULL ? 0 : -1;
}

static int
prepare_daemon(struct load *l, const char *rest, struct err *e)
{
	own_policy_file struct policy_file *f = policy_open(l->policy_file, e);
	own_reference struct reference r = {0};
	own_mem char *name = NULL;
	own_fd int archive = -1;
	struct stat st;

	if (f == NULL || daemon_name(rest, true, &name, &r, e) < 0)
		return -1;
	l->form = l->trust_form[0] = "docker-daemon";
	if (trust_prepare_daemon(&l->trust[0], f, &r, e) < 0 || trust_refused(&l->trust[0], e) < 0)
		return -1;
	if (daemon_get(&l->daemon, l->daemon_host, name, &archive, e) < 0)
		return -1;
	if (fstat(archive, &st) < 0)
		return err_sys(e, "looking at a pipe");
	return start_archive(l, archive, &st, e);
}

static int
take_number(struct load *l, const char *word, struct err *e)
{
	uint64_t k;

	if (text_to_u64(word + 1, LOAD_IMAGES_MAX - 1, &k) < 0)
		return err_set(e, ERR_INVALID, "Invalid source index %.100s", word);
	l->nth = k + 1;
	return 0;
}

int
load_number(const struct load *l, size_t n, struct err *e)
{
	return l->nth <= n ? 0
			   : err_set(e, ERR_NOTFOUND,
				 "Invalid source index @%zu, only %zu manifest items available",
				 l->nth - 1, n);
}

int
load_prepare_path(struct load *l, const char *transport, const char *rest, struct err *e)
{
	bool whole = strcmp(transport, "dir") == 0; /* its paths may hold colons */
	size_t n = whole ? strlen(rest) : strcspn(rest, ":");
	own_mem char *path = xstrndup(rest, n);
	int fd;

	if (strcmp(transport, "containers-storage") == 0)
		return prepare_graph(l, rest, e);
	if (strcmp(transport, "docker-daemon") == 0)
		return prepare_daemon(l, rest, e);
	if (strcmp(transport, "tarball") == 0)
		return prepare_tarball(l, rest, e);
	l->form = transport;
	if (rest[n] == ':' && rest[n + 1] == '@') {
		if (take_number(l, rest + n + 1, e) < 0)
			return -1;
	} else if (rest[n] == ':' && rest[n + 1] != '\0') {
		l->reference = l->reference_text = xstrdup(rest + n + 1);
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return err_sys(e, "open %s", path);
	return load_prepare_fd(l, fd, e);
}
