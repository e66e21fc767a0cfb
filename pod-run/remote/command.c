/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "pod-run/cmd/creds.h"
#include "pod-run/remote/command.h"

/* --- Options by name ----------------------------------------------------------------------------*/

static const struct opt *
find_row(const struct cmd *cmd, const char *name, size_t *base)
{
	for (size_t g = 0; g < OPT_GROUPS_MAX && cmd->opts[g].rows != NULL; g++)
		for (const struct opt *o = cmd->opts[g].rows; o->name != NULL; o++)
			if (strcmp(o->name, name) == 0) {
				*base = cmd->opts[g].base;
				return o;
			}
	return NULL;
}

static const void *
member(const struct args *a, const char *name, const struct opt **row)
{
	size_t base = 0;
	const struct opt *o = find_row(a->cli->cmd, name, &base);

	if (o == NULL) {
		fprintf(stderr, "no option %s of %s\n", name, a->cli->path);
		abort();
	}
	*row = o;
	return (const char *)a->opts + base + o->at;
}

bool
args_bool(const struct args *a, const char *name)
{
	const struct opt *o;

	return *(const bool *)member(a, name, &o);
}

const char *
args_str(const struct args *a, const char *name)
{
	const struct opt *o;

	return *(const char *const *)member(a, name, &o);
}

int64_t
args_int(const struct args *a, const char *name)
{
	const struct opt *o;
	const void *at = member(a, name, &o);

	return o->type == OPT_TYPE_TRISTATE ? *(const int *)at : *(const int64_t *)at;
}

double
args_float(const struct args *a, const char *name)
{
	const struct opt *o;

	return *(const double *)member(a, name, &o);
}

const struct strv *
args_list(const struct args *a, const char *name)
{
	const struct opt *o;

	return member(a, name, &o);
}

const void *
args_group(const struct args *a, const struct opt *rows)
{
	for (size_t g = 0; g < OPT_GROUPS_MAX; g++)
		if (a->cli->cmd->opts[g].rows == rows)
			return (const char *)a->opts + a->cli->cmd->opts[g].base;
	abort();
}

bool
args_given(const struct args *a, const char *name)
{
	return opt_given(&a->cli->parse, name);
}

/* --- What is built --------------------------------------------------------------------------------*/

static const struct remote_command *const tables[] = {remote_archives, remote_containers,
    remote_images, remote_networks, remote_others, remote_registry, remote_streams, remote_upkeep};

static const struct remote_command *
find_command(const char *words)
{
	for (size_t i = 0; i < COUNTOF(tables); i++)
		for (const struct remote_command *c = tables[i]; c->words != NULL; c++)
			if (opt_in_list(c->words, words, strlen(words)))
				return c;
	return NULL;
}

/* Options of the whole program that say where things are here, and so say nothing to a service. */
static const char here[] =
    "root,runroot,tmpdir,imagestore,volumepath,storage-driver,storage-opt,runtime,runtime-flag,"
    "cgroup-manager,cdi-spec-dir,network-config-dir,transient-store,default-mounts-file,"
    "registries-conf,hooks-dir,events-backend";

static int
refuse_globals(const struct cli_ctx *cli, struct err *e)
{
	const struct opt_parse *parses[] = {&cli->global_parse, &cli->parse};

	for (size_t p = 0; p < COUNTOF(parses); p++)
		for (size_t i = 0; i < parses[p]->given_n; i++) {
			const struct opt *o = parses[p]->given[i];
			size_t base;

			if (opt_in_list(here, o->name, strlen(o->name)) &&
			    find_row(cli->cmd, o->name, &base) != o)
				return err_set(e, ERR_USAGE,
				    "--%s: a remote service has its own, which it cannot be told",
				    o->name);
		}
	return 0;
}

/* What Podman's own client refuses, in its words: files here that no service is told of. */
static const char unknown[] = "cert-dir,decryption-key,pidfile,preserve-fd,preserve-fds,"
			      "signature-policy,sign-by,subgidname,subuidname";
static const char only_here[] =
    "auto-update,container mount,container runlabel,container unmount,container umount,"
    "image mount,image sign,image trust set,image trust show,image umount,image "
    "unmount,mount,network reload,"
    "system migrate,system renumber,system reset,umount,unmount,unshare,volume export,volume "
    "import,"
    "volume mount,volume unmount,volume umount";

static int
refuse_options(
    const struct cli_ctx *cli, const struct remote_command *c, const char *words, struct err *e)
{
	for (size_t i = 0; i < cli->parse.given_n; i++) {
		const struct opt *o = cli->parse.given[i];
		size_t base;

		if (find_row(cli->cmd, o->name, &base) != o || o->type == OPT_TYPE_NO_BOOL ||
		    o->type == OPT_TYPE_NO_STRING)
			continue;
		if (opt_in_list(c->options, o->name, strlen(o->name)))
			continue;
		if (opt_in_list(unknown, o->name, strlen(o->name)))
			return err_set(e, ERR_USAGE, "unknown flag: --%s", o->name);
		return err_set(e, ERR_UNSUPPORTED, "%s --%s: not built for a remote service yet",
		    words, o->name);
	}
	return 0;
}

static int
run_there(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	struct args a = {cli, opts, argc, argv};
	struct remote *r = ctx_of(cli)->remote;
	const char *words = cli->path + strlen(cli->prog);
	const struct remote_command *c;
	int got;

	words += *words == ' ';
	if (refuse_globals(cli, e) == -1)
		return -1;
	c = find_command(words);
	if (c == NULL && opt_in_list(only_here, words, strlen(words)))
		return err_set(e, ERR_USAGE,
		    "cannot use command \"%s\" with the remote podman client", cli->path);
	if (c == NULL)
		return err_set(e, ERR_UNSUPPORTED, "%s: not built for a remote service yet", words);
	if (refuse_options(cli, c, words, e) == -1)
		return -1;
	r->name = xstrdup(words);
	got = c->run != NULL ? c->run(r, &a, e) : cli->cmd->run(cli, opts, argc, argv, e);
	/* Who read our output has heard enough. */
	return got == -1 && e->class == ERR_CANCELLED && e->no == EPIPE ? 128 + SIGPIPE : got;
}

/* Of those that concern no engine at all. */
static const char anywhere[] =
    "help,completion,login,logout,system connection add,system connection default,"
    "system connection list,system connection remove,"
    "system connection rename";

/* What a --creds lacks is asked for, whoever uses it; an empty one is none. */
static int
complete_creds(struct cli_ctx *cli, void *opts, struct err *e)
{
	struct ctx *x = ctx_of(cli);
	size_t base = 0;
	const struct opt *o = cmd_given(cli, "creds") ? find_row(cli->cmd, "creds", &base) : NULL;
	const char **creds = o != NULL ? (const char **)((char *)opts + base + o->at) : NULL;

	if (creds == NULL)
		return 0;
	if (**creds == '\0')
		*creds = NULL;
	else if (creds_complete(*creds, &x->creds, e) == -1)
		return -1;
	else if (x->creds != NULL)
		*creds = x->creds;
	return 0;
}

int
command_run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	struct ctx *x = ctx_of(cli);
	own_dest struct dest d = {0};
	const char *words = strchr(cli->path, ' ');
	int there;

	if (complete_creds(cli, opts, e) == -1)
		return -1;
	if (dest_said(x) != 1)
		ctx_expect(x, cli->cmd->asks);
	there = words != NULL && opt_in_list(anywhere, words + 1, strlen(words + 1))
		    ? 0
		    : dest_choose(x, &d, e);
	if (there == -1)
		return -1;
	if (there == 0)
		return cli->cmd->run(cli, opts, argc, argv, e);
	ctx_expect_none(x);
	x->remote = remote_new(x, &d);
	return run_there(cli, opts, argc, argv, e);
}

int
command_attach(struct ctx *x, struct err *e)
{
	own_dest struct dest d = {0};
	int there = x->remote == NULL ? dest_choose(x, &d, e) : 0;

	if (there == 1)
		x->remote = remote_new(x, &d);
	return there == -1 ? -1 : 0;
}
