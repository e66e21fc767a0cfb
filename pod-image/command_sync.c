/* SPDX-License-Identifier: ISC */
/*
 * sync: many images at once.  Each is copied by a "copy" of its own, a fresh process with its own
 * workers; what a registry says reaches this one as a list of checked tags only.
 */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "common/oci/reference.h"
#include "pod-image/command_copy.h"

#define TAGS_TEXT_MAX ((size_t)16 << 20)

struct sync_opts {
	const char *from, *to, *authfile, *src_creds, *dest_creds, *src_cert_dir, *dest_cert_dir;
	const char *src_tls_verify, *dest_tls_verify, *policy, *registries;
	bool all, scoped, dry_run, keep_going, quiet;
};

static const struct opt sync_rows[] = {
    {"all", 'a', OPT_BOOL(struct sync_opts, all), .help = "Copy all images of an index"},
    {"authfile", 0, OPT_STRING(struct sync_opts, authfile), .arg = "path",
	.complete = COMPLETE_FILE, .help = "Path of the authentication file"},
    {"dest", 'd', OPT_STRING(struct sync_opts, to), .arg = "transport", .complete = COMPLETE_CHOICE,
	.choices = "docker,dir", .help = "Where to: docker or dir"},
    {"dest-cert-dir", 0, OPT_STRING(struct sync_opts, dest_cert_dir), .arg = "path",
	.complete = COMPLETE_DIR, .help = "Directory with certificates for the destination"},
    {"dest-creds", 0, OPT_STRING(struct sync_opts, dest_creds), .arg = "username[:password]",
	.help = "Credentials for the destination"},
    {"dest-tls-verify", 0, OPT_STRING(struct sync_opts, dest_tls_verify), .arg = "bool",
	.help = "Require HTTPS and verify certificates when talking to the destination"},
    {"dry-run", 0, OPT_BOOL(struct sync_opts, dry_run), .help = "Say what would be copied"},
    {"keep-going", 0, OPT_BOOL(struct sync_opts, keep_going),
	.help = "Go on after an image that failed"},
    {"quiet", 'q', OPT_BOOL(struct sync_opts, quiet), .help = "Suppress output information"},
    {"registries-conf", 0, OPT_STRING(struct sync_opts, registries), .arg = "path",
	.complete = COMPLETE_FILE, .help = "Path of registries.conf"},
    {"scoped", 0, OPT_BOOL(struct sync_opts, scoped),
	.help = "Keep the whole name of the source below the destination"},
    {"signature-policy", 0, OPT_STRING(struct sync_opts, policy), .arg = "path",
	.complete = COMPLETE_FILE, .help = "Path of policy.json"},
    {"src", 's', OPT_STRING(struct sync_opts, from), .arg = "transport",
	.complete = COMPLETE_CHOICE, .choices = "docker,dir", .help = "Where from: docker or dir"},
    {"src-cert-dir", 0, OPT_STRING(struct sync_opts, src_cert_dir), .arg = "path",
	.complete = COMPLETE_DIR, .help = "Directory with certificates for the source"},
    {"src-creds", 0, OPT_STRING(struct sync_opts, src_creds), .arg = "username[:password]",
	.help = "Credentials for the source"},
    {"src-tls-verify", 0, OPT_STRING(struct sync_opts, src_tls_verify), .arg = "bool",
	.help = "Require HTTPS and verify certificates when talking to the source"},
    OPT_END,
};

struct job { /* one image */
	char *source, *destination;
};

struct sync {
	const struct sync_opts *o;
	const char *to; /* the destination as the user gave it */
	struct job *jobs;
	size_t n, cap;
};

/* --- Processes -------------------------------------------------------------------------------- */

/* Starts ourselves with these words; out: its standard output goes there, or 0. */
static pid_t
start(const struct strv *words, int out, struct err *e)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid > 0 ? pid : err_sys(e, "starting a copy");
	if (out > 0)
		dup2(out, STDOUT_FILENO);
	execv("/proc/self/exe", words->v);
	_exit(127);
}

static int
wait_for(pid_t pid, struct err *e)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, "waiting for a copy");
	return WIFEXITED(status) && WEXITSTATUS(status) == 0
		   ? 0
		   : err_set(e, ERR_INTERNAL, "it failed, as said above");
}

static void
add_option(struct strv *words, const char *name, const char *value)
{
	if (value != NULL)
		strv_addf(words, "--%s=%s", name, value);
}

static void
add_common(struct strv *words, const struct sync_opts *o)
{
	add_option(words, "authfile", o->authfile);
	add_option(words, "registries-conf", o->registries);
	add_option(words, "signature-policy", o->policy);
}

/* --- Tags ------------------------------------------------------------------------------------- */

static int
read_tags(const struct sync_opts *o, const char *repository, char **text, struct err *e)
{
	own_strv struct strv words = {0};
	own_fd int in = -1, out = -1;
	int ends[2];
	size_t n;
	pid_t pid;

	strv_add(&words, "pod-image");
	strv_add(&words, "list-tags");
	strv_add(&words, "--format=plain");
	add_common(&words, o);
	add_option(&words, "creds", o->src_creds);
	add_option(&words, "cert-dir", o->src_cert_dir);
	add_option(&words, "tls-verify", o->src_tls_verify);
	strv_addf(&words, "docker://%s", repository);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "making a pipe");
	in = ends[0];
	out = ends[1];
	pid = start(&words, out, e);
	fd_close(&out);
	if (pid < 0)
		return -1;
	if (file_slurp(in, TAGS_TEXT_MAX, "the list of tags", text, &n, e) < 0) {
		struct err ignored = {0};

		fd_close(&in);
		(void)wait_for(pid, &ignored);
		return -1;
	}
	return wait_for(pid, e) < 0 ? err_wrap(e, "listing the tags of %s", repository) : 0;
}

static void
add_job(struct sync *s, char *source, const char *name, const char *tag)
{
	const char *slash = strrchr(name, '/');
	const char *shown = s->o->scoped || slash == NULL ? name : slash + 1;
	const char *colon = tag[0] != '\0' ? ":" : "";

	s->jobs = mem_grow(s->jobs, &s->cap, s->n + 1, sizeof(*s->jobs));
	s->jobs[s->n++] = (struct job){.source = source,
	    .destination = strcmp(s->o->to, "dir") == 0
			       ? xasprintf("dir:%s/%s%s%s", s->to, shown, colon, tag)
			       : xasprintf("docker://%s/%s%s%s", s->to, shown, colon, tag)};
}

static int
add_tags(struct sync *s, const char *repository, struct err *e)
{
	own_mem char *text = NULL;
	char *line, *at = NULL;

	if (read_tags(s->o, repository, &text, e) < 0)
		return -1;
	for (line = strtok_r(text, "\n", &at); line != NULL; line = strtok_r(NULL, "\n", &at)) {
		if (!reference_tag_valid(line))
			return err_set(e, ERR_FORMAT, "invalid tag");
		add_job(s, xasprintf("docker://%s:%s", repository, line), repository, line);
	}
	return 0;
}

static int
plan_docker(struct sync *s, const char *word, struct err *e)
{
	own_reference struct reference r = {0};
	own_mem char *repository = NULL;

	if (reference_parse_normal(word, &r, e) < 0)
		return -1;
	repository = reference_repository(&r);
	if (r.tag == NULL && r.digest == NULL)
		return add_tags(s, repository, e);
	add_job(s, xasprintf("docker://%s", word), repository, r.tag != NULL ? r.tag : "");
	return 0;
}

/* --- Directories ------------------------------------------------------------------------------ */

/* Every directory below that holds an image has its name as its path: REPOSITORY[:TAG]. */
static int
plan_dir(struct sync *s, const char *path, struct err *e)
{
	char *roots[] = {(char *)(uintptr_t)path, NULL};
	size_t skip = strlen(path);
	FTS *f = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *x;

	if (f == NULL)
		return err_sys(e, "opening %s", path);
	while ((x = fts_read(f)) != NULL) {
		own_mem char *manifest = NULL;
		const char *name = x->fts_path + skip;

		if (x->fts_info != FTS_D)
			continue;
		manifest = xasprintf("%s/manifest.json", x->fts_path);
		if (access(manifest, F_OK) < 0)
			continue;
		fts_set(f, x, FTS_SKIP);
		if (*name == '\0' && (name = strrchr(path, '/')) == NULL)
			name = path;
		name += strspn(name, "/");
		add_job(s, xasprintf("dir:%s", x->fts_path), name, "");
	}
	fts_close(f);
	return s->n > 0 ? 0 : err_set(e, ERR_NOTFOUND, "No images to sync found in %s", path);
}

/* --- All of them ------------------------------------------------------------------------------ */

/* The directories above that of the image. */
static void
make_parents(const char *destination)
{
	own_mem char *path = xstrdup(destination + strlen("dir:"));

	for (char *p = strchr(path + 1, '/'); p != NULL; p = strchr(p + 1, '/')) {
		*p = '\0';
		(void)mkdir(path, 0755);
		*p = '/';
	}
}

static int
copy_one(const struct sync_opts *o, const struct job *j, struct err *e)
{
	own_strv struct strv words = {0};
	pid_t pid;

	strv_add(&words, "pod-image");
	strv_add(&words, "copy");
	add_common(&words, o);
	add_option(&words, "src-creds", o->src_creds);
	add_option(&words, "src-cert-dir", o->src_cert_dir);
	add_option(&words, "src-tls-verify", o->src_tls_verify);
	add_option(&words, "dest-creds", o->dest_creds);
	add_option(&words, "dest-cert-dir", o->dest_cert_dir);
	add_option(&words, "dest-tls-verify", o->dest_tls_verify);
	if (o->all)
		strv_add(&words, "--all");
	if (o->quiet)
		strv_add(&words, "--quiet");
	strv_add(&words, j->source);
	strv_add(&words, j->destination);
	if (text_has_prefix(j->destination, "dir:"))
		make_parents(j->destination);
	pid = start(&words, 0, e);
	return pid < 0 ? -1 : wait_for(pid, e);
}

static int
copy_all(const struct sync *s, struct err *e)
{
	struct err last = {0};

	for (size_t i = 0; i < s->n; i++) {
		const struct job *j = &s->jobs[i];

		if (!s->o->quiet || s->o->dry_run)
			fprintf(stderr, "Copying image %s to %s (%zu/%zu)\n", j->source,
			    j->destination, i + 1, s->n);
		err_clear(e);
		if (s->o->dry_run || copy_one(s->o, j, e) == 0)
			continue;
		err_wrap(e, "copying %s", j->source);
		if (!s->o->keep_going)
			return -1;
		last = *e;
	}
	*e = last;
	return err_is_set(e) ? -1 : 0;
}

static bool
is_known(const char *transport)
{
	return transport != NULL &&
	       (strcmp(transport, "docker") == 0 || strcmp(transport, "dir") == 0);
}

static int
run_sync(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	const struct sync_opts *o = opts;
	struct sync s = {.o = o, .to = argv[1]};
	int r;

	(void)ctx;
	(void)argc;
	if (!is_known(o->from) || !is_known(o->to))
		return err_set(e, ERR_USAGE, "--src and --dest must each be docker or dir");
	if (strcmp(o->from, "dir") == 0 && strcmp(o->to, "dir") == 0)
		return err_set(
		    e, ERR_USAGE, "sync from 'dir' to 'dir' not implemented, consider using rsync");
	r = strcmp(o->from, "dir") == 0 ? plan_dir(&s, argv[0], e) : plan_docker(&s, argv[0], e);
	if (r == 0)
		r = copy_all(&s, e);
	for (size_t i = 0; i < s.n; i++) {
		free(s.jobs[i].source);
		free(s.jobs[i].destination);
	}
	free(s.jobs);
	return r;
}

const struct cmd command_sync = {
    .name = "sync",
    .synopsis = "[options] SOURCE DESTINATION",
    .brief = "Copy all images of a repository, or of a directory tree",
    .examples = "sync --src docker --dest dir registry.example.com/app /media/usb\nsync --src dir "
		"--dest docker /media/usb registry.example.com/mirror",
    .opts = {{sync_rows}},
    .opts_size = sizeof(struct sync_opts),
    .min = 2,
    .max = 2,
    .run = run_sync,
};
