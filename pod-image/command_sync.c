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
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "common/oci/reference.h"
#include "common/oci/signing.h"
#include "pod-image/command_common.h"
#include "pod-image/command_copy.h"
#include "pod-image/semver.h"
#include "pod-image/sync_yaml.h"

#define TAGS_TEXT_MAX ((size_t)16 << 20)

struct sync_opts {
	const char *from, *to, *authfile, *src_authfile, *dest_authfile, *format, *suffix, *retry;
	const char *src_creds, *dest_creds, *src_cert_dir, *dest_cert_dir;
	const char *src_tls_verify, *dest_tls_verify, *policy, *registries;
	bool all, scoped, dry_run, keep_going, quiet, preserve, remove_signatures;
	bool src_no_creds, dest_no_creds;
	struct signing_opts signing;
	const char *tls_details; /* of the whole command line */
};

static const struct opt sync_rows[] = {
    {"all", 'a', OPT_BOOL(struct sync_opts, all), .help = "Copy all images of an index"},
    {"append-suffix", 0, OPT_STRING(struct sync_opts, suffix), .arg = "string",
	.help = "Append this to the tags at the destination"},
    {"authfile", 0, OPT_STRING(struct sync_opts, authfile), .arg = "path",
	.complete = COMPLETE_FILE, .help = "Path of the authentication file"},
    {"dest", 'd', OPT_STRING(struct sync_opts, to), .arg = "transport", .complete = COMPLETE_CHOICE,
	.choices = "docker,dir", .help = "Where to: docker or dir"},
    {"dest-authfile", 0, OPT_STRING(struct sync_opts, dest_authfile), .arg = "path",
	.complete = COMPLETE_FILE, .help = "Path of the authentication file for the destination"},
    {"dest-cert-dir", 0, OPT_STRING(struct sync_opts, dest_cert_dir), .arg = "path",
	.complete = COMPLETE_DIR, .help = "Directory with certificates for the destination"},
    {"dest-creds", 0, OPT_STRING(struct sync_opts, dest_creds), .arg = "username[:password]",
	.help = "Credentials for the destination"},
    {"dest-no-creds", 0, OPT_BOOL(struct sync_opts, dest_no_creds),
	.help = "Access the destination without credentials, even if some are stored"},
    {"dest-tls-verify", 0, OPT_STRING(struct sync_opts, dest_tls_verify), .arg = "bool",
	.help = "Require HTTPS and verify certificates when talking to the destination"},
    {"dry-run", 0, OPT_BOOL(struct sync_opts, dry_run), .help = "Say what would be copied"},
    {"format", 'f', OPT_STRING(struct sync_opts, format), .arg = "format",
	.complete = COMPLETE_CHOICE, .choices = "oci,v2s2",
	.help = "Kind of manifest: oci or v2s2"},
    {"keep-going", 0, OPT_BOOL(struct sync_opts, keep_going),
	.help = "Go on after an image that failed"},
    {"preserve-digests", 0, OPT_BOOL(struct sync_opts, preserve),
	.help = "Fail rather than change a digest"},
    {"quiet", 'q', OPT_BOOL(struct sync_opts, quiet), .help = "Suppress output information"},
    {"registries-conf", 0, OPT_STRING(struct sync_opts, registries), .arg = "path",
	.complete = COMPLETE_FILE, .help = "Path of registries.conf"},
    {"remove-signatures", 0, OPT_BOOL(struct sync_opts, remove_signatures),
	.help = "Do not copy signatures"},
    {"retry-times", 0, OPT_STRING(struct sync_opts, retry), .arg = "uint",
	.help = "Number of times to retry in case of failure"},
    {"scoped", 0, OPT_BOOL(struct sync_opts, scoped),
	.help = "Keep the whole name of the source below the destination"},
    {"signature-policy", 0, OPT_STRING(struct sync_opts, policy), .arg = "path",
	.complete = COMPLETE_FILE, .help = "Path of policy.json"},
    {"src", 's', OPT_STRING(struct sync_opts, from), .arg = "transport",
	.complete = COMPLETE_CHOICE, .choices = "docker,dir,yaml",
	.help = "Where from: docker, dir or yaml"},
    {"src-authfile", 0, OPT_STRING(struct sync_opts, src_authfile), .arg = "path",
	.complete = COMPLETE_FILE, .help = "Path of the authentication file for the source"},
    {"src-cert-dir", 0, OPT_STRING(struct sync_opts, src_cert_dir), .arg = "path",
	.complete = COMPLETE_DIR, .help = "Directory with certificates for the source"},
    {"src-creds", 0, OPT_STRING(struct sync_opts, src_creds), .arg = "username[:password]",
	.help = "Credentials for the source"},
    {"src-no-creds", 0, OPT_BOOL(struct sync_opts, src_no_creds),
	.help = "Access the source without credentials, even if some are stored"},
    {"src-tls-verify", 0, OPT_STRING(struct sync_opts, src_tls_verify), .arg = "bool",
	.help = "Require HTTPS and verify certificates when talking to the source"},
    OPT_END,
};

struct side { /* how to reach a source */
	const char *authfile, *creds, *cert_dir, *tls_verify;
	bool no_creds;
};

struct job { /* one image */
	char *source, *destination;
	struct side from;
};

struct sync {
	const struct sync_opts *o;
	const char *to;	  /* the destination as the user gave it */
	struct side from; /* of the jobs that are added now */
	struct job *jobs;
	size_t n, cap;
	bool incomplete; /* a repository could not be listed, which has been said */
};

/* --- Processes -------------------------------------------------------------------------------- */

/* Starts ourselves with these words; in, out: what is its standard input, and where its output goes, or 0. */
static pid_t
start(const struct strv *words, int in, int out, struct err *e)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid > 0 ? pid : err_sys(e, "starting a copy");
	if (in > 0)
		dup2(in, STDIN_FILENO);
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
	add_option(words, "tls-details", o->tls_details);
	add_option(words, "registries-conf", o->registries);
	add_option(words, "signature-policy", o->policy);
}

/* --- Tags ------------------------------------------------------------------------------------- */

static int
read_tags(const struct sync *s, const char *repository, char **text, struct err *e)
{
	own_strv struct strv words = {0};
	own_fd int in = -1, out = -1;
	int ends[2];
	size_t n;
	pid_t pid;

	strv_add(&words, "pod-image");
	strv_add(&words, "list-tags");
	strv_add(&words, "--format=plain");
	add_common(&words, s->o);
	add_option(&words, "authfile", s->from.authfile);
	add_option(&words, "creds", s->from.creds);
	add_option(&words, "cert-dir", s->from.cert_dir);
	add_option(&words, "tls-verify", s->from.tls_verify);
	if (s->from.no_creds)
		strv_add(&words, "--no-creds");
	strv_addf(&words, "docker://%s", repository);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "making a pipe");
	in = ends[0];
	out = ends[1];
	pid = start(&words, 0, out, e);
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
	const char *more = tag[0] != '\0' && s->o->suffix != NULL ? s->o->suffix : "";

	s->jobs = mem_grow(s->jobs, &s->cap, s->n + 1, sizeof(*s->jobs));
	s->jobs[s->n++] = (struct job){.source = source,
	    .destination = strcmp(s->o->to, "dir") == 0
			       ? xasprintf("dir:%s/%s%s%s%s", s->to, shown, colon, tag, more)
			       : xasprintf("docker://%s/%s%s%s%s", s->to, shown, colon, tag, more),
	    .from = s->from};
}

static bool
wanted(const struct sync_repository *only, const char *tag)
{
	if (only == NULL)
		return true;
	if (only->has_pattern)
		return regexec(&only->pattern, tag, 0, NULL, 0) == 0;
	return only->versions == NULL || semver_matches(only->versions, tag);
}

static int
add_tags(struct sync *s, const char *repository, const struct sync_repository *only, struct err *e)
{
	own_mem char *text = NULL;
	char *line, *at = NULL;

	if (read_tags(s, repository, &text, e) < 0)
		return -1;
	for (line = strtok_r(text, "\n", &at); line != NULL; line = strtok_r(NULL, "\n", &at)) {
		if (!reference_tag_valid(line))
			return err_set(e, ERR_FORMAT, "invalid tag");
		if (!wanted(only, line))
			continue;
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
		return add_tags(s, repository, NULL, e);
	add_job(s, xasprintf("docker://%s", word), repository, r.tag != NULL ? r.tag : "");
	return 0;
}

/* --- A list ----------------------------------------------------------------------------------- */

static int
plan_repository(struct sync *s, const struct sync_repository *r, struct err *e)
{
	if (r->names.n == 0)
		return add_tags(s, r->name, r, e);
	for (size_t i = 0; i < r->names.n; i++) {
		const char *name = r->names.v[i];
		bool digest = reference_digest_valid(name);

		add_job(s, xasprintf("docker://%s%c%s", r->name, digest ? '@' : ':', name), r->name,
		    digest ? "" : name);
	}
	return 0;
}

/* Where the list says nothing, the options count.  A repository that cannot be listed keeps nobody from the others. */
static void
plan_registry(struct sync *s, const struct sync_registry *r)
{
	if (r->authfile >= 0) {
		/* For the life of this process. */
		s->from.authfile = xasprintf("/proc/self/fd/%d", r->authfile);
		s->from.creds = NULL;
		s->from.no_creds = false;
	}
	if (r->cert_dir != NULL)
		s->from.cert_dir = r->cert_dir;
	if (r->tls_verify != NULL)
		s->from.tls_verify = r->tls_verify;
	for (size_t i = 0; i < r->n; i++) {
		struct err e = {0};

		if (plan_repository(s, &r->repositories[i], &e) == 0)
			continue;
		err_print(&e, stderr);
		s->incomplete = true;
	}
}

static int
plan_yaml(struct sync *s, const struct sync_list *l, struct err *e)
{
	const struct side from = s->from;

	for (size_t i = 0; i < l->n; i++) {
		s->from = from;
		plan_registry(s, &l->registries[i]);
	}
	return s->n > 0 ? 0 : err_set(e, ERR_NOTFOUND, "No images to sync found in the list");
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

	if (f == NULL || access(path, R_OK | X_OK) < 0) {
		err_sys(e, "opening %s", path);
		if (f != NULL)
			fts_close(f);
		return -1;
	}
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

/*
 * A file of the passphrase, which is read for each image.  -1: there is none, or e is set.  With keys of both kinds a file
 * would be refused, as nobody could tell whose it is.
 */
static int
keep_passphrase(const struct sync_opts *o, const struct signing *signing, struct err *e)
{
	own_fd int fd = -1;

	if (signing->passphrase == NULL ||
	    (o->signing.by != NULL && o->signing.private_key != NULL))
		return -1;
	fd = memfd_create("passphrase", MFD_CLOEXEC);
	if (fd < 0 || file_put(fd, signing->passphrase, strlen(signing->passphrase)) < 0)
		return err_sys(e, "keeping the passphrase");
	return fd_take(&fd);
}

static int
copy_one(const struct sync_opts *o, const struct job *j, int passphrase, struct err *e)
{
	own_strv struct strv words = {0};
	pid_t pid;

	strv_add(&words, "pod-image");
	strv_add(&words, "copy");
	add_common(&words, o);
	add_option(&words, "src-authfile", j->from.authfile);
	add_option(&words, "src-creds", j->from.creds);
	add_option(&words, "src-cert-dir", j->from.cert_dir);
	add_option(&words, "src-tls-verify", j->from.tls_verify);
	add_option(
	    &words, "dest-authfile", o->dest_authfile != NULL ? o->dest_authfile : o->authfile);
	add_option(&words, "dest-creds", o->dest_creds);
	add_option(&words, "dest-cert-dir", o->dest_cert_dir);
	add_option(&words, "dest-tls-verify", o->dest_tls_verify);
	add_option(&words, "format", o->format);
	add_option(&words, "retry-times", o->retry);
	if (j->from.no_creds)
		strv_add(&words, "--src-no-creds");
	if (o->dest_no_creds)
		strv_add(&words, "--dest-no-creds");
	if (o->all)
		strv_add(&words, "--all");
	if (o->preserve)
		strv_add(&words, "--preserve-digests");
	if (o->remove_signatures)
		strv_add(&words, "--remove-signatures");
	if (o->quiet)
		strv_add(&words, "--quiet");
	add_option(&words, "sign-by", o->signing.by);
	add_option(&words, "sign-by-sigstore", o->signing.sigstore);
	add_option(&words, "sign-by-sigstore-private-key", o->signing.private_key);
	if (passphrase >= 0)
		strv_add(&words, "--sign-passphrase-file=/proc/self/fd/0");
	strv_add(&words, j->source);
	strv_add(&words, j->destination);
	if (text_has_prefix(j->destination, "dir:"))
		make_parents(j->destination);
	pid = start(&words, passphrase, 0, e);
	return pid < 0 ? -1 : wait_for(pid, e);
}

static int
copy_all(const struct sync *s, int passphrase, struct err *e)
{
	struct err last = {0};

	for (size_t i = 0; i < s->n; i++) {
		const struct job *j = &s->jobs[i];

		if (!s->o->quiet || s->o->dry_run)
			fprintf(stderr, "Copying image %s to %s (%zu/%zu)\n", j->source,
			    j->destination, i + 1, s->n);
		err_clear(e);
		if (s->o->dry_run || copy_one(s->o, j, passphrase, e) == 0)
			continue;
		err_wrap(e, "copying %s", j->source);
		if (!s->o->keep_going)
			return -1;
		last = *e;
	}
	if (s->incomplete && !err_is_set(&last))
		err_set(
		    &last, ERR_NOTFOUND, "not everything in the list was copied, as said above");
	*e = last;
	return err_is_set(e) ? -1 : 0;
}

static int
check_words(const struct sync_opts *o, struct err *e)
{
	const char *from = o->from != NULL ? o->from : "", *to = o->to != NULL ? o->to : "";
	bool dir = strcmp(from, "dir") == 0;

	if (!dir && strcmp(from, "docker") != 0 && strcmp(from, "yaml") != 0)
		return err_set(e, ERR_USAGE, "--src must be docker, dir or yaml");
	if (strcmp(to, "dir") != 0 && strcmp(to, "docker") != 0)
		return err_set(e, ERR_USAGE, "--dest must be docker or dir");
	return dir && strcmp(to, "dir") == 0
		   ? err_set(e, ERR_USAGE, "cannot sync from dir to dir: use cp or rsync")
		   : 0;
}

static int
plan(struct sync *s, const char *source, struct sync_list *list, struct err *e)
{
	if (strcmp(s->o->from, "dir") == 0)
		return plan_dir(s, source, e);
	if (strcmp(s->o->from, "docker") == 0)
		return plan_docker(s, source, e);
	return sync_yaml_read(source, list, e) < 0 ? -1 : plan_yaml(s, list, e);
}

static int
run_sync(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	struct sync_opts *o = opts;
	struct sync s = {.o = o,
	    .to = argv[1],
	    .from = {o->src_authfile != NULL ? o->src_authfile : o->authfile, o->src_creds,
		o->src_cert_dir, o->src_tls_verify, o->src_no_creds}};
	own_signing struct signing signing = {0};
	own_fd int passphrase = -1;
	struct sync_list list = {0};
	int r;

	(void)argc;
	o->tls_details = command_tls_details(ctx);
	if (check_words(o, e) < 0 || signing_fill(&o->signing, &signing, e) < 0)
		return -1;
	passphrase = keep_passphrase(o, &signing, e);
	if (err_is_set(e))
		return -1;
	r = plan(&s, argv[0], &list, e);
	if (r == 0)
		r = copy_all(&s, passphrase, e);
	for (size_t i = 0; i < s.n; i++) {
		free(s.jobs[i].source);
		free(s.jobs[i].destination);
	}
	free(s.jobs);
	sync_yaml_free(&list);
	return r;
}

const struct cmd command_sync = {
    .name = "sync",
    .synopsis = "[options] SOURCE DESTINATION",
    .brief = "Copy all images of a repository, of a list, or of a directory tree",
    .examples = "sync --src docker --dest dir registry.example.com/app /media/usb\nsync --src dir "
		"--dest docker /media/usb registry.example.com/mirror",
    .opts = {{sync_rows}, {signing_rows, offsetof(struct sync_opts, signing)}},
    .opts_size = sizeof(struct sync_opts),
    .min = 2,
    .max = 2,
    .run = run_sync,
};
