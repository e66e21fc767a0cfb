/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/image_row.h"
#include "pod-run/cmd/select.h"
#include "pod-run/remote/containers.h"

#define CHANGES_MAX ((size_t)1 << 30)

struct diff_opts {
	const char *format;
	bool latest;
};

static const struct opt rows[] = {
    {"format", 0, OPT_STRING(struct diff_opts, format), .arg = "string",
	.complete = COMPLETE_CHOICE, .choices = "json", .help = "Change the output format (json)"},
    {"latest", 'l', OPT_BOOL(struct diff_opts, latest),
	.help = "Act on the latest container podman is aware of"},
    OPT_END,
};

static const struct opt image_rows[] = {
    {"format", 0, OPT_STRING(struct diff_opts, format), .arg = "string",
	.complete = COMPLETE_CHOICE, .choices = "json", .help = "Change the output format (json)"},
    OPT_END,
};

enum kind { ANY, CONTAINER, IMAGE };

/* Paths that the engine makes in each container; secrets lie below theirs. */
static const char *const hidden[] = {"/dev", "/etc/hostname", "/etc/hosts", "/etc/mtab",
    "/etc/resolv.conf", "/proc", "/run", "/run/.containerenv", "/run/notify", "/run/podman-init",
    "/run/secrets", "/sys"};

static bool
is_hidden(const char *path)
{
	for (size_t i = 0; i < COUNTOF(hidden); i++)
		if (strcmp(hidden[i], path) == 0)
			return true;
	return text_has_prefix(path, "/run/secrets/");
}

/* A change as the store writes it: kind, space, path. */
static int
by_path(const void *a, const void *b)
{
	return strcmp(*(char *const *)a + 2, *(char *const *)b + 2);
}

/* --- Output ---------------------------------------------------------------------------------------*/

static void
print_lines(char *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char clean[16384];

		text_escape(v[i], clean, sizeof(clean));
		puts(clean);
	}
}

static void
print_json(char *const *v, size_t n)
{
	static const struct {
		char kind;
		const char *key;
	} kinds[] = {{'C', "changed"}, {'A', "added"}, {'D', "deleted"}};
	own_json json_t *o = json_obj();
	own_strbuf struct strbuf text = {0};

	for (size_t k = 0; k < COUNTOF(kinds); k++) {
		json_t *list = NULL;

		for (size_t i = 0; i < n; i++)
			if (v[i][0] == kinds[k].kind) {
				if (list == NULL)
					list = json_put_arr(o, kinds[k].key);
				json_add_str(list, v[i] + 2);
			}
	}
	json_go(o, "     ", &text);
	puts(text.s);
}

/* --- The command ----------------------------------------------------------------------------------*/

/* The full ID of what a word names. */
static int
find(struct ctx *x, enum kind kind, const char *word, bool latest, struct arena *a,
    const char **out, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	char id[NAMES_ID_LEN + 1];
	struct err none = {0};

	if (ctx_paths(x, e) == -1)
		return -1;
	if (kind != IMAGE) {
		if (select_one(x, word, latest, id, kind == CONTAINER ? e : &none) == 0) {
			*out = arena_strdup(a, id);
			return 0;
		}
		if (kind == CONTAINER || latest) {
			if (latest)
				*e = none;
			return -1;
		}
	}
	if (image_row_find(x, word, &in, e) == -1)
		return -1;
	*out = arena_strdup(a, MSG_OF(&in, image_got)->image->id);
	return 0;
}

static int
read_changes(struct ctx *x, struct msg_rootfs_diff *m, char **text, size_t *n, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	own_fd int file = memfd_create("diff", MFD_CLOEXEC);
	struct peer *store = ctx_store(x, e);

	if (file == -1)
		return err_sys(e, "making a file in memory");
	m->stream = file;
	if (store == NULL || peer_call(store, &msg_rootfs_diff_desc, m, &in, NULL, NULL, e) == -1)
		return -1;
	if (lseek(file, 0, SEEK_SET) == -1)
		return err_sys(e, "reading the changes");
	return file_slurp(file, CHANGES_MAX, "the changes", text, n, e);
}

static void
show(char *text, size_t size, bool json)
{
	own_mem char **v = NULL;
	size_t n = 0, cap = 0;

	for (char *at = text; at < text + size; at += strlen(at) + 1) {
		if (strlen(at) < 3 || is_hidden(at + 2))
			continue;
		v = mem_grow(v, &cap, n + 1, sizeof(*v));
		v[n++] = at;
	}
	if (n > 0)
		qsort(v, n, sizeof(*v), by_path);
	if (json)
		print_json(v, n);
	else
		print_lines(v, n);
}

/* As the store writes them. */
static int
ask_changes(struct remote *r, enum kind kind, const char *word, const char *against, char **text,
    size_t *n, struct err *e)
{
	static const char kinds[] = "CAD";
	static const char *const types[] = {"all", "container", "image"};
	own_json json_t *list = NULL;
	own_strbuf struct strbuf b = {0};
	const json_t *one;
	size_t i;

	if (kind != IMAGE && containers_exists(r, word, e) == -1) {
		if (kind == CONTAINER || e->class != ERR_NOTFOUND)
			return -1;
		err_clear(e);
		list = containers_changes(r, "image", word, types[kind], against, e);
	} else {
		list = containers_changes(
		    r, kind == IMAGE ? "image" : "container", word, types[kind], against, e);
	}
	if (list == NULL)
		return -1;
	json_array_foreach (list, i, one) {
		const char *path = json_string_value(json_object_get(one, "Path"));
		json_int_t what = json_integer_value(json_object_get(one, "Kind"));

		if (path == NULL || what < 0 || what > 2)
			return err_set(
			    e, ERR_FORMAT, "a change that the service tells is malformed");
		strbuf_addf(&b, "%c %s", kinds[what], path);
		strbuf_addc(&b, '\0');
	}
	*n = b.n;
	*text = b.n > 0 ? strbuf_take(&b) : xstrdup("");
	return 0;
}

static int
latest_there(struct remote *r, char **id, struct err *e)
{
	static const struct strv none;
	const struct containers_wanted w = {.all = true, .last = 1, .filters = &none};
	own_ctr_list struct ctr_list l = {0};
	own_json json_t *told = NULL;

	if (containers_list(r, &w, &l, &told, e) == -1)
		return -1;
	if (l.n == 0)
		return err_set(e, ERR_NOTFOUND, "no containers found: no such container");
	*id = xstrdup(l.v[0].id);
	return 0;
}

static int
show_there(struct remote *r, enum kind kind, const struct diff_opts *o, int argc, char **argv,
    struct err *e)
{
	own_mem char *text = NULL, *latest = NULL;
	size_t n = 0;

	if ((o->latest && latest_there(r, &latest, e) == -1) ||
	    ask_changes(r, kind, o->latest ? latest : argv[0], argc > 1 ? argv[1] : NULL, &text, &n,
		e) == -1)
		return -1;
	show(text, n, o->format != NULL);
	return 0;
}

static int
run_any(struct cli_ctx *cli, enum kind kind, const struct diff_opts *o, int argc, char **argv,
    struct err *e)
{
	struct ctx *x = ctx_of(cli);
	own_arena struct arena a = {0};
	struct msg_rootfs_diff m = {0};
	own_mem char *text = NULL;
	size_t n = 0;

	if (o->format != NULL && strcmp(o->format, "json") != 0)
		return err_set(e, ERR_USAGE, "only supported value for '--format' is 'json'");
	if (o->latest && argc > 0)
		return err_set(e, ERR_USAGE, "--latest and containers cannot be used together");
	if (!o->latest && argc == 0)
		return kind != IMAGE ? select_none(cli, e)
				     : err_set(e, ERR_USAGE, "image name must be provided");
	if (x->remote != NULL)
		return show_there(x->remote, kind, o, argc, argv, e);
	if (find(x, kind, argc > 0 ? argv[0] : NULL, o->latest, &a, &m.id, e) == -1)
		return -1;
	if (argc > 1 && find(x, kind, argv[1], false, &a, &m.against, e) == -1)
		return -1;
	if (read_changes(x, &m, &text, &n, e) == -1)
		return -1;
	show(text, n, o->format != NULL);
	return 0;
}

static int
run_diff(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	return run_any(cli, ANY, opts, argc, argv, e);
}

static int
run_container(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	return run_any(cli, CONTAINER, opts, argc, argv, e);
}

static int
run_image(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	return run_any(cli, IMAGE, opts, argc, argv, e);
}

const struct cmd cmd_diff = {
    .name = "diff",
    .synopsis = "[options] {CONTAINER|IMAGE} [{CONTAINER|IMAGE}]",
    .brief = "Display the changes to the object's file system",
    .text = "Displays changes to the container filesystem's or image's root layer.",
    .examples = "diff imageID\ndiff ctrID\ndiff --format json redis:alpine",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct diff_opts),
    .max = 2,
    .complete = COMPLETE_CONTAINER,
    .run = run_diff,
};

const struct cmd cmd_container_diff = {
    .name = "diff",
    .synopsis = "[options] CONTAINER [CONTAINER]",
    .brief = "Inspect changes to the container's file systems",
    .text = "Displays changes to the container filesystem's root layer.",
    .examples = "container diff myCtr\ncontainer diff -l --format json myCtr",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct diff_opts),
    .max = 2,
    .complete = COMPLETE_CONTAINER,
    .run = run_container,
};

const struct cmd cmd_image_diff = {
    .name = "diff",
    .synopsis = "[options] IMAGE [IMAGE]",
    .brief = "Inspect changes to the image's file systems",
    .text = "Displays changes to the image's root layer.",
    .examples = "image diff myImage\nimage diff --format json redis:alpine",
    .opts = {{image_rows, 0}},
    .opts_size = sizeof(struct diff_opts),
    .max = 2,
    .complete = COMPLETE_IMAGE,
    .run = run_image,
};
