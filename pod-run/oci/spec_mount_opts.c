/* SPDX-License-Identifier: ISC */
#include "pod-run/oci/spec_mount_opts.h"

#include <string.h>
#include <sys/statvfs.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "pod-run/oci/spec_list.h"

#define BIND ((1u << MOUNT_BIND) | (1u << MOUNT_GLOB))
#define VOLUME (1u << MOUNT_VOLUME)
#define TMPFS (1u << MOUNT_TMPFS)
#define RAMFS (1u << MOUNT_RAMFS)
#define DEVPTS (1u << MOUNT_DEVPTS)
#define IMAGE (1u << MOUNT_IMAGE)
#define HOST (BIND | VOLUME)
#define MEMORY (TMPFS | RAMFS)
#define ANY (HOST | MEMORY | DEVPTS)

enum group {
	G_WRITE,
	G_EXEC,
	G_SUID,
	G_DEV,
	G_PROPAGATION,
	G_BIND,
	G_RELABEL,
	G_COPY,
	G_COPYUP,
	G_SIZE,
	G_MODE,
	G_CHOWN,
	G_UPPER,
	G_WORK,
	G_IDMAP,
	G_SWAP,
	G_OTHER, /* may be repeated */
	G_IGNORE,
};

/* How Podman names a group when two of its options meet. */
static const char *const group_words[] = {
    [G_WRITE] = "1 'rw' or 'ro' option",
    [G_EXEC] = "1 'exec' or 'noexec' option",
    [G_SUID] = "1 'suid' or 'nosuid' option",
    [G_DEV] = "1 'dev' or 'nodev' option",
    [G_PROPAGATION] = "1 '[r]shared', '[r]private', '[r]slave' or '[r]unbindable' option",
    [G_BIND] = "1 '[r]bind' option",
    [G_RELABEL] = "1 'z', 'Z', or 'O' option",
    [G_COPY] = "1 'copy' or 'nocopy' option",
    [G_COPYUP] = "1 'tmpcopyup' or 'notmpcopyup' option",
    [G_SIZE] = "1 'size' option",
    [G_MODE] = "1 'mode' option",
    [G_CHOWN] = "1 'U' option",
    [G_UPPER] = "1 upperdir per overlay",
    [G_WORK] = "1 workdir per overlay",
    [G_IDMAP] = "1 'idmap' option",
    [G_SWAP] = "1 'noswap' option",
};

#define WITH_VALUE 0x10000u

static const struct {
	const char *name;
	enum group group;
	unsigned kinds; /* and WITH_VALUE */
} table[] = {
    {"rw", G_WRITE, ANY},
    {"ro", G_WRITE, ANY},
    {"exec", G_EXEC, ANY},
    {"noexec", G_EXEC, ANY},
    {"suid", G_SUID, ANY},
    {"nosuid", G_SUID, ANY},
    {"dev", G_DEV, ANY},
    {"nodev", G_DEV, ANY},
    {"private", G_PROPAGATION, ANY},
    {"rprivate", G_PROPAGATION, ANY},
    {"slave", G_PROPAGATION, ANY},
    {"rslave", G_PROPAGATION, ANY},
    {"shared", G_PROPAGATION, ANY},
    {"rshared", G_PROPAGATION, ANY},
    {"unbindable", G_PROPAGATION, ANY},
    {"runbindable", G_PROPAGATION, ANY},
    {"bind", G_BIND, HOST},
    {"rbind", G_BIND, HOST},
    {"z", G_RELABEL, HOST},
    {"Z", G_RELABEL, HOST},
    {"copy", G_COPY, HOST},
    {"nocopy", G_COPY, HOST},
    {"nocreate", G_OTHER, VOLUME},
    {"tmpcopyup", G_COPYUP, TMPFS},
    {"notmpcopyup", G_COPYUP, TMPFS},
    {"size", G_SIZE, MEMORY | WITH_VALUE},
    {"mode", G_MODE, MEMORY | DEVPTS | WITH_VALUE},
    {"uid", G_OTHER, MEMORY | DEVPTS | WITH_VALUE},
    {"gid", G_OTHER, MEMORY | DEVPTS | WITH_VALUE},
    {"max", G_OTHER, DEVPTS | WITH_VALUE},
    {"ptmxmode", G_OTHER, DEVPTS | WITH_VALUE},
    {"nr_inodes", G_OTHER, TMPFS | WITH_VALUE},
    {"noswap", G_SWAP, TMPFS},
    {"noatime", G_OTHER, ANY},
    {"relatime", G_OTHER, ANY},
    {"nodiratime", G_OTHER, ANY},
    {"strictatime", G_OTHER, ANY},
    {"consistency", G_IGNORE, ANY | WITH_VALUE},
    {"cached", G_IGNORE, ANY},
    {"delegated", G_IGNORE, ANY},
    {"consistent", G_IGNORE, ANY},
    {"U", G_CHOWN, HOST | MEMORY},
    {"O", G_RELABEL, HOST},
    {"idmap", G_IDMAP, HOST},
    {"idmap", G_IDMAP, HOST | WITH_VALUE},
    {"upperdir", G_UPPER, HOST | WITH_VALUE},
    {"workdir", G_WORK, HOST | WITH_VALUE},
    {"no-dereference", G_OTHER, BIND},
};

static size_t
find(const char *option, enum mount_kind kind)
{
	size_t n = strcspn(option, "="), i;
	unsigned value = option[n] == '=' ? WITH_VALUE : 0;

	for (i = 0; i < COUNTOF(table); i++)
		if (strlen(table[i].name) == n && strncmp(table[i].name, option, n) == 0 &&
		    (table[i].kinds & WITH_VALUE) == value && (table[i].kinds >> kind & 1))
			break;
	return i;
}

/* Sets what is a member of the record rather than an option of the mount. */
static bool
as_member(struct rec_ctr_mount *r, const char *option)
{
	if (strcmp(option, "z") == 0)
		r->relabel = "shared";
	else if (strcmp(option, "Z") == 0)
		r->relabel = "private";
	else if (strcmp(option, "nocopy") == 0)
		r->no_copy = true;
	else if (strcmp(option, "nocreate") == 0)
		r->no_create = true;
	else if (strcmp(option, "U") == 0)
		r->chown = true;
	else if (strcmp(option, "O") == 0)
		r->overlay = true;
	else if (text_has_prefix(option, "idmap"))
		r->idmap = option;
	else if (text_has_prefix(option, "upperdir="))
		r->upper_dir = option + strlen("upperdir=");
	else if (text_has_prefix(option, "workdir="))
		r->work_dir = option + strlen("workdir=");
	else if (strcmp(option, "no-dereference") == 0)
		r->no_dereference = true;
	else
		return strcmp(option, "copy") == 0 || strcmp(option, "notmpcopyup") == 0;
	return true;
}

/* A number with k, m, g, … or % behind it, as the kernel reads sizes. */
static bool
is_size(const char *s)
{
	size_t n = strspn(s, "0123456789");

	return n > 0 && (s[n] == '\0' || (strchr("kKmMgGtTpP%", s[n]) != NULL && s[n + 1] == '\0'));
}

int
spec_mount_opts_check_idmap(const char *word, struct err *e)
{
	const char *p = word + strcspn(word, "=");

	if (*p == '\0')
		return 0;
	for (p++; *p != '\0';) {
		size_t n = strcspn(p, ";");

		if ((!text_has_prefix(p, "uids=") && !text_has_prefix(p, "gids=")) || n < 6 ||
		    strspn(p + 5, "0123456789-#@") < n - 5)
			return err_set(e, ERR_INVALID, "invalid idmap option \"%s\"", word);
		p += n + (p[n] == ';');
	}
	return 0;
}

int
spec_mount_opts_add(struct mount_opts *m, const char *option, struct err *e)
{
	size_t i = find(option, m->kind);
	enum group g;

	if (i == COUNTOF(table)) {
		if (m->kind == MOUNT_BIND || m->kind == MOUNT_VOLUME)
			return err_set(e, ERR_INVALID, "invalid option type \"%s\"", option);
		return err_set(
		    e, ERR_INVALID, "unknown mount option \"%s\": invalid mount option", option);
	}
	g = table[i].group;
	if (g == G_IGNORE)
		return 0;
	if (g != G_OTHER && (m->seen >> g & 1))
		return err_set(e, ERR_INVALID, "invalid options \"%s, %s\", can only specify %s",
		    m->last[g], option, group_words[g]);
	m->seen |= 1u << g;
	m->last[g] = option;
	if (g == G_IDMAP && spec_mount_opts_check_idmap(option, e) < 0)
		return -1;
	if (g == G_SIZE && !is_size(option + strlen("size=")))
		return err_set(e, ERR_INVALID, "%s: invalid mount option", option);
	if (!as_member(m->mount, option))
		spec_list_add(m->a, &m->mount->options, option);
	return 0;
}

/* Where a link itself lies, whatever it leads to. */
static const char *
parent_of(const struct mount_opts *m)
{
	const char *slash = strrchr(m->mount->source, '/');

	return slash == m->mount->source
		   ? "/"
		   : arena_strndup(m->a, m->mount->source, (size_t)(slash - m->mount->source));
}

/* Flags that the container must not lose, since the source's file system has them. */
static int
inherit(struct mount_opts *m, unsigned long *flags, struct err *e)
{
	struct statvfs fs;

	*flags = ST_NOSUID | ST_NODEV;
	if (m->kind != MOUNT_BIND)
		return 0;
	if (statvfs(m->mount->source, &fs) < 0 &&
	    (!m->mount->no_dereference || statvfs(parent_of(m), &fs) < 0))
		return err_sys(e, "statfs %s", m->mount->source);
	*flags = fs.f_flag;
	return 0;
}

/* An overlay decides about everything but the owner and its directories itself. */
static int
check_overlay(const struct mount_opts *m, struct err *e)
{
	const unsigned allowed = 1u << G_RELABEL | 1u << G_CHOWN | 1u << G_UPPER | 1u << G_WORK;
	const struct rec_ctr_mount *x = m->mount;

	if (!x->overlay) {
		if (x->upper_dir == NULL && x->work_dir == NULL)
			return 0;
		return err_set(e, ERR_INVALID,
		    "cannot specify `upperdir` or `workdir` without the option 'O'");
	}
	if ((m->seen & ~allowed) != 0)
		return err_set(e, ERR_INVALID, "can't use 'O' with other options");
	if ((x->upper_dir == NULL) != (x->work_dir == NULL))
		return err_set(e, ERR_INVALID, "must set both `upperdir` and `workdir`");
	if (x->upper_dir != NULL && (*x->upper_dir != '/' || *x->work_dir != '/'))
		return err_set(e, ERR_INVALID,
		    "`upperdir` and `workdir` of an overlay must be absolute paths");
	return 0;
}

int
spec_mount_opts_finish(struct mount_opts *m, struct err *e)
{
	struct strs *l = &m->mount->options;
	unsigned long flags;

	if (m->kind == MOUNT_IMAGE)
		return 0;
	if (check_overlay(m, e) < 0)
		return -1;
	if (m->mount->overlay)
		return 0;
	if (!(m->seen >> G_WRITE & 1))
		spec_list_add(m->a, l, "rw");
	if (m->kind == MOUNT_DEVPTS)
		return 0;
	if (!(m->seen >> G_PROPAGATION & 1))
		spec_list_add(m->a, l, "rprivate");
	if (inherit(m, &flags, e) < 0)
		return -1;
	if (!(m->seen >> G_EXEC & 1) && (flags & ST_NOEXEC))
		spec_list_add(m->a, l, "noexec");
	if (!(m->seen >> G_SUID & 1) && (flags & ST_NOSUID))
		spec_list_add(m->a, l, "nosuid");
	if (!(m->seen >> G_DEV & 1) && (flags & ST_NODEV))
		spec_list_add(m->a, l, "nodev");
	if (m->kind == MOUNT_TMPFS && !(m->seen >> G_COPYUP & 1))
		spec_list_add(m->a, l, "tmpcopyup");
	if ((m->kind == MOUNT_BIND || m->kind == MOUNT_VOLUME) && !(m->seen >> G_BIND & 1))
		spec_list_add(m->a, l, "rbind");
	return 0;
}
