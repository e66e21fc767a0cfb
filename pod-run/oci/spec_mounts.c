/* SPDX-License-Identifier: ISC */
#include "pod-run/oci/spec_mounts.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/value.h"
#include "pod-run/oci/spec_list.h"
#include "pod-run/oci/spec_mount_opts.h"
#include "pod-run/oci/spec_systemd.h"

struct reader {
	const struct spec_input *in;
	struct rec_ctr_config *c;
	struct arena *a;
	bool configured; /* from containers.conf: what the user said goes first */
};

char *
spec_mounts_clean(const char *path, struct arena *a)
{
	char *out = arena_alloc(a, strlen(path) + 2);
	size_t n = 0;
	bool rooted = path[0] == '/';

	while (*path != '\0') {
		size_t part = strcspn(path, "/");

		if (part == 2 && memcmp(path, "..", 2) == 0 && (n > 0 || rooted)) {
			while (n > 0 && out[--n] != '/')
				;
		} else if (part > 0 && !(part == 1 && path[0] == '.')) {
			if (n > 0 || rooted)
				out[n++] = '/';
			memcpy(out + n, path, part);
			n += part;
		}
		path += part + (path[part] == '/');
	}
	if (n == 0)
		out[n++] = rooted ? '/' : '.';
	out[n] = '\0';
	return out;
}

static bool
is_name(const char *s)
{
	static const char set[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";

	return *s != '\0' && strchr("_.-", *s) == NULL && s[strspn(s, set)] == '\0';
}

static const struct rec_ctr_mount *
find_target(const struct rec_ctr_config *c, const char *target)
{
	for (size_t i = 0; i < c->mounts.n; i++)
		if (strcmp(c->mounts.v[i].target, target) == 0)
			return &c->mounts.v[i];
	return NULL;
}

/* Checks a path in the container and gives its clean form. */
static int
clean_target(const char *path, struct arena *a, const char **out, struct err *e)
{
	if (*path == '\0')
		return err_set(e, ERR_INVALID, "container directory cannot be empty");
	if (*path != '/')
		return err_set(e, ERR_INVALID,
		    "invalid container path \"%s\", must be an absolute path", path);
	*out = spec_mounts_clean(path, a);
	if (strcmp(*out, "/") == 0)
		return err_set(e, ERR_INVALID,
		    "invalid container path \"%s\", cannot be the root of the container", path);
	return 0;
}

static char *
random_name(struct arena *a)
{
	uint8_t bytes[32];
	char *hex = arena_alloc(a, 2 * sizeof(bytes) + 1);

	/* getrandom cannot fail for so few bytes once the kernel has booted. */
	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		abort();
	text_hex(bytes, sizeof(bytes), hex);
	return hex;
}

/* The kind of a source: a path, or a volume's name; fills source and type. */
static int
set_source(struct reader *r, const char *source, struct mount_opts *m, struct err *e)
{
	struct rec_ctr_mount *x = m->mount;

	if (*source == '/') {
		x->source = spec_mounts_clean(source, r->a);
	} else if (*source == '.' || m->kind == MOUNT_BIND) {
		x->source =
		    spec_mounts_clean(arena_printf(r->a, "%s/%s", r->in->d->cwd, source), r->a);
	} else {
		if (!is_name(source))
			return err_set(e, ERR_INVALID,
			    "creating named volume \"%s\": running volume create option: names "
			    "must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument",
			    source);
		m->kind = MOUNT_VOLUME;
		x->type = "volume";
		x->source = source;
		return 0;
	}
	m->kind = MOUNT_BIND;
	x->type = "bind";
	return 0;
}

static bool
is_same(const struct rec_ctr_mount *x, const struct rec_ctr_mount *y)
{
	own_strbuf struct strbuf a = {0}, b = {0};

	wire_pack(&rec_ctr_mount_desc, x, &a);
	wire_pack(&rec_ctr_mount_desc, y, &b);
	return a.n == b.n && memcmp(a.s, b.s, a.n) == 0;
}

/* Adds the finished mount unless its place is taken. */
static int
add(struct reader *r, struct mount_opts *m, struct err *e)
{
	const struct rec_ctr_mount *same = find_target(r->c, m->mount->target);

	if (same != NULL && r->configured)
		return 0;
	if (m->kind != MOUNT_ARTIFACT && spec_mount_opts_finish(m, e) < 0)
		return -1;
	/* The same thing said twice is no contradiction. */
	if (same != NULL && is_same(same, m->mount))
		return 0;
	if (same != NULL)
		return err_set(e, ERR_INVALID, "%s: duplicate mount destination", m->mount->target);
	*SPEC_PUSH(r->a, &r->c->mounts) = *m->mount;
	return 0;
}

static int
add_options(struct mount_opts *m, char *list, struct err *e)
{
	for (char *option; (option = strsep(&list, ",")) != NULL;)
		if (*option != '\0' && spec_mount_opts_add(m, option, e) < 0)
			return -1;
	return 0;
}

/* [SOURCE:]TARGET[:OPTIONS] */
static int
read_volume(struct reader *r, const char *word, struct err *e)
{
	struct rec_ctr_mount x = {.type = "volume"};
	struct mount_opts m = {.kind = MOUNT_VOLUME, .mount = &x, .a = r->a};
	char *rest = arena_strdup(r->a, word);
	char *part[3] = {0};
	size_t n = 0;

	while (rest != NULL && n < COUNTOF(part))
		part[n++] = strsep(&rest, ":");
	if (rest != NULL)
		return err_set(e, ERR_INVALID,
		    "%s: incorrect volume format, should be [host-dir:]ctr-dir[:option]", word);
	if (n == 1) {
		x.source = random_name(r->a);
		x.anonymous = true;
	} else if (*part[0] == '\0') {
		return err_set(e, ERR_INVALID, "host directory cannot be empty");
	} else if (set_source(r, part[0], &m, e) < 0) {
		return -1;
	}
	if (clean_target(part[n > 1], r->a, &x.target, e) < 0 ||
	    (n == 3 && add_options(&m, part[2], e) < 0))
		return -1;
	return add(r, &m, e);
}

/* TARGET[:OPTIONS] */
static int
read_tmpfs(struct reader *r, const char *word, struct err *e)
{
	struct rec_ctr_mount x = {.type = "tmpfs"};
	struct mount_opts m = {.kind = MOUNT_TMPFS, .mount = &x, .a = r->a};
	char *rest = arena_strdup(r->a, word);
	char *target = strsep(&rest, ":");

	if (clean_target(target, r->a, &x.target, e) < 0 || add_options(&m, rest, e) < 0)
		return -1;
	return add(r, &m, e);
}

static const struct {
	const char *name;
	enum mount_kind kind;
} types[] = {{"bind", MOUNT_BIND}, {"volume", MOUNT_VOLUME}, {"tmpfs", MOUNT_TMPFS},
    {"ramfs", MOUNT_RAMFS}, {"devpts", MOUNT_DEVPTS}, {"image", MOUNT_IMAGE}, {"glob", MOUNT_GLOB},
    {"artifact", MOUNT_ARTIFACT}};

static int
mount_type(const char *name, struct mount_opts *m, struct err *e)
{
	for (size_t i = 0; i < COUNTOF(types); i++)
		if (strcmp(types[i].name, name) == 0) {
			m->kind = types[i].kind;
			m->mount->type = types[i].name;
			return 0;
		}
	return err_set(e, ERR_INVALID, "invalid filesystem type \"%s\"", name);
}

#define BINDS ((1u << MOUNT_BIND) | (1u << MOUNT_GLOB))

/* Names of --mount that mean an option of -v; NULL: the value itself is the option. */
static const struct {
	const char *name, *option;
	unsigned kinds;
} synonyms[] = {
    {"bind-nonrecursive", "bind", BINDS},
    {"bind-propagation", NULL, BINDS},
    {"tmpfs-size", "size", 1u << MOUNT_TMPFS},
    {"tmpfs-mode", "mode", 1u << MOUNT_TMPFS},
    {"readonly", "ro", ~0u},
    {"ro", "ro", ~0u},
    {"rw", "rw", ~0u},
    {"chown", "U", ~0u},
    {"U", "U", ~0u},
    {"volume-nocopy", "nocopy", 1u << MOUNT_VOLUME},
};

/* A boolean option with an optional value; *out becomes the option that results, or NULL for none. */
static int
boolean(const char *name, const char *option, const char *value, const char **out, struct err *e)
{
	bool on = true;

	if (value != NULL && value_bool(value, &on, e) < 0)
		return err_wrap(e, "%s", name);
	*out = on ? option : strcmp(option, "rw") == 0 ? "ro" : NULL;
	return 0;
}

static int
image_option(struct mount_opts *m, const char *name, const char *value, struct err *e)
{
	static const char *const names[] = {"rw", "readwrite", "ro", "readonly"};

	if (strcmp(name, "subpath") == 0 && value != NULL && *value != '\0') {
		m->mount->subpath = spec_mounts_clean(arena_printf(m->a, "/%s", value), m->a);
		return 0;
	}
	for (size_t i = 0; i < COUNTOF(names); i++) {
		bool on = value == NULL || strcasecmp(value, "true") == 0;

		if (strcmp(names[i], name) != 0)
			continue;
		if (!on && strcasecmp(value, "false") != 0)
			return err_set(e, ERR_INVALID, "invalid %s value \"%s\"", name, value);
		m->mount->writable = (i < 2) == on;
		return 0;
	}
	return err_set(e, ERR_INVALID, "%s: invalid mount option", name);
}

/* Kept as "name=value" for whoever looks into the artifact. */
static int
artifact_option(struct mount_opts *m, const char *name, const char *value, struct err *e)
{
	static const char *const names[] = {"title", "digest", "name"};

	for (size_t i = 0; i < COUNTOF(names); i++) {
		if (strcmp(names[i], name) != 0)
			continue;
		if (value == NULL || *value == '\0')
			return err_set(
			    e, ERR_INVALID, "%s: must provide an argument for option", name);
		spec_list_add(m->a, &m->mount->options, arena_printf(m->a, "%s=%s", name, value));
		return 0;
	}
	return err_set(e, ERR_INVALID, "%s: invalid mount option", name);
}

static int
mount_option(struct mount_opts *m, const char *name, const char *value, struct err *e)
{
	const char *option = name;
	size_t i;

	if (m->kind == MOUNT_ARTIFACT)
		return artifact_option(m, name, value, e);
	if (m->kind == MOUNT_IMAGE)
		return image_option(m, name, value, e);
	if (strcmp(name, "subpath") == 0 || strcmp(name, "volume-subpath") == 0) {
		if (m->kind != MOUNT_VOLUME || value == NULL || *value == '\0')
			return err_set(e, ERR_INVALID, "%s: invalid mount option", name);
		m->mount->subpath = spec_mounts_clean(arena_printf(m->a, "/%s", value), m->a);
		return 0;
	}
	if (strcmp(name, "relabel") == 0) {
		if (value == NULL ||
		    (strcmp(value, "private") != 0 && strcmp(value, "shared") != 0))
			return err_set(e, ERR_INVALID,
			    "relabel mount option must be 'private' or 'shared': invalid mount "
			    "option");
		return spec_mount_opts_add(m, strcmp(value, "private") == 0 ? "Z" : "z", e);
	}
	for (i = 0; i < COUNTOF(synonyms) && strcmp(synonyms[i].name, name) != 0; i++)
		;
	if (i == COUNTOF(synonyms)) {
		if (value != NULL)
			option = arena_printf(m->a, "%s=%s", name, value);
		if (spec_mount_opts_add(m, option, e) == 0)
			return 0;
		return e->class == ERR_UNSUPPORTED
			   ? -1
			   : err_set(e, ERR_INVALID, "%s: invalid mount option", name);
	}
	if (!(synonyms[i].kinds >> m->kind & 1))
		return err_set(e, ERR_INVALID, "\"%s\" option not supported for \"%s\" mount types",
		    name, m->mount->type);
	if (synonyms[i].option == NULL || strncmp(name, "tmpfs-", 6) == 0) {
		if (value == NULL)
			return err_set(
			    e, ERR_INVALID, "%s: must provide an argument for option", name);
		option = synonyms[i].option == NULL
			     ? value
			     : arena_printf(m->a, "%s=%s", synonyms[i].option, value);
	} else if (boolean(name, synonyms[i].option, value, &option, e) < 0) {
		return -1;
	}
	return option == NULL ? 0 : spec_mount_opts_add(m, option, e);
}

/* source= and target= in all their spellings. */
static int
mount_place(struct reader *r, struct mount_opts *m, const char *name, const char *value,
    bool is_source, struct err *e)
{
	if (value == NULL)
		return err_set(e, ERR_INVALID, "%s: must provide an argument for option", name);
	if (!is_source)
		return clean_target(value, r->a, &m->mount->target, e);
	if (m->kind == MOUNT_TMPFS || m->kind == MOUNT_RAMFS || m->kind == MOUNT_DEVPTS)
		return err_set(
		    e, ERR_INVALID, "source is not supported with %s mounts", m->mount->type);
	if (*value == '\0')
		return err_set(e, ERR_INVALID,
		    "host directory cannot be empty: must provide an argument for option");
	if (m->kind == MOUNT_IMAGE || m->kind == MOUNT_GLOB || m->kind == MOUNT_ARTIFACT) {
		m->mount->source = value;
		return 0;
	}
	if (m->kind == MOUNT_VOLUME && (*value == '/' || *value == '.'))
		return err_set(e, ERR_INVALID,
		    "creating named volume \"%s\": running volume create option: names must match "
		    "[a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument",
		    value);
	return set_source(r, value, m, e);
}

static bool
one_of(const char *s, const char *a, const char *b, const char *c)
{
	return strcmp(s, a) == 0 || strcmp(s, b) == 0 || strcmp(s, c) == 0;
}

/* A bind for each path that matches: below the target, or else where it is on the host. */
static int
add_matches(struct reader *r, const struct mount_opts *m, struct err *e)
{
	const char *pattern = m->mount->source, *target = m->mount->target;
	glob_t g = {0};
	int rc = 0;

	if (pattern == NULL)
		return err_set(e, ERR_INVALID, "must set source for glob mounts");
	if (*pattern != '/')
		pattern = arena_printf(r->a, "%s/%s", r->in->d->cwd, pattern);
	if (glob(pattern, 0, NULL, &g) != 0)
		rc =
		    err_set(e, ERR_INVALID, "no file paths matching glob \"%s\"", m->mount->source);
	for (size_t i = 0; rc == 0 && i < g.gl_pathc; i++) {
		const char *path = arena_strdup(r->a, g.gl_pathv[i]);
		struct rec_ctr_mount x = *m->mount;
		struct mount_opts one = *m;

		x.type = "bind";
		x.source = spec_mounts_clean(path, r->a);
		x.target = target == NULL ? x.source
					  : spec_mounts_clean(arena_printf(r->a, "%s/%s", target,
								  strrchr(x.source, '/') + 1),
						r->a);
		/* A copy of the list, since each gets options of its own. */
		x.options = (struct strs){0};
		for (size_t k = 0; k < m->mount->options.n; k++)
			spec_list_add(r->a, &x.options, m->mount->options.v[k]);
		one.kind = MOUNT_BIND;
		one.mount = &x;
		rc = add(r, &one, e);
	}
	globfree(&g);
	return rc;
}

/* type=TYPE,… */
static int
read_mount(struct reader *r, const char *word, struct err *e)
{
	static const char format[] =
	    "incorrect mount format: should be --mount type=<bind|glob|tmpfs|volume>,"
	    "[src=<host-dir|volume-name>,]target=<ctr-dir>[,options]";
	struct rec_ctr_mount x = {0};
	struct mount_opts m = {.mount = &x, .a = r->a};
	char *list = arena_strdup(r->a, word), *scan = arena_strdup(r->a, word), *item;

	while ((item = strsep(&scan, ",")) != NULL)
		if (strncmp(item, "type=", 5) == 0 && mount_type(item + 5, &m, e) < 0)
			return -1;
	if (x.type == NULL && mount_type("volume", &m, e) < 0)
		return -1;
	while ((item = strsep(&list, ",")) != NULL) {
		char *value = strchr(item, '=');
		bool source, target;

		if (value != NULL)
			*value++ = '\0';
		if (*item == '\0' || strcmp(word, item) == 0)
			return err_set(e, ERR_INVALID, "%s", format);
		source = one_of(item, "src", "source", "source");
		target = one_of(item, "dst", "target", "destination");
		if (strcmp(item, "type") == 0)
			continue;
		if (source || target ? mount_place(r, &m, item, value, source, e) < 0
				     : mount_option(&m, item, value, e) < 0)
			return -1;
	}
	if (m.kind == MOUNT_GLOB)
		return add_matches(r, &m, e);
	if (m.kind == MOUNT_IMAGE && (x.target == NULL || x.source == NULL))
		return err_set(e, ERR_INVALID, "must set source and destination for image volume");
	if (m.kind == MOUNT_ARTIFACT && (x.target == NULL || x.source == NULL))
		return err_set(
		    e, ERR_INVALID, "must set source and destination for artifact mount");
	if (x.target == NULL)
		return err_set(e, ERR_INVALID, "must set volume destination");
	if (m.kind == MOUNT_BIND && x.source == NULL)
		x.source = x.target;
	if (m.kind == MOUNT_VOLUME && x.source == NULL) {
		x.source = random_name(r->a);
		x.anonymous = true;
	}
	return add(r, &m, e);
}

static int
read_list(struct reader *r, const struct strv *l,
    int (*one)(struct reader *r, const char *word, struct err *e), struct err *e)
{
	for (size_t i = 0; i < l->n; i++)
		if (one(r, l->v[i], e) < 0)
			return -1;
	return 0;
}

int
spec_mounts_read(
    const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	struct reader r = {.in = in, .c = c, .a = a};

	for (size_t i = 0; i < in->o->volumes_from.n; i++) {
		const char *name;
		unsigned how;

		if (spec_mounts_inherit_word(in->o->volumes_from.v[i], &name, &how, a, e) < 0)
			return -1;
	}
	if (read_list(&r, &in->o->mount, read_mount, e) < 0 ||
	    read_list(&r, &in->o->volume, read_volume, e) < 0 ||
	    read_list(&r, &in->o->tmpfs, read_tmpfs, e) < 0)
		return -1;
	r.configured = true;
	if (read_list(&r, &in->d->conf->containers_mounts, read_mount, e) < 0 ||
	    read_list(&r, &in->d->conf->containers_volumes, read_volume, e) < 0)
		return err_wrap(e, "parsing containers.conf mounts");
	return 0;
}

/* Number of components: a mount comes before everything below it. */
static size_t
depth(const struct rec_ctr_mount *m)
{
	size_t n = 0;

	for (const char *p = m->target; *p != '\0'; p++)
		n += *p == '/';
	return n;
}

static int
by_depth(const void *va, const void *vb)
{
	const struct rec_ctr_mount *a = va, *b = vb;
	size_t da = depth(a), db = depth(b);

	return da != db ? (da < db ? -1 : 1) : strcmp(a->target, b->target);
}

static int
add_image_volume(struct reader *r, const char *path, const char *mode, struct err *e)
{
	struct rec_ctr_mount x = {.from_image = true};
	struct mount_opts m = {.mount = &x, .a = r->a};

	if (*path != '/')
		path = arena_printf(r->a, "/%s", path);
	if (clean_target(path, r->a, &x.target, e) < 0)
		return err_wrap(e, "volume of the image");
	if (find_target(r->c, x.target) != NULL)
		return 0;
	if (strcmp(mode, "tmpfs") == 0) {
		x.type = "tmpfs";
		m.kind = MOUNT_TMPFS;
	} else {
		x.type = "volume";
		x.source = random_name(r->a);
		x.anonymous = true;
		m.kind = MOUNT_VOLUME;
	}
	return add(r, &m, e);
}

/* What systemd expects to find empty, and writable. */
static int
add_systemd_tmpfs(struct reader *r, struct err *e)
{
	for (size_t i = 0; spec_systemd_tmpfs[i] != NULL; i++) {
		struct rec_ctr_mount x = {
		    .type = "tmpfs", .target = spec_systemd_tmpfs[i], .implied = true};
		struct mount_opts m = {.kind = MOUNT_TMPFS, .mount = &x, .a = r->a};

		if (find_target(r->c, x.target) != NULL)
			continue;
		if (r->c->systemd_size > 0 &&
		    spec_mount_opts_add(
			&m, arena_printf(r->a, "size=%lld", (long long)r->c->systemd_size), e) < 0)
			return -1;
		if (add(r, &m, e) < 0)
			return -1;
	}
	return 0;
}

/* With a read-only root these stay writable, and keep what the image has there. */
static int
add_read_only_tmpfs(struct reader *r, struct err *e)
{
	static const char *const places[] = {"/run", "/tmp", "/var/tmp"};

	for (size_t i = 0; i < COUNTOF(places); i++) {
		struct rec_ctr_mount x = {.type = "tmpfs", .target = places[i], .implied = true};
		struct mount_opts m = {.kind = MOUNT_TMPFS, .mount = &x, .a = r->a};

		if (find_target(r->c, places[i]) == NULL && add(r, &m, e) < 0)
			return -1;
	}
	return 0;
}

int
spec_mounts_inherit_word(
    const char *word, const char **name, unsigned *how, struct arena *a, struct err *e)
{
	const char *colon = strchr(word, ':');
	char *rest = colon == NULL ? NULL : arena_strdup(a, colon + 1);

	*name = arena_strndup(a, word, strcspn(word, ":"));
	*how = 0;
	for (char *o; (o = strsep(&rest, ",")) != NULL;) {
		if (strcmp(o, "ro") == 0)
			*how |= SPEC_INHERIT_RO;
		else if (strcmp(o, "rw") == 0)
			*how |= SPEC_INHERIT_RW;
		else if (strcmp(o, "z") == 0)
			*how |= SPEC_INHERIT_Z;
		else
			return err_set(e, ERR_INVALID,
			    "invalid option \"%s\" specified - volumes from another container can "
			    "only use z,ro,rw options",
			    o);
	}
	if ((*how & SPEC_INHERIT_RO) && (*how & SPEC_INHERIT_RW))
		return err_set(e, ERR_INVALID, "cannot set ro or rw options more than once");
	if (**name == '\0')
		return err_set(
		    e, ERR_INVALID, "no container was named in --volumes-from \"%s\"", word);
	return 0;
}

void
spec_mounts_inherit(
    const struct rec_ctr_config *from, unsigned how, struct rec_ctr_config *c, struct arena *a)
{
	for (size_t i = 0; i < from->mounts.n; i++) {
		struct rec_ctr_mount x = {0};

		if (from->mounts.v[i].implied ||
		    (strcmp(from->mounts.v[i].type, "bind") != 0 &&
			strcmp(from->mounts.v[i].type, "volume") != 0) ||
		    find_target(c, from->mounts.v[i].target) != NULL)
			continue;
		wire_copy(&rec_ctr_mount_desc, &from->mounts.v[i], &x, a);
		/* The volume goes away with the container that made it. */
		x.from_image = x.anonymous = false;
		if (how & SPEC_INHERIT_Z)
			x.relabel = "shared";
		for (size_t k = 0; (how & (SPEC_INHERIT_RO | SPEC_INHERIT_RW)) && k < x.options.n;
		     k++)
			if (strcmp(x.options.v[k], "ro") == 0 || strcmp(x.options.v[k], "rw") == 0)
				x.options.v[k] = how & SPEC_INHERIT_RO ? "ro" : "rw";
		*SPEC_PUSH(a, &c->mounts) = x;
	}
}

/* Without maps of its own the option takes those of the user namespace; an ordinary user is always in one. */
static int
check_idmap(const struct spec_input *in, const struct rec_ctr_config *c,
    const struct rec_ctr_mount *m, struct err *e)
{
	bool own = m->idmap == NULL || strcmp(m->idmap, "idmap") != 0;

	if (own || in->d->rootless || (c->user_ns != NULL && strcmp(c->user_ns, "host") != 0))
		return 0;
	return err_set(e, ERR_INVALID,
	    "%s: the option idmap needs a user namespace, or maps of its own (uids=…;gids=…)",
	    m->target);
}

int
spec_mounts_merge(const struct spec_input *in, const struct rec_image_config *image,
    struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	struct reader r = {.in = in, .c = c, .a = a};
	const char *mode = in->o->image_volume != NULL ? in->o->image_volume
						       : in->d->conf->engine_image_volume_mode;

	for (size_t i = 0; image != NULL && i < image->volumes.n && strcmp(mode, "ignore") != 0;
	     i++)
		if (add_image_volume(&r, image->volumes.v[i], mode, e) < 0)
			return -1;
	for (size_t i = 0; i < c->mounts.n; i++)
		if (check_idmap(in, c, &c->mounts.v[i], e) < 0)
			return -1;
	if (c->systemd && add_systemd_tmpfs(&r, e) < 0)
		return -1;
	if (c->read_only && c->read_only_tmpfs && add_read_only_tmpfs(&r, e) < 0)
		return -1;
	if (c->mounts.n > 1)
		qsort(c->mounts.v, c->mounts.n, sizeof(*c->mounts.v), by_depth);
	return 0;
}
