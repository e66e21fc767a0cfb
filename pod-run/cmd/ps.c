/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/output.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/container_prune.h"
#include "pod-run/cmd/filter.h"
#include "pod-run/cmd/ps_row.h"
#include "pod-run/life/sync.h"
#include "pod-run/remote/containers.h"

struct ps_opts {
	bool all, external, latest, namespaces, no_trunc, noheading, pod, quiet, size, sync;
	const char *format, *sort;
	struct strv filter;
	int64_t last;
	uint64_t watch;
};

static const struct opt rows[] = {
    {"all", 'a', OPT_BOOL(struct ps_opts, all),
	.help = "Show all the containers, default is only running containers"},
    {"external", 0, OPT_BOOL(struct ps_opts, external),
	.help = "Show containers in storage not controlled by Podman"},
    {"filter", 'f', OPT_LIST(struct ps_opts, filter), .arg = "filter", .complete = COMPLETE_CHOICE,
	.choices = FILTER_CHOICES, .help = "Filter output based on conditions given"},
    {"format", 0, OPT_STRING(struct ps_opts, format), .arg = "format",
	.help = "Pretty-print containers to JSON or using a Go template"},
    {"last", 'n', OPT_INT(struct ps_opts, last), .def = "-1",
	.help = "Print the n last created containers (all states)"},
    {"latest", 'l', OPT_BOOL(struct ps_opts, latest),
	.help = "Show the latest container created (all states)"},
    {"namespace", 0, OPT_BOOL(struct ps_opts, namespaces), .alias = "ns",
	.help = "Display namespace information"},
    {"no-trunc", 0, OPT_BOOL(struct ps_opts, no_trunc), .help = "Display the extended information"},
    {"noheading", 0, OPT_BOOL(struct ps_opts, noheading), .help = "Do not print headers"},
    {"pod", 'p', OPT_BOOL(struct ps_opts, pod),
	.help = "Print the ID and name of the pod the containers are associated with"},
    {"quiet", 'q', OPT_BOOL(struct ps_opts, quiet),
	.help = "Print the numeric IDs of the containers only"},
    {"size", 's', OPT_BOOL(struct ps_opts, size), .help = "Display the total file sizes"},
    {"sort", 0, OPT_STRING(struct ps_opts, sort), .arg = "created", .def = "created",
	.complete = COMPLETE_CHOICE,
	.choices = "command,created,id,image,names,runningfor,size,status",
	.help = "Sort output by: command, created, id, image, names, runningfor, size, or status"},
    {"sync", 0, OPT_BOOL(struct ps_opts, sync), .help = "Sync container state with OCI runtime"},
    {"watch", 'w', OPT_UINT(struct ps_opts, watch), .def = "0",
	.help = "Watch the ps output on an interval in seconds"},
    OPT_END,
};

static const struct output_heading headings[] = {
    {"ID", "CONTAINER ID"},
    {"CreatedHuman", "CREATED"},
    {"RunningFor", "CREATED"},
    {"CreatedAt", "CREATED AT"},
    {"ImageID", "IMAGE ID"},
    {"Pod", "POD ID"},
    {"PodName", "PODNAME"},
    {"Pid", "PID"},
    {"IsInfra", "IS INFRA"},
    {"Cgroup", "CGROUPNS"},
    {"User", "USERNS"},
    {NULL, NULL},
};

/* --- Order --------------------------------------------------------------------------------------*/

static int
by_text(const char *a, const char *b)
{
	return strcmp(a, b);
}

static int
by_number(int64_t a, int64_t b)
{
	return a < b ? -1 : a > b;
}

static int
by_newest(const void *a, const void *b)
{
	return by_number(((const struct ctr *)b)->created_ns, ((const struct ctr *)a)->created_ns);
}

static int
by_created(const void *a, const void *b)
{
	return by_number(((const struct ctr *)a)->created_ns, ((const struct ctr *)b)->created_ns);
}

static int
by_id(const void *a, const void *b)
{
	return by_text(((const struct ctr *)a)->id, ((const struct ctr *)b)->id);
}

static int
by_name(const void *a, const void *b)
{
	return by_text(((const struct ctr *)a)->name, ((const struct ctr *)b)->name);
}

static int
by_status(const void *a, const void *b)
{
	return by_text(ctr_status_name(((const struct ctr *)a)->status),
	    ctr_status_name(((const struct ctr *)b)->status));
}

static const char *
image_of(const struct ctr *c)
{
	return c->summary->image_name != NULL ? c->summary->image_name : "";
}

static int
by_image(const void *a, const void *b)
{
	return by_text(image_of(a), image_of(b));
}

static int
by_command(const void *a, const void *b)
{
	return by_text(filter_command(a), filter_command(b));
}

static const struct {
	const char *word;
	int (*compare)(const void *, const void *);
	bool summary; /* which must be decoded */
} orders[] = {{"created", by_created, false}, {"command", by_command, true}, {"id", by_id, false},
    {"image", by_image, true}, {"names", by_name, false}, {"runningfor", by_created, false},
    {"size", by_created, false}, {"status", by_status, false}};

static int
sort(struct ctr_list *l, const char *word, struct err *e)
{
	size_t i = 0;

	while (i < COUNTOF(orders) && strcmp(orders[i].word, word) != 0)
		i++;
	if (i == COUNTOF(orders))
		return err_set(e, ERR_USAGE,
		    "invalid argument \"%s\" for \"--sort\" flag: \"%s\" is not a valid value.  "
		    "Choose "
		    "from: \"command, created, id, image, names, runningfor, size, status\"",
		    word, word);
	for (size_t k = 0; k < l->n && orders[i].summary; k++)
		if (ctr_summary(&l->v[k], e) == -1)
			return -1;
	if (l->n > 1)
		qsort(l->v, l->n, sizeof(*l->v), orders[i].compare);
	return 0;
}

/* --- Choice -------------------------------------------------------------------------------------*/

static void
keep_last(struct ctr_list *l, size_t n)
{
	if (l->n > 1)
		qsort(l->v, l->n, sizeof(*l->v), by_newest);
	while (l->n > n)
		ctr_free(&l->v[--l->n]);
}

/* Filters that look deep need each configuration; nothing else here does. */
static int
list(struct ctx *x, const struct filter *f, bool all, struct ctr_list *l, struct err *e)
{
	if (!filter_needs_config(f))
		return sync_list_summaries(x, !all, l, e);
	return all ? sync_list(x, l, e) : sync_list_live(x, l, e);
}

/* Filters are the service's to understand. */
static int
choose_there(
    struct remote *r, const struct ps_opts *o, struct ctr_list *l, json_t **told, struct err *e)
{
	struct containers_wanted w = {.all = o->all,
	    .external = o->external,
	    .size = o->size,
	    .sync = o->sync,
	    .last = o->latest ? 1 : o->last,
	    .filters = &o->filter};

	for (size_t i = 0; i < o->filter.n; i++)
		w.all = w.all || text_has_prefix(o->filter.v[i], "status=") ||
			text_has_prefix(o->filter.v[i], "exited=");
	return containers_list(r, &w, l, told, e) == -1 ? -1 : sort(l, o->sort, e);
}

static int
choose(struct ctx *x, const struct ps_opts *o, struct ctr_list *l, struct err *e)
{
	own_filter struct filter f = {0};
	int64_t last = o->latest ? 1 : o->last;
	size_t kept = 0;
	bool all;

	if (filter_parse(x, &o->filter, &f, e) == -1)
		return -1;
	all = o->all || last >= 0 || filter_has(&f, "status") || filter_has(&f, "exited");
	if (list(x, &f, all, l, e) == -1)
		return -1;
	for (size_t i = 0; i < l->n; i++) {
		struct ctr *c = &l->v[i];
		bool match = false;

		if ((all || c->status == CTR_RUNNING) && filter_match(&f, c, &match, e) == -1)
			return -1;
		if (!match) {
			ctr_free(c);
			continue;
		}
		if (kept != i) {
			l->v[kept] = *c;
			memset(c, 0, sizeof(*c));
		}
		kept++;
	}
	l->n = kept;
	if (last >= 0)
		keep_last(l, (size_t)last);
	return sort(l, o->sort, e);
}

/* --- Output -------------------------------------------------------------------------------------*/

static const char *
default_table(const struct ps_opts *o)
{
	if (o->namespaces)
		return "{{.ID}}\t{{.Names}}\t{{.Pid}}\t{{.CGROUPNS}}\t{{.IPC}}\t{{.MNT}}\t{{.NET}}"
		       "\t{{.PIDNS}}\t{{.USERNS}}\t{{.UTS}}";
#define BASE                                                                                       \
	"{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.CreatedHuman}}\t{{.Status}}\t{{.Ports}}\t{{.Names}" \
	"}"
	if (o->pod && o->size)
		return BASE "\t{{.Pod}}\t{{.PodName}}\t{{.Size}}";
	if (o->pod)
		return BASE "\t{{.Pod}}\t{{.PodName}}";
	return o->size ? BASE "\t{{.Size}}" : BASE;
}

/* What is shown, and the row that is made now. */
struct listing {
	struct ctr_list l;
	struct ps_row how;
	bool size, json;
	size_t measured; /* of the rows, from the first */
	json_t *told;	 /* what a service says of each, by its ID; NULL: they are ours */
};

static void
want(void *arg, const struct strv *keys)
{
	struct listing *s = arg;

	ps_row_want(&s->how, keys);
	if (keys != NULL && strv_find(keys, "Size") < keys->n && !s->size && s->l.n > 0)
		log_error("Size format requires --size option");
}

/* Of row i, once: it is told before it is made. */
static int
measure(struct listing *s, size_t i, struct err *e)
{
	if (!s->size || s->measured > i)
		return 0;
	s->measured = i + 1;
	s->how.sized = true;
	if (s->told != NULL) {
		containers_size(s->told, s->l.v[i].id, &s->how.size_rw, &s->how.size_image);
		return 0;
	}
	return container_prune_size(s->how.x, s->l.v[i].id, &s->how.size_rw, &s->how.size_image, e);
}

static json_t *
tell(void *arg, size_t i, struct err *e)
{
	struct listing *s = arg;

	struct ctr *c = &s->l.v[i];
	json_t *row = measure(s, i, e) == -1 ? NULL : ps_row_json(&s->how, c, e);

	if (row != NULL)
		containers_put_told(row, s->told, c->id);
	return row;
}

static json_t *
make(void *arg, size_t i, struct err *e)
{
	struct listing *s = arg;
	struct ctr *c = &s->l.v[i];
	json_t *row;

	if (measure(s, i, e) == -1)
		return NULL;
	row = s->json ? ps_row_json(&s->how, c, e) : ps_row_template(&s->how, c, e);
	if (row != NULL)
		containers_put_told(row, s->told, c->id);
	/* Its memory is that of the next row. */
	ctr_free(c);
	return row;
}

static int
show(struct ctx *x, const struct ps_opts *o, struct err *e)
{
	const struct containers_conf *conf = ctx_conf(x, e);
	struct listing s = {.size = o->size,
	    .json = o->format != NULL && output_is_json(o->format),
	    .how = {.x = x,
		.now_ns = ctx_now_ns(),
		.no_trunc = o->no_trunc,
		.namespaces = o->namespaces}};
	struct output out = {.format = o->format,
	    .table = default_table(o),
	    .quiet = o->quiet ? "{{.ID}}" : NULL,
	    .type = "containers.psReporter",
	    .headings = headings,
	    .noheading = o->noheading};
	struct output_rows made = {.want = want, .tell = tell, .make = make, .arg = &s};
	int r;

	if (conf == NULL || (x->remote != NULL ? choose_there(x->remote, o, &s.l, &s.told, e)
					       : choose(x, o, &s.l, e)) == -1) {
		ctr_list_free(&s.l);
		json_decref(s.told);
		return -1;
	}
	s.how.default_network = conf->network_default_network;
	made.n = s.l.n;
	r = output_made(&out, &made, stdout, e);
	ctr_list_free(&s.l);
	json_decref(s.told);
	return r;
}

static int
check(const struct cli_ctx *cli, const struct ps_opts *o, struct err *e)
{
	if (o->last >= 0 && o->latest)
		return err_set(e, ERR_USAGE, "last and latest are mutually exclusive");
	/* A format overrides --quiet. */
	if (o->quiet && (o->size || o->namespaces) && !cmd_given(cli, "format"))
		return err_set(e, ERR_USAGE, "quiet conflicts with size and namespace");
	if (o->namespaces && o->size)
		return err_set(e, ERR_USAGE, "size and namespace options conflict");
	return 0;
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct ps_opts *o = opts;

	(void)argc;
	(void)argv;
	if (check(cli, o, e) == -1)
		return -1;
	for (;;) {
		if (show(ctx_of(cli), o, e) == -1)
			return -1;
		if (o->watch == 0)
			return 0;
		fflush(stdout);
		sleep((unsigned)o->watch);
	}
}

const struct cmd cmd_ps = {
    .name = "ps",
    .synopsis = "[options]",
    .brief = "List containers",
    .text = "Prints out information about the containers",
    .examples =
	"ps -a\nps -a --format \"{{.ID}}  {{.Image}}  {{.Labels}}  {{.Mounts}}\"\nps --size "
	"--sort names",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct ps_opts),
    .max = 0,
    .run = run,
};
