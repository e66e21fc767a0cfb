/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/output.h"
#include "common/fs/file.h"
#include "pod-image/command_common.h"
#include "pod-image/command_look.h"
#include "pod-image/config_shown.h"
#include "pod-image/schema1.h"

static int
print(const void *p, size_t n, struct err *e)
{
	return file_put(STDOUT_FILENO, p, n) < 0 ? err_sys(e, "writing the answer") : 0;
}

static int
print_json(const json_t *j, struct err *e)
{
	own_strbuf struct strbuf b = {0};

	json_go(j, "    ", &b);
	strbuf_addc(&b, '\n');
	return print(b.s, b.n, e);
}

/* --- inspect ---------------------------------------------------------------------------------- */

struct inspect_opts {
	struct command_access_opts access;
	const char *os, *arch, *variant, *format;
	bool config, raw, no_tags;
};

static const struct opt inspect_rows[] = {
    {"config", 0, OPT_BOOL(struct inspect_opts, config),
	.help = "Describe the configuration instead"},
    {"format", 'f', OPT_STRING(struct inspect_opts, format), .arg = "template",
	.help = "Format the description with a Go template"},
    {"no-tags", 'n', OPT_BOOL(struct inspect_opts, no_tags),
	.help = "Do not list the tags of the repository"},
    {"override-arch", 0, OPT_STRING(struct inspect_opts, arch), .arg = "ARCH",
	.help = "Use ARCH instead of the architecture of the machine for choosing images"},
    {"override-os", 0, OPT_STRING(struct inspect_opts, os), .arg = "OS",
	.help = "Use OS instead of the running OS for choosing images"},
    {"override-variant", 0, OPT_STRING(struct inspect_opts, variant), .arg = "VARIANT",
	.help = "Use VARIANT instead of the running architecture variant"},
    {"raw", 0, OPT_BOOL(struct inspect_opts, raw),
	.help = "Print the manifest, index or, with --config, the configuration byte for byte"},
    OPT_END,
};

static void
put_strings(json_t *j, const char *key, const struct strs *l)
{
	json_t *a = json_put_arr(j, key);

	for (size_t i = 0; i < l->n; i++)
		json_add_str(a, l->v[i]);
}

static json_t *
layers_data(const struct image *i)
{
	json_t *a = json_arr();

	for (size_t k = 0; k < i->npieces; k++) {
		json_t *o = json_add_obj(a);

		json_put_str(o, "MIMEType", i->pieces[k].from.media_type);
		json_put_str(o, "Digest", i->pieces[k].from.digest);
		json_put_int(o, "Size", (int64_t)i->pieces[k].from.size);
		json_put_take(o, "Annotations", json_null());
	}
	return a;
}

static json_t *
describe(const struct task *t, const struct image *i, const char *top, const struct strv *tags)
{
	json_t *j = json_obj(), *labels, *layers;
	const struct plan_source *named = t->from.named;
	own_mem char *repository = named != NULL ? reference_repository(&named->ref) : NULL;

	if (repository != NULL)
		json_put_str(j, "Name", repository);
	json_put_str(j, "Digest", top);
	json_put_strv(j, "RepoTags", tags);
	json_put_str(j, "Created", i->parsed.created != NULL ? i->parsed.created : "");
	json_put_str(j, "DockerVersion", "");
	labels = json_put_obj(j, "Labels");
	for (size_t k = 0; k < i->parsed.labels.n; k++)
		json_put_str(labels, i->parsed.labels.v[k].key, i->parsed.labels.v[k].value);
	json_put_str(j, "Architecture", i->parsed.architecture);
	json_put_str(j, "Os", i->parsed.os);
	layers = json_put_arr(j, "Layers");
	for (size_t k = 0; k < i->npieces; k++)
		json_add_str(layers, i->pieces[k].from.digest);
	json_put_take(j, "LayersData", layers_data(i));
	put_strings(j, "Env", &i->parsed.env);
	return j;
}

/* type: Go's name of what is described. */
static int
print_description(json_t *j, const char *format, const char *type, struct err *e)
{
	own_json json_t *one = NULL;

	if (format == NULL || output_is_json(format))
		return print_json(j, e);
	one = json_arr();
	json_add_take(one, json_incref(j));
	return output_inspect(format, one, type, stdout, e);
}

static int
look(struct task *t, const struct inspect_opts *o, struct err *e)
{
	own_document struct document top = {0}, chosen = {0};
	own_manifest struct manifest m = {0};
	own_strv struct strv tags = {0};
	own_json json_t *j = NULL;
	struct err ignored = {0};
	struct image i = {0};
	char digest[DIGEST_TEXT];
	struct bytes b;
	int r = -1;

	if (task_open_source(t, e) < 0 || source_top(&t->from, &top, e) < 0)
		return -1;
	b = document_bytes(&top);
	if (schema1_check(&top, NULL, digest, e) < 0)
		return -1;
	if (o->raw && !o->config && b.n > 0)
		return print(b.p, b.n, e);
	if (transfer_choose(&t->from, &t->transfer.platform, &top, &chosen, e) < 0 ||
	    source_image(&t->from, chosen.bytes.n > 0 ? &chosen : NULL, &i, e) < 0)
		return -1;
	b = document_bytes(o->config ? &i.config : &i.doc);
	if (i.doc.bytes.n > 0 && top.bytes.n == 0)
		memcpy(digest, i.digest, sizeof(digest));
	if (o->raw) {
		r = print(b.p, b.n, e);
	} else if (o->config) {
		j = config_shown(b, e);
		r = j == NULL ? -1 : print_description(j, o->format, "v1.Image", e);
	} else {
		if (t->from.named != NULL && !o->no_tags)
			(void)pull_list_tags(&t->plan, t->from.named, &tags, &ignored);
		j = describe(t, &i, digest, &tags);
		r = print_description(j, o->format, "Output", e);
	}
	image_free(&i);
	return r;
}

static int
run_inspect(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	const struct inspect_opts *o = opts;
	struct rec_registry_access access;
	struct task t = {.report.quiet = true};
	own_mem char *id = NULL, *word = NULL;
	const char *rest;
	struct msg_image_copy m = {
	    .os = o->os, .architecture = o->arch, .variant = o->variant, .from = &access};

	(void)argc;
	if (o->format != NULL && o->raw)
		return err_set(e, ERR_USAGE, "--format cannot be used with --raw");
	command_fill_access(&o->access, &access);
	/* A word without a transport is one of a registry, as for pull. */
	word = reference_transport(argv[0], &rest) != NULL ? xstrdup(argv[0])
							   : xasprintf("docker://%s", argv[0]);
	if (command_store_source(ctx, &t, word, &id, e) < 0)
		return -1;
	m.source = id != NULL ? id : word;
	if (task_prepare_source(&t, &m, e) < 0 || task_confine(&t, e) < 0)
		return -1;
	return look(&t, o, e);
}

const struct cmd command_inspect = {
    .name = "inspect",
    .synopsis = "[options] IMAGE",
    .brief = "Describe an image where it is, or print its manifest, index or configuration",
    .examples = "inspect docker.io/library/alpine\ninspect --raw oci:/tmp/layout:app\n"
		"inspect --format '{{.Name}} {{.Digest}}' docker.io/library/alpine\n"
		"inspect --config --format '{{.Config.Cmd}}' oci:/tmp/layout:app",
    .opts = {{inspect_rows}, {command_access_rows, offsetof(struct inspect_opts, access)}},
    .opts_size = sizeof(struct inspect_opts),
    .min = 1,
    .max = 1,
    .run = run_inspect,
};

/* --- list-tags -------------------------------------------------------------------------------- */

struct tags_opts {
	struct command_access_opts access;
	const char *format;
};

static const struct opt tags_rows[] = {
    {"format", 0, OPT_STRING(struct tags_opts, format), .arg = "format", .def = "json",
	.complete = COMPLETE_CHOICE, .choices = "json,plain",
	.help = "Form of the list: json or plain"},
    OPT_END,
};

static int
list_tags(
    struct task *t, struct msg_image_copy *m, char **repository, struct strv *tags, struct err *e)
{
	const char *rest, *transport = reference_transport(m->source, &rest);
	bool archive = transport != NULL && strcmp(transport, "docker-archive") == 0;
	own_reference struct reference r = {0};

	if (!archive && (transport == NULL || strcmp(transport, "docker") != 0))
		return err_set(e, ERR_USAGE,
		    "%.300s: only docker:// and docker-archive: are meant here", m->source);
	if (!archive && reference_parse_normal(rest, &r, e) < 0)
		return -1;
	if (r.tag != NULL || r.digest != NULL)
		return err_set(e, ERR_USAGE, "%.300s: no tag or digest is allowed here", m->source);
	if (task_prepare_source(t, m, e) < 0 || task_confine(t, e) < 0)
		return -1;
	if (archive)
		return task_open_source(t, e) < 0 ? -1 : source_docker_tags(&t->from, tags, e);
	*repository = reference_repository(&t->plan.sources[0].ref);
	return pull_list_tags(&t->plan, &t->plan.sources[0], tags, e);
}

static int
run_list_tags(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	const struct tags_opts *o = opts;
	struct rec_registry_access access;
	struct task t = {.report.quiet = true};
	struct msg_image_copy m = {.source = argv[0], .from = &access};
	own_strv struct strv tags = {0};
	own_json json_t *j = NULL;
	own_mem char *repository = NULL;

	(void)ctx;
	(void)argc;
	command_fill_access(&o->access, &access);
	if (list_tags(&t, &m, &repository, &tags, e) < 0)
		return -1;
	if (strcmp(o->format, "plain") == 0) {
		for (size_t i = 0; i < tags.n; i++)
			printf("%s\n", tags.v[i]);
		return 0;
	}
	j = json_obj();
	if (repository != NULL)
		json_put_str(j, "Repository", repository);
	json_put_strv(j, "Tags", &tags);
	return print_json(j, e);
}

const struct cmd command_list_tags = {
    .name = "list-tags",
    .synopsis = "[options] docker://REPOSITORY|docker-archive:FILE",
    .brief = "List the tags of a repository, or the names in an archive",
    .examples =
	"list-tags docker://docker.io/library/alpine\nlist-tags docker-archive:/tmp/app.tar",
    .opts = {{tags_rows}, {command_access_rows, offsetof(struct tags_opts, access)}},
    .opts_size = sizeof(struct tags_opts),
    .min = 1,
    .max = 1,
    .run = run_list_tags,
};

/* --- delete ----------------------------------------------------------------------------------- */

/* The image with all its names; its parents stay. */
static int
delete_stored(struct cli_ctx *ctx, const char *word, struct err *e)
{
	struct task t = {0};
	own_peer_in struct peer_in in = {0};
	own_mem char *id = NULL;
	struct msg_image_remove m = {.force = true, .keep_parents = true};

	if (command_store_source(ctx, &t, word, &id, e) < 0)
		return -1;
	if (id == NULL)
		return err_set(
		    e, ERR_USAGE, "%.300s: the store of another engine is only read", word);
	m.image = id;
	return peer_call(t.control, &msg_image_remove_desc, &m, &in, NULL, NULL, e);
}

/* A registry deletes by digest only: the tag is looked up first. */
static int delete (struct task *t, struct err *e)
{
	const struct plan_source *s = &t->plan.sources[0];
	const struct plan_endpoint *at = &s->endpoints[s->nendpoints - 1];
	struct peer *fetch = plan_worker_peer(&t->plan, at->worker, e);
	const char *what = s->ref.digest != NULL ? s->ref.digest : s->ref.tag;
	own_document struct document d = {0};
	own_peer_in struct peer_in in = {0};
	char digest[DIGEST_TEXT];
	struct msg_push_delete m = {.repository = at->ref.path, .digest = digest};

	if (fetch == NULL ||
	    document_fetch(fetch, "manifest", at->ref.path, what, MANIFEST_MAX, &d, e) < 0 ||
	    schema1_check(&d, s->ref.digest, digest, e) < 0)
		return err_wrap(e, "reading manifest %s of %s", what, s->name);
	if (peer_call(fetch, &msg_push_delete_desc, &m, &in, NULL, NULL, e) < 0)
		return err_wrap(e, "deleting %s", s->name);
	return 0;
}

static int
run_delete(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	struct rec_registry_access access;
	struct task t = {.report.quiet = true};
	const char *rest, *transport = reference_transport(argv[0], &rest);

	(void)argc;
	if (transport != NULL && strcmp(transport, "containers-storage") == 0)
		return delete_stored(ctx, argv[0], e);
	if (transport == NULL || strcmp(transport, "docker") != 0)
		return err_set(e, ERR_USAGE,
		    "%.300s: only docker:// and containers-storage: are meant here", argv[0]);
	command_fill_access(opts, &access);
	if (plan_push(&t.plan, rest, &access, e) < 0 || task_confine(&t, e) < 0)
		return -1;
	return delete (&t, e);
}

const struct cmd command_delete = {
    .name = "delete",
    .synopsis = "[options] docker://IMAGE|containers-storage:IMAGE",
    .brief = "Delete an image from a registry, under all its tags, or from the store",
    .examples =
	"delete docker://registry.example.com/app:old\ndelete containers-storage:localhost/app",
    .opts = {{command_access_rows}},
    .opts_size = sizeof(struct command_access_opts),
    .min = 1,
    .max = 1,
    .run = run_delete,
};

/* --- manifest-digest -------------------------------------------------------------------------- */

static int
run_manifest_digest(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	bool in = strcmp(argv[0], "-") == 0;
	own_fd int fd = in ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
			   : open(argv[0], O_RDONLY | O_CLOEXEC | O_NOCTTY);
	own_mem char *text = NULL;
	char digest[DIGEST_TEXT];
	size_t n;

	(void)ctx;
	(void)opts;
	(void)argc;
	if (fd < 0)
		return err_sys(e, "opening %s", argv[0]);
	if (file_slurp(fd, MANIFEST_MAX, argv[0], &text, &n, e) < 0)
		return -1;
	if (schema1_digest(text, n, digest, e) < 0)
		return -1;
	printf("%s\n", digest);
	return 0;
}

const struct cmd command_manifest_digest = {
    .name = "manifest-digest",
    .synopsis = "FILE",
    .brief = "Compute the digest by which a manifest is known; - is the standard input",
    .examples = "manifest-digest manifest.json",
    .min = 1,
    .max = 1,
    .run = run_manifest_digest,
};
