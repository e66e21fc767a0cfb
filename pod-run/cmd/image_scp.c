/* SPDX-License-Identifier: ISC */
/*
 * image scp: "save" in one place, "load" in another, with a pipe between.  Each is a process of its own: one of ours,
 * one of ours as another user (by runuser or sudo), or one on another host by ssh, which knows keys and hosts.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/role/spawn.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/ctx.h"

#define WORD_MAX 4096

struct scp_opts {
	const char *format;
	bool quiet;
};

static const struct opt rows[] = {
    {"format", 0, OPT_STRING(struct scp_opts, format), .arg = "format", .def = "oci-archive",
	.complete = COMPLETE_CHOICE, .choices = "oci-archive,docker-archive",
	.help = "Form in which the image travels: oci-archive or docker-archive"},
    {"quiet", 'q', OPT_BOOL(struct scp_opts, quiet), .help = "Suppress the output"},
    OPT_END,
};

struct place { /* "[USER@]HOST[:PORT]::[IMAGE]", or an image here */
	char *host, *user, *port;
	const char *image; /* may be empty */
};

static void
place_free(struct place *p)
{
	free(p->host);
	free(p->user);
	free(p->port);
}

/*
 * What reaches a command line or a shell of another host: nothing that is an option there, or more than a word.
 */
static int
check_word(const char *s, const char *what, struct err *e)
{
	size_t n =
	    strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:/@-");

	if (s[n] != '\0' || s[0] == '-' || strlen(s) > WORD_MAX)
		return err_set(e, ERR_USAGE, "invalid %s \"%.300s\"", what, s);
	return 0;
}

static int
parse(const char *word, struct place *out, struct err *e)
{
	const char *end = strstr(word, "::"), *at, *host = word;

	out->image = end != NULL ? end + 2 : word;
	if (check_word(out->image, "image", e) == -1)
		return -1;
	if (end == NULL)
		return 0;
	at = memchr(word, '@', (size_t)(end - word));
	if (at != NULL) {
		out->user = xstrndup(word, (size_t)(at - word));
		host = at + 1;
	}
	/* A path of a service's socket may follow the port, as in Podman's addresses: no service is asked. */
	out->host = xstrndup(host, (size_t)(end - host));
	out->host[strcspn(out->host, "/")] = '\0';
	if (strchr(out->host, ':') != NULL) {
		out->port = xstrdup(strchr(out->host, ':') + 1);
		*strchr(out->host, ':') = '\0';
	}
	if (out->host[0] == '\0' || (out->user != NULL && out->user[0] == '\0') ||
	    (out->port != NULL &&
		(out->port[0] == '\0' || strspn(out->port, "0123456789") != strlen(out->port))))
		return err_set(e, ERR_USAGE, "invalid place of an image \"%.300s\"", word);
	if (check_word(out->host, "host", e) == -1)
		return -1;
	return out->user != NULL ? check_word(out->user, "user", e) : 0;
}

static bool
is_own(const struct place *p)
{
	const char *me = getuid() == 0 ? "root" : getenv("USER");

	if (p->host == NULL)
		return true;
	return strcmp(p->host, "localhost") == 0 && p->port == NULL &&
	       (p->user == NULL || (me != NULL && strcmp(p->user, me) == 0));
}

/* --- Command lines ------------------------------------------------------------------------------ */

/* As another user of this machine, with that user's home and what belongs to it. */
static void
user_command(const char *user, const char *program, const struct strv *act, struct strv *out)
{
	own_strbuf struct strbuf line = {0};

	if (getuid() != 0) {
		strv_add(out, "sudo");
		strv_add(out, "-H");
		ctx_add_option(out, "-u", user);
		strv_add(out, "--");
		strv_add(out, program);
		strv_add_all(out, (const char *const *)act->v, act->n);
		return;
	}
	/* The session's, if there is one: what runs there is found by it. */
	strbuf_add(
	    &line, "d=/run/user/$(id -u); [ ! -w \"$d\" ] || export XDG_RUNTIME_DIR=\"$d\"; exec ");
	strbuf_add_quoted(&line, program);
	for (size_t i = 0; i < act->n; i++) {
		strbuf_addc(&line, ' ');
		strbuf_add_quoted(&line, act->v[i]);
	}
	strv_add(out, "runuser");
	strv_add(out, "-l");
	strv_add(out, "-s");
	strv_add(out, "/bin/sh");
	strv_add(out, user);
	strv_add(out, "-c");
	strv_add(out, line.s);
}

/* What the other host has. Safe because no word of act has a character that means something to a shell. */
static void
ssh_command(const struct place *p, const struct strv *act, struct strv *out)
{
	own_strbuf struct strbuf words = {0}, line = {0};

	for (size_t i = 0; i < act->n; i++)
		strbuf_addf(&words, " %s", act->v[i]);
	strbuf_addf(&line,
	    "sh -c 'if command -v pod >/dev/null 2>&1; then exec pod%s; else exec podman%s; fi'",
	    words.s, words.s);
	strv_add(out, "ssh");
	ctx_add_option(out, "-p", p->port);
	ctx_add_option(out, "-l", p->user);
	strv_add(out, "--");
	strv_add(out, p->host);
	strv_add(out, line.s);
}

static void
command(const struct ctx *x, const struct place *p, const struct strv *act, struct strv *out)
{
	own_mem char *program = xasprintf("%s/pod-run", spawn_bin_dir());

	if (is_own(p)) {
		ctx_own_command(x, out);
		strv_add_all(out, (const char *const *)act->v, act->n);
	} else if (strcmp(p->host, "localhost") == 0 && p->port == NULL) {
		user_command(p->user, program, act, out);
	} else {
		ssh_command(p, act, out);
	}
}

/* --- Both processes ----------------------------------------------------------------------------- */

static pid_t
start(const struct strv *words, int in, int out, struct err *e)
{
	own_mem char **argv = xcalloc(words->n + 1, sizeof(*argv));
	pid_t pid = fork();

	for (size_t i = 0; i < words->n; i++)
		argv[i] = words->v[i];
	if (pid == -1)
		return err_sys(e, "starting %s", words->v[0]);
	if (pid > 0)
		return pid;
	if ((in <= 0 || dup2(in, STDIN_FILENO) != -1) &&
	    (out <= 0 || dup2(out, STDOUT_FILENO) != -1))
		execvp(argv[0], argv);
	dprintf(STDERR_FILENO, "Error: starting %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static bool
succeeded(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* What went wrong was said by the process that it went wrong for. */
static int
run_both(const struct strv *save, const struct strv *load, bool quiet, struct err *e)
{
	own_fd int nothing = quiet ? open("/dev/null", O_WRONLY | O_CLOEXEC) : -1;
	own_fd int from = -1, to = -1;
	bool saved, loaded;
	pid_t a, b;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) == -1)
		return err_sys(e, "making a pipe");
	from = ends[0];
	to = ends[1];
	a = start(save, 0, to, e);
	fd_close(&to);
	if (a == -1)
		return -1;
	b = start(load, from, nothing, e);
	fd_close(&from);
	loaded = b != -1 && succeeded(b);
	saved = succeeded(a);
	if (b == -1)
		return -1;
	if (!saved)
		return err_set(e, ERR_INTERNAL, "the image could not be saved");
	return loaded ? 0 : err_set(e, ERR_INTERNAL, "the image could not be loaded");
}

static void
act_words(struct strv *out, const char *act, const struct scp_opts *o)
{
	strv_add(out, act);
	if (o->quiet)
		strv_add(out, "-q");
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct scp_opts *o = opts;
	own(place_free) struct place from = {0}, to = {.image = ""};
	own_strv struct strv save = {0}, load = {0}, from_words = {0}, to_words = {0};

	if (strcmp(o->format, "oci-archive") != 0 && strcmp(o->format, "docker-archive") != 0)
		return err_set(
		    e, ERR_USAGE, "format value must be one of oci-archive docker-archive");
	if (parse(argv[0], &from, e) == -1 || (argc > 1 && parse(argv[1], &to, e) == -1))
		return -1;
	if (from.image[0] == '\0')
		return err_set(e, ERR_USAGE, "no source image specified");
	if (to.image[0] != '\0')
		return err_set(
		    e, ERR_USAGE, "cannot specify an image rename: a destination ends in \"::\"");
	if (from.host == NULL && to.host == NULL)
		return err_set(e, ERR_USAGE,
		    "the image is there already: name another user (user@localhost::) or another "
		    "host (host::)");
	act_words(&save, "save", o);
	ctx_add_option(&save, "--format", o->format);
	strv_add(&save, from.image);
	act_words(&load, "load", o);
	command(ctx_of(cli), &from, &save, &from_words);
	command(ctx_of(cli), &to, &load, &to_words);
	return run_both(&from_words, &to_words, o->quiet, e);
}

const struct cmd cmd_image_scp = {
    .name = "scp",
    .synopsis = "[options] IMAGE [HOST::]",
    .brief = "Copy an image to another host or user",
    .text = "Copies an image to another user of this machine, or by ssh to or from another host.",
    .examples = "image scp app user@host::\nimage scp host:2222::app\n"
		"image scp root@localhost::app user@localhost::",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct scp_opts),
    .min = 1,
    .max = 2,
    .complete = COMPLETE_IMAGE,
    .run = run,
};
