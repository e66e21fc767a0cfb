/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/cli/human.h"
#include "common/cli/output.h"
#include "common/fs/walk.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/container_prune.h"
#include "pod-run/cmd/image_row.h"
#include "pod-run/cmd/inspect.h"
#include "pod-run/cmd/ps_row.h"
#include "pod-run/cmd/system_df.h"
#include "pod-run/cmd/volume_row.h"
#include "pod-run/life/sync.h"
#include "pod-run/remote/usage.h"

#define NS INT64_C(1000000000)

struct df_opts {
	bool verbose;
	const char *format;
};

static const struct opt rows[] = {
    {"format", 0, OPT_STRING(struct df_opts, format), .arg = "format",
	.help = "Pretty-print images using a Go template"},
    {"verbose", 'v', OPT_BOOL(struct df_opts, verbose),
	.help = "Show detailed information on disk usage"},
    OPT_END,
};

/* --- Images: what layers cost, and who shares them ------------------------------------------------*/

struct layer {
	char *id;
	uint64_t size;
	size_t images; /* that have it */
	bool active;   /* one of those is used by a container */
};

struct image {
	const struct rec_image *im;
	struct strv layers;
	uint64_t documents; /* bytes of manifest and configuration */
	uint64_t shared, unique;
};

struct images {
	struct peer_in in;
	struct image *v;
	size_t n;
	struct layer *layers;
	size_t nlayers, cap;
};

static void
images_free(struct images *s)
{
	for (size_t i = 0; i < s->n; i++)
		strv_free(&s->v[i].layers);
	for (size_t i = 0; i < s->nlayers; i++)
		free(s->layers[i].id);
	free(s->v);
	free(s->layers);
	peer_in_free(&s->in);
}

static struct layer *
layer_at(struct images *s, const char *id)
{
	for (size_t i = 0; i < s->nlayers; i++)
		if (strcmp(s->layers[i].id, id) == 0)
			return &s->layers[i];
	s->layers = mem_grow(s->layers, &s->cap, s->nlayers + 1, sizeof(*s->layers));
	s->layers[s->nlayers] = (struct layer){.id = xstrdup(id)};
	return &s->layers[s->nlayers++];
}

/* 1: it is there; 0: it is not; -1. */
static int
get_document(struct ctx *x, struct image *m, const char *kind, struct peer_in *in, struct err *e)
{
	struct msg_image_blob blob = {.image = m->im->id, .kind = kind};

	if (peer_call(ctx_store(x, e), &msg_image_blob_desc, &blob, in, NULL, NULL, e) == -1) {
		if (e->class != ERR_NOTFOUND)
			return -1;
		err_clear(e);
		return 0;
	}
	m->documents += MSG_OF(in, image_blob_r)->data.n;
	return 1;
}

/* An image that goes while we look counts for nothing. */
static int
add_layers(struct ctx *x, struct images *s, struct image *m, struct err *e)
{
	struct msg_image_get get = {.name = m->im->id, .list = true};
	own_peer_in struct peer_in got = {0}, sizes = {0}, config = {0};
	const struct rec_image *im;
	const struct msg_image_blob_r *b;
	int r;

	if (peer_call(ctx_store(x, e), &msg_image_get_desc, &get, &got, NULL, NULL, e) == -1) {
		if (e->class != ERR_NOTFOUND)
			return -1;
		err_clear(e);
		return 0;
	}
	im = MSG_OF(&got, image_got)->image;
	r = get_document(x, m, "manifest", &sizes, e);
	if (r != 1)
		return r;
	/* A manifest list has none. */
	if ((im->config == NULL || !im->config->list) &&
	    get_document(x, m, "config", &config, e) == -1)
		return -1;
	b = MSG_OF(&sizes, image_blob_r);
	for (size_t i = 0; i < im->layers.n && i < b->layers.n; i++) {
		struct layer *l = layer_at(s, im->layers.v[i]);

		l->size = b->layers.v[i].tar_size;
		l->images++;
		l->active = l->active || m->im->containers > 0;
		strv_add(&m->layers, l->id);
	}
	return 0;
}

static int
load_images(struct ctx *x, struct images *s, struct err *e)
{
	const struct msg_image_listed *l;

	if (image_row_list(x, true, IMAGE_ROW_USES, &s->in, e) == -1)
		return -1;
	l = MSG_OF(&s->in, image_listed);
	s->v = xcalloc(l->images.n + 1, sizeof(*s->v));
	for (; s->n < l->images.n; s->n++) {
		s->v[s->n].im = &l->images.v[s->n];
		if (add_layers(x, s, &s->v[s->n], e) == -1)
			return -1;
	}
	for (size_t i = 0; i < s->n; i++) {
		s->v[i].unique = s->v[i].documents;
		for (size_t k = 0; k < s->v[i].layers.n; k++) {
			const struct layer *one = layer_at(s, s->v[i].layers.v[k]);

			*(one->images > 1 ? &s->v[i].shared : &s->v[i].unique) += one->size;
		}
	}
	return 0;
}

/* --- Containers and volumes ---------------------------------------------------------------------*/

struct containers {
	struct ctr_list l;
	uint64_t *rw;
};

static void
containers_free(struct containers *c)
{
	ctr_list_free(&c->l);
	free(c->rw);
}

static int
load_containers(struct ctx *x, struct containers *c, struct err *e)
{
	uint64_t image;

	if (sync_list(x, &c->l, e) == -1)
		return -1;
	c->rw = xcalloc(c->l.n + 1, sizeof(*c->rw));
	for (size_t i = 0; i < c->l.n; i++)
		if (ctr_config(&c->l.v[i], e) == -1 ||
		    container_prune_size(x, c->l.v[i].id, &c->rw[i], &image, e) == -1)
			return -1;
	return 0;
}

static uint64_t
volume_size(const struct rec_volume *v)
{
	own_fd int dir = open(v->mountpoint, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct walk_usage u = {0};
	struct err ignored = {0};

	return dir != -1 && walk_count(dir, &u, &ignored) == 0 ? u.bytes : 0;
}

struct usage {
	struct images images;
	struct containers containers;
	struct volume_rows volumes;
	uint64_t *volume_bytes;
};

static void
usage_free(struct usage *u)
{
	images_free(&u->images);
	containers_free(&u->containers);
	volume_row_free(&u->volumes);
	free(u->volume_bytes);
}

static int
load(struct ctx *x, struct usage *u, struct err *e)
{
	static const struct strv none;

	if (ctx_store(x, e) == NULL || load_images(x, &u->images, e) == -1 ||
	    load_containers(x, &u->containers, e) == -1 ||
	    volume_row_list(x, &none, &u->volumes, e) == -1)
		return -1;
	u->volume_bytes = xcalloc(u->volumes.n + 1, sizeof(*u->volume_bytes));
	for (size_t i = 0; i < u->volumes.n; i++)
		u->volume_bytes[i] = volume_size(u->volumes.v[i].v);
	return 0;
}

/* --- The summary --------------------------------------------------------------------------------*/

static void
add_summary(json_t *list, const char *type, const struct df_total *t)
{
	json_t *o = json_add_obj(list);
	char size[HUMAN_MAX], part[HUMAN_MAX];
	own_mem char *reclaimable = NULL;

	human_size((double)t->size, size, sizeof(size));
	human_size((double)t->reclaimable, part, sizeof(part));
	reclaimable = xasprintf("%s (%.0f%%)", part,
	    t->size > 0 ? (double)t->reclaimable * 100 / (double)t->size : 0.0);
	json_put_str(o, "Type", type);
	json_put_int(o, "Total", (int64_t)t->count);
	json_put_int(o, "Active", (int64_t)t->active);
	json_put_int(o, "RawSize", (int64_t)t->size);
	json_put_int(o, "RawReclaimable", (int64_t)t->reclaimable);
	json_put_int(o, "TotalCount", (int64_t)t->count);
	json_put_str(o, "Size", size);
	json_put_str(o, "Reclaimable", reclaimable);
}

/* An image counts once for each of its names. */
static size_t
rows_of(const struct image *m)
{
	return m->im->names.n > 0 ? m->im->names.n : 1;
}

static void
summarize(const struct usage *u, struct df_report *r)
{
	struct df_total *images = &r->images.total, *containers = &r->containers.total,
			*volumes = &r->volumes.total;

	containers->count = u->containers.l.n;
	volumes->count = u->volumes.n;
	for (size_t i = 0; i < u->images.n; i++) {
		const struct image *m = &u->images.v[i];
		bool active = m->im->containers > 0;

		images->count += rows_of(m);
		images->active += active;
		images->size += m->documents;
		images->reclaimable += active ? 0 : m->documents;
	}
	for (size_t i = 0; i < u->images.nlayers; i++) {
		images->size += u->images.layers[i].size;
		images->reclaimable += u->images.layers[i].active ? 0 : u->images.layers[i].size;
	}
	for (size_t i = 0; i < u->containers.l.n; i++) {
		bool runs = u->containers.l.v[i].status == CTR_RUNNING;

		containers->active += runs;
		containers->size += u->containers.rw[i];
		containers->reclaimable += runs ? 0 : u->containers.rw[i];
	}
	for (size_t i = 0; i < u->volumes.n; i++) {
		volumes->active += u->volumes.v[i].users;
		volumes->size += u->volume_bytes[i];
		volumes->reclaimable += u->volumes.v[i].users > 0 ? 0 : u->volume_bytes[i];
	}
}

/* --- The details --------------------------------------------------------------------------------*/

static void
put_size(json_t *o, const char *key, uint64_t bytes)
{
	char text[HUMAN_MAX];

	json_put_str(o, key, human_size((double)bytes, text, sizeof(text)));
}

static void
put_ago(json_t *o, int64_t ns)
{
	char text[HUMAN_MAX];

	json_put_str(o, "Created", human_duration((ctx_now_ns() - ns) / NS, text, sizeof(text)));
}

void
df_report_free(struct df_report *r)
{
	json_decref(r->images.rows);
	json_decref(r->containers.rows);
	json_decref(r->volumes.rows);
	*r = (struct df_report){0};
}

void
df_add_image(struct df_report *r, const struct df_image *m)
{
	json_t *o = json_add_obj(r->images.rows);

	json_put_str(o, "Repository", inspect_or(m->repository, "<none>"));
	json_put_str(o, "Tag", inspect_or(m->tag, "<none>"));
	json_put_take(o, "ID", json_strn(m->id, NAMES_SHORT_LEN));
	put_ago(o, m->created_ns);
	put_size(o, "Size", m->size);
	put_size(o, "SharedSize", m->shared);
	put_size(o, "UniqueSize", m->unique);
	json_put_int(o, "Containers", (int64_t)m->containers);
}

void
df_add_container(struct df_report *r, const struct df_container *c)
{
	json_t *o = json_add_obj(r->containers.rows);

	json_put_take(o, "ID", json_strn(c->id, NAMES_SHORT_LEN));
	json_put_take(o, "Image", json_strn(c->image, NAMES_SHORT_LEN));
	json_put_str(o, "Command", c->command);
	json_put_int(o, "LocalVolumes", (int64_t)c->volumes);
	put_size(o, "Size", c->size);
	put_ago(o, c->created_ns);
	json_put_str(o, "Status", c->status);
	json_put_str(o, "Names", c->name);
}

void
df_add_volume(struct df_report *r, const char *name, uint64_t links, uint64_t size)
{
	json_t *o = json_add_obj(r->volumes.rows);

	json_put_str(o, "Name", name);
	json_put_int(o, "Links", (int64_t)links);
	put_size(o, "Size", size);
}

/* One row for each of its names. */
static void
add_image(struct df_report *r, const struct image *m)
{
	for (size_t i = 0; i < rows_of(m); i++) {
		own_mem char *repository = NULL, *tag = NULL;

		if (i < m->im->names.n)
			image_row_split(m->im->names.v[i], &repository, &tag);
		df_add_image(r, &(struct df_image){.repository = repository,
				    .tag = tag,
				    .id = m->im->id,
				    .created_ns = m->im->created_ns,
				    .size = m->shared + m->unique,
				    .shared = m->shared,
				    .unique = m->unique,
				    .containers = m->im->containers});
	}
}

static void
add_container(struct df_report *r, const struct ctr *c, uint64_t size)
{
	const struct rec_ctr_config *g = c->config;
	own_strbuf struct strbuf command = {0};
	uint64_t volumes = 0;

	for (size_t k = 0; k < g->command.n; k++)
		strbuf_addf(&command, "%s%s", k > 0 ? " " : "", g->command.v[k]);
	for (size_t k = 0; k < g->mounts.n; k++)
		volumes += strcmp(g->mounts.v[k].type, "volume") == 0;
	df_add_container(r, &(struct df_container){.id = c->id,
				.image = c->image,
				.command = command.n > 0 ? command.s : "",
				.volumes = volumes,
				.size = size,
				.created_ns = c->created_ns,
				.status = ctr_status_name(c->status),
				.name = c->name});
}

static int
report(struct ctx *x, struct df_report *r, struct err *e)
{
	own(usage_free) struct usage u = {0};

	r->images.rows = json_arr();
	r->containers.rows = json_arr();
	r->volumes.rows = json_arr();
	if (x->remote != NULL)
		return usage_report(x->remote, r, e);
	if (load(x, &u, e) == -1)
		return -1;
	summarize(&u, r);
	for (size_t i = 0; i < u.images.n; i++)
		add_image(r, &u.images.v[i]);
	for (size_t i = 0; i < u.containers.l.n; i++)
		add_container(r, &u.containers.l.v[i], u.containers.rw[i]);
	for (size_t i = 0; i < u.volumes.n; i++)
		df_add_volume(r, u.volumes.v[i].v->name, u.volumes.v[i].users, u.volume_bytes[i]);
	return 0;
}

static int
print_details(const struct df_report *r, struct err *e)
{
	static const struct output_heading images[] = {{"ID", "IMAGE ID"},
	    {"SharedSize", "SHARED SIZE"}, {"UniqueSize", "UNIQUE SIZE"}, {NULL, NULL}},
					   containers[] = {{"ID", "CONTAINER ID"},
					       {"LocalVolumes", "LOCAL VOLUMES"}, {NULL, NULL}},
					   volumes[] = {{"Name", "VOLUME NAME"}, {NULL, NULL}};
	const struct {
		const char *title;
		struct output out;
		json_t *rows;
	} parts[] = {{"Images space usage:\n",
			 {.table = "{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.Created}}\t{{.Size}}\t"
				   "{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}",
			     .headings = images},
			 r->images.rows},
	    {"\nContainers space usage:\n",
		{.table = "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t"
			  "{{.Size}}\t{{.Created}}\t{{.Status}}\t{{.Names}}",
		    .headings = containers},
		r->containers.rows},
	    {"\nLocal Volumes space usage:\n",
		{.table = "{{.Name}}\t{{.Links}}\t{{.Size}}", .headings = volumes},
		r->volumes.rows}};

	for (size_t i = 0; i < COUNTOF(parts); i++) {
		puts(parts[i].title);
		if (output_list(&parts[i].out, parts[i].rows, NULL, stdout, e) == -1)
			return -1;
	}
	return 0;
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct df_opts *o = opts;
	struct output out = {.format = o->format,
	    .table = "{{.Type}}\t{{.Total}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}",
	    .type = "system.dfSummary"};
	own(df_report_free) struct df_report r = {0};
	own_json json_t *list = json_arr();

	(void)argc;
	(void)argv;
	if (o->verbose && o->format != NULL)
		return err_set(e, ERR_USAGE, "cannot combine --format and --verbose flags");
	if (report(ctx_of(cli), &r, e) == -1)
		return -1;
	if (o->verbose)
		return print_details(&r, e);
	add_summary(list, "Images", &r.images.total);
	add_summary(list, "Containers", &r.containers.total);
	add_summary(list, "Local Volumes", &r.volumes.total);
	return output_list(&out, list, NULL, stdout, e);
}

const struct cmd cmd_system_df = {
    .name = "df",
    .synopsis = "[options]",
    .brief = "Show podman disk usage",
    .text = "Show podman disk usage",
    .examples = "system df\nsystem df --verbose",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct df_opts),
    .max = 0,
    .run = run,
};
