/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/human.h"
#include "common/fs/file.h"
#include "common/oci/manifest.h"
#include "common/oci/reference.h"
#include "pod-run/cmd/change.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/image_make.h"
#include "pod-run/life/runtime.h"
#include "pod-run/life/sync.h"
#include "pod-run/state/event.h"

struct commit_opts {
	const char *author, *config, *format, *iidfile, *message;
	bool include_volumes, pause, quiet, squash;
	struct strv change;
};

static const struct opt rows[] = {
    {"author", 'a', OPT_STRING(struct commit_opts, author), .arg = "author",
	.help = "Set the author for the image committed"},
    {"change", 'c', OPT_LIST(struct commit_opts, change), .arg = "instruction",
	.help = "Apply the following possible instructions to the created image (default []): CMD "
		"| ENTRYPOINT | ENV | EXPOSE | LABEL | ONBUILD | STOPSIGNAL | USER | VOLUME | "
		"WORKDIR"},
    {"config", 0, OPT_STRING(struct commit_opts, config), .arg = "ConfigBlobFile",
	.complete = COMPLETE_FILE,
	.help = "File containing a container configuration to merge into the image"},
    {"format", 'f', OPT_STRING(struct commit_opts, format), .arg = "Format",
	.complete = COMPLETE_CHOICE, .choices = "oci,docker",
	.help = "Format of the image manifest and metadata (default \"oci\")"},
    {"iidfile", 0, OPT_STRING(struct commit_opts, iidfile), .arg = "ImageIDfile",
	.complete = COMPLETE_FILE, .help = "File to write the image ID to"},
    {"include-volumes", 0, OPT_BOOL(struct commit_opts, include_volumes),
	.help = "Include container volumes as image volumes"},
    {"message", 'm', OPT_STRING(struct commit_opts, message), .arg = "message",
	.help = "Set commit message for image format docker"},
    {"pause", 'p', OPT_BOOL(struct commit_opts, pause), .help = "Pause container during commit"},
    {"quiet", 'q', OPT_BOOL(struct commit_opts, quiet), .help = "Suppress output"},
    {"squash", 's', OPT_BOOL(struct commit_opts, squash),
	.help = "Squash newly built layers into a single new layer"},
    OPT_END,
};

/* What the engine mounts upon: empty files that the runtime made are no part of the container's work. */
static const char *engine_files[] = {"etc/hosts", "etc/hostname", "etc/resolv.conf",
    "etc/localtime", "run/.containerenv", "run/podman-init"};

struct commit {
	struct ctx *x;
	const struct commit_opts *o;
	struct ctr *c;
	struct peer_in image, layers; /* the image below: image_got, image_blob_r */
	struct change change;
	struct arena a;
	struct rec_image_config config;
	char created[HUMAN_MAX];
};

static void
commit_free(struct commit *k)
{
	peer_in_free(&k->image);
	peer_in_free(&k->layers);
	change_free(&k->change);
	arena_free(&k->a);
}

/* --- The configuration ----------------------------------------------------------------------------*/

static char *
copy_word(const char *s)
{
	return s != NULL && *s != '\0' ? xstrdup(s) : NULL;
}

static void
add_once(struct strv *l, const char *s)
{
	if (strv_find(l, s) == l->n)
		strv_add(l, s);
}

static void
take_ports(struct change *to, const struct rec_ctr_config *c)
{
	for (size_t i = 0; i < c->expose.n; i++)
		add_once(&to->ports, c->expose.v[i]);
	for (size_t i = 0; i < c->ports.n; i++) {
		const struct rec_port_map *p = &c->ports.v[i];

		for (uint64_t k = 0; k < (p->range > 0 ? p->range : 1); k++) {
			own_mem char *port =
			    xasprintf("%llu/%s", (unsigned long long)(p->container_port + k),
				p->protocol != NULL && *p->protocol != '\0' ? p->protocol : "tcp");

			add_once(&to->ports, port);
		}
	}
}

static void
take_volumes(
    struct change *to, const struct rec_ctr_config *c, const struct rec_image_config *im, bool all)
{
	for (size_t i = 0; i < im->volumes.n; i++)
		add_once(&to->volumes, im->volumes.v[i]);
	for (size_t i = 0; i < c->mounts.n; i++) {
		const struct rec_ctr_mount *m = &c->mounts.v[i];

		if (strcmp(m->type, "volume") == 0 && (all || m->anonymous))
			add_once(&to->volumes, m->target);
		else if (strcmp(m->type, "bind") == 0 && all)
			add_once(&to->volumes, m->target);
	}
}

/* Stop signal and health check of the container are not carried over; the image's stay. */
static void
take_container(struct commit *k)
{
	const struct rec_ctr_config *c = k->c->config;
	const struct rec_image_config *im = MSG_OF(&k->image, image_got)->image->config;
	struct change *to = &k->change;

	strv_add_all(&to->env, c->env.v, c->env.n);
	strv_add_all(&to->entrypoint, c->entrypoint.v, c->entrypoint.n);
	strv_add_all(&to->cmd, c->command.v, c->command.n);
	strv_add_all(&to->on_build, im->on_build.v, im->on_build.n);
	for (size_t i = 0; i < c->labels.n; i++)
		strv_addf(&to->labels, "%s=%s", c->labels.v[i].key, c->labels.v[i].value);
	take_ports(to, c);
	take_volumes(to, c, im, k->o->include_volumes);
	to->user = copy_word(c->user);
	to->working_dir = copy_word(c->workdir != NULL ? c->workdir : "/");
	to->stop_signal = copy_word(im->stop_signal);
}

/* --config: what stands in the file replaces lists and words, and is added to sets and maps. */
static int
merge_words(struct change *to, const json_t *j, struct err *e)
{
	const struct {
		const char *key;
		char **to;
	} words[] = {{"User", &to->user}, {"WorkingDir", &to->working_dir},
	    {"StopSignal", &to->stop_signal}};
	const struct {
		const char *key;
		struct strv *to;
	} lists[] = {{"Env", &to->env}, {"Cmd", &to->cmd}, {"Entrypoint", &to->entrypoint},
	    {"OnBuild", &to->on_build}};

	for (size_t i = 0; i < COUNTOF(words); i++) {
		const char *value = NULL;

		if (json_want_str(j, words[i].key, &value, e) == -1)
			return -1;
		if (value == NULL || *value == '\0')
			continue;
		own_mem_free(words[i].to);
		*words[i].to = xstrdup(value);
	}
	for (size_t i = 0; i < COUNTOF(lists); i++) {
		own_strv struct strv values = {0};

		if (json_want_strv(j, lists[i].key, &values, e) == -1)
			return -1;
		if (values.n == 0)
			continue;
		strv_free(lists[i].to);
		*lists[i].to = values;
		values = (struct strv){0};
	}
	return 0;
}

static int
merge_sets(struct change *to, const json_t *j, struct err *e)
{
	const struct {
		const char *key;
		struct strv *to;
	} sets[] = {{"Volumes", &to->volumes}, {"ExposedPorts", &to->ports}};
	own_strv struct strv labels = {0};

	for (size_t i = 0; i < COUNTOF(sets); i++) {
		json_t *set = NULL, *value;
		const char *key;

		if (json_want_obj(j, sets[i].key, &set, e) == -1)
			return -1;
		json_object_foreach (set, key, value)
			add_once(sets[i].to, key);
	}
	if (json_want_map(j, "Labels", &labels, e) == -1)
		return -1;
	for (size_t i = 0; i < labels.n; i++)
		change_label(to, labels.v[i]);
	return 0;
}

static int
merge_file(struct commit *k, struct err *e)
{
	struct rec_image_config given = {0};
	own_fd int fd = -1;
	own_json json_t *j = NULL;

	if (k->o->config == NULL)
		return 0;
	fd = open(k->o->config, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return err_sys(e, "reading configuration \"%s\"", k->o->config);
	j = json_read_fd(fd, JSON_SIZE_DEFAULT, k->o->config, e);
	if (j == NULL)
		return -1;
	if (!json_is_object(j))
		return err_set(e, ERR_FORMAT, "%s: not a JSON object", k->o->config);
	if (merge_words(&k->change, j, e) == -1 || merge_sets(&k->change, j, e) == -1 ||
	    manifest_config_members(j, &given, &k->a, e) == -1)
		return err_wrap(e, "%s", k->o->config);
	k->config.health = given.health;
	k->config.shell = given.shell;
	return 0;
}

static void
fill_history(struct commit *k)
{
	const struct rec_image *im = MSG_OF(&k->image, image_got)->image;
	const struct rec_image_config *below = im->config;
	struct rec_image_config *c = &k->config;
	size_t n = k->o->squash ? 0 : below->history.n;

	c->history.v = arena_array(&k->a, n + 1, sizeof(*c->history.v));
	for (size_t i = 0; i < n; i++)
		c->history.v[i] = below->history.v[i];
	c->history.v[n] = (struct rec_history){.created = k->created,
	    .created_by = "/bin/sh",
	    .author = k->o->author,
	    .comment = arena_printf(&k->a, "FROM %s", im->names.n > 0 ? im->names.v[0] : im->id)};
	c->history.n = n + 1;
}

static int
fill_config(struct commit *k, struct err *e)
{
	const struct rec_image_config *below = MSG_OF(&k->image, image_got)->image->config;
	struct rec_image_config *c = &k->config;

	take_container(k);
	if (merge_file(k, e) == -1)
		return -1;
	for (size_t i = 0; i < k->o->change.n; i++)
		if (change_apply(&k->change, k->o->change.v[i], e) == -1)
			return -1;
	change_record(&k->change, c, &k->a);
	human_rfc3339nano_utc(ctx_now_ns(), k->created, sizeof(k->created));
	c->created = k->created;
	c->author = k->o->author != NULL ? k->o->author : below->author;
	c->os = below->os;
	c->architecture = below->architecture;
	c->variant = below->variant;
	if (c->health == NULL)
		c->health = below->health;
	if (c->shell.n == 0)
		c->shell = below->shell;
	fill_history(k);
	return 0;
}

/* --- The layers -----------------------------------------------------------------------------------*/

/* The image the container stands on: what is below its own layer. */
static int
find_image(struct commit *k, struct err *e)
{
	struct msg_image_get get = {.name = k->c->image};
	struct msg_image_blob blob = {.image = k->c->image, .kind = "manifest"};
	struct peer *store = ctx_store(k->x, e);

	if (k->c->image == NULL || *k->c->image == '\0')
		return err_set(e, ERR_UNSUPPORTED,
		    "container %s was not made from an image and cannot be committed", k->c->id);
	if (store == NULL ||
	    peer_call(store, &msg_image_get_desc, &get, &k->image, NULL, NULL, e) == -1)
		return -1;
	return peer_call(store, &msg_image_blob_desc, &blob, &k->layers, NULL, NULL, e);
}

static void
say(const struct commit *k, const char *what, const char *digest)
{
	if (!k->o->quiet)
		fprintf(stderr, "%s%s\n", what, digest);
}

/* As Podman does, which leaves those with a whole path as well. */
static void
skip_secrets(struct commit *k, struct strs *skip)
{
	const struct rec_ctr_config *c = k->c->config;

	for (size_t i = 0; i < c->secrets.n; i++)
		if (!c->secrets.v[i].env && *c->secrets.v[i].target != '/')
			skip->v[skip->n++] =
			    arena_printf(&k->a, "run/secrets/%s", c->secrets.v[i].target);
}

static int
take_layer(struct commit *k, uint64_t stage, struct peer_in *in, struct err *e)
{
	struct msg_layer_take m = {.stage = stage, .id = k->c->id, .squash = k->o->squash};

	m.skip.v =
	    arena_array(&k->a, COUNTOF(engine_files) + k->c->config->secrets.n, sizeof(*m.skip.v));
	memcpy(m.skip.v, engine_files, sizeof(engine_files));
	m.skip.n = COUNTOF(engine_files);
	skip_secrets(k, &m.skip);
	say(k, "Getting image source signatures", "");
	return peer_call(ctx_store(k->x, e), &msg_layer_take_desc, &m, in, NULL, NULL, e);
}

static int
make(struct commit *k, const char *name, struct peer_in *done, struct err *e)
{
	own_peer_in struct peer_in taken = {0};
	const struct msg_image_blob_r *below = MSG_OF(&k->layers, image_blob_r);
	size_t n = k->o->squash ? 0 : below->layers.n;
	struct rec_layer_ref *layers = arena_array(&k->a, n + 1, sizeof(*layers));
	struct image_make m = {.config = &k->config,
	    .layers = layers,
	    .layers_n = n + 1,
	    .docker = strcmp(k->o->format, "docker") == 0,
	    .comment = k->o->message,
	    .container = k->c->id,
	    .parent = k->o->squash ? NULL : MSG_OF(&k->image, image_got)->image->id,
	    .name = name};
	const struct msg_layer_put_r *put;

	k->config.comment = m.docker ? m.comment : NULL;
	if (image_make_stage(k->x, &m.stage, e) == -1 || take_layer(k, m.stage, &taken, e) == -1)
		return -1;
	put = MSG_OF(&taken, layer_put_r);
	for (size_t i = 0; i < n; i++) {
		layers[i] = below->layers.v[i];
		say(k, "Copying blob ", layers[i].diff_id);
	}
	/* As with import: the layer is what can be had again at any time, its plain tar. */
	layers[n] = (struct rec_layer_ref){.diff_id = put->diff_id,
	    .digest = put->diff_id,
	    .media_type = MANIFEST_TYPE_OCI_LAYER,
	    .size = put->tar_size};
	say(k, "Copying blob ", put->diff_id);
	if (image_make(k->x, &m, done, e) == -1)
		return -1;
	say(k, "Copying config sha256:", MSG_OF(done, image_commit_r)->id);
	say(k, "Writing manifest to image destination", "");
	return 0;
}

/* --- The command ----------------------------------------------------------------------------------*/

/* image_default_format, of which the first schema can no longer be made. */
static int
choose_format(struct ctx *x, struct commit_opts *o, struct err *e)
{
	const struct containers_conf *c = o->format == NULL ? ctx_conf(x, e) : NULL;
	const char *word;

	if (o->format != NULL)
		return 0;
	if (c == NULL)
		return -1;
	word = c->engine_image_default_format;
	if (strcmp(word, "v2s1") == 0)
		return err_set(e, ERR_UNSUPPORTED,
		    "containers.conf: image_default_format v2s1 cannot be written any more");
	o->format = strcmp(word, "v2s2") == 0 ? "docker" : *word == '\0' ? "oci" : word;
	return 0;
}

static int
check(const struct commit_opts *o, const char *name, struct err *e)
{
	own_reference struct reference ref = {0};

	if (name != NULL && reference_parse(name, &ref, e) == -1)
		return -1;
	if (file_check_place(o->iidfile, "iidfile", e) == -1)
		return -1;
	if (strcmp(o->format, "oci") != 0 && strcmp(o->format, "docker") != 0)
		return err_set(e, ERR_USAGE, "unrecognized image format \"%s\"", o->format);
	if (o->message != NULL && strcmp(o->format, "oci") == 0)
		return err_set(e, ERR_USAGE,
		    "messages are only compatible with the docker image format (-f docker)");
	return 0;
}

/* Paused for as long as its files are read, whatever happens. */
static int
make_paused(struct commit *k, const char *name, struct peer_in *done, struct err *e)
{
	own_runtime struct runtime r = {0};
	struct err ignored = {0};
	int rc;

	if (!k->o->pause || k->c->status != CTR_RUNNING)
		return make(k, name, done, e);
	if (runtime_find(k->x, k->c->config, &r, e) == -1 ||
	    runtime_call(&r, "pause", NULL, k->c->id, e) == -1)
		return err_wrap(e, "pausing container %s", k->c->id);
	rc = make(k, name, done, e);
	if (runtime_call(&r, "resume", NULL, k->c->id, rc == 0 ? e : &ignored) == -1)
		rc = -1;
	return rc;
}

static int
commit(struct commit *k, const char *word, const char *name, struct err *e)
{
	own_peer_in struct peer_in done = {0};
	own_fd int lock = sync_open_word(k->x, word, k->c, e);
	const char *id;

	if (lock == -1 || ctr_config(k->c, e) == -1 || find_image(k, e) == -1 ||
	    fill_config(k, e) == -1 || make_paused(k, name, &done, e) == -1)
		return -1;
	id = MSG_OF(&done, image_commit_r)->id;
	if (k->o->iidfile != NULL && *k->o->iidfile != '\0' &&
	    file_write_place(k->o->iidfile, "iidfile", id, e) == -1)
		return -1;
	event_ctr(k->x, k->c, EVENT_COMMIT);
	puts(id);
	return 0;
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	own_ctr struct ctr c = {0};
	own(commit_free) struct commit k = {.x = ctx_of(cli), .o = opts, .c = &c};

	if (choose_format(k.x, opts, e) == -1 || check(k.o, argc > 1 ? argv[1] : NULL, e) == -1 ||
	    ctx_paths(k.x, e) == -1)
		return -1;
	return commit(&k, argv[0], argc > 1 ? argv[1] : NULL, e);
}

const struct cmd cmd_commit = {
    .name = "commit",
    .synopsis = "[options] CONTAINER [IMAGE]",
    .brief = "Create new image based on the changed container",
    .text =
	"Create an image from a container's changes. Optionally tag the image created, set the "
	"author with the --author flag, set the commit message with the --message flag, and make "
	"changes to the instructions with the --change flag.",
    .examples = "commit -q --message \"committing container to image\" -f docker reverent_golick "
		"image-committed\ncommit -q --author \"firstName lastName\" reverent_golick "
		"image-committed\ncommit -q --pause=false containerID image-committed",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct commit_opts),
    .min = 1,
    .max = 2,
    .complete = COMPLETE_CONTAINER,
    .run = run,
};
