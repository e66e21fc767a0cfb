/* SPDX-License-Identifier: ISC */
#include "pod-run/oci/spec_security.h"

#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "pod-run/oci/spec_cap.h"
#include "pod-run/oci/spec_list.h"
#include "pod-run/oci/spec_mounts.h"

/* --- Namespaces
 * ----------------------------------------------------------------------------------*/

/* Accepts one of words (separated by commas), container:X, ns:PATH. */
static int
read_mode(const char *option, const char *given, const char *fallback, const char *words,
    const char **out, struct err *e)
{
	const char *mode = given != NULL && *given != '\0' ? given : fallback;

	*out = mode;
	if (opt_in_list(words, mode, strlen(mode)))
		return 0;
	if ((text_has_prefix(mode, "container:") && mode[10] != '\0') ||
	    (text_has_prefix(mode, "ns:") && mode[3] == '/'))
		return 0;
	if (strcmp(mode, "pod") == 0)
		return err_set(e, ERR_UNSUPPORTED, "--%s=pod: pods are not built", option);
	return err_set(e, ERR_INVALID, "unrecognized namespace mode %s passed", mode);
}

static int
read_namespaces(const struct spec_input *in, struct rec_ctr_config *c, struct err *e)
{
	const struct spec_options *o = in->o;
	const struct containers_conf *conf = in->d->conf;

	if (read_mode("pid", o->pid, conf->containers_pidns, "private,host", &c->pid_ns, e) < 0 ||
	    read_mode("ipc", o->ipc, conf->containers_ipcns, "private,host,none,shareable",
		&c->ipc_ns, e) < 0 ||
	    read_mode("uts", o->uts, conf->containers_utsns, "private,host", &c->uts_ns, e) < 0 ||
	    /* As Podman: a private view of the cgroups is the default of v2 only. */
	    read_mode("cgroupns", o->cgroupns,
		in->d->cgroup_v2 ? conf->containers_cgroupns : "host", "private,host",
		&c->cgroup_ns, e) < 0)
		return -1;
	if (c->hostname != NULL && strcmp(c->uts_ns, "host") == 0)
		return err_set(e, ERR_INVALID,
		    "cannot set hostname when running in the host UTS namespace: invalid argument");
	return 0;
}

/* --- The user namespace
 * --------------------------------------------------------------------------*/

/* A macro, since the lists of a record have no common type. */
#define ADD_RANGE(list, first, from, size)                                          \
	do {                                                                        \
		struct rec_id_range *r_ = (size) > 0 ? SPEC_PUSH(a, (list)) : NULL; \
                                                                                    \
		if (r_ != NULL)                                                     \
			*r_ = (struct rec_id_range){                                \
			    .inside = (first), .outside = (from), .count = (size)}; \
	} while (0)

/* The caller's id keeps its number; the ids around it take the rest of what we have. */
#define KEEP_ID(list, id, have)                                               \
	do {                                                                  \
		uint64_t below_ = (have) > 0 ? (have)-1 : 0;                  \
                                                                              \
		below_ = below_ < (id) ? below_ : (id);                       \
		ADD_RANGE(list, 0, 1, below_);                                \
		ADD_RANGE(list, (id), 0, (uint64_t)1);                        \
		if ((have) > (id) + 1)                                        \
			ADD_RANGE(list, (id) + 1, (id) + 1, (have) - (id)-1); \
	} while (0)

static int
keep_id(const struct spec_input *in, struct rec_ctr_config *c, char *options, struct arena *a,
    struct err *e)
{
	uint64_t uid = in->d->uid, gid = in->d->gid;

	for (char *o; (o = strsep(&options, ",")) != NULL;) {
		uint64_t *at = text_has_prefix(o, "uid=")   ? &uid
			       : text_has_prefix(o, "gid=") ? &gid
							    : NULL;

		if (at == NULL)
			return err_set(
			    e, ERR_INVALID, "unknown option specified for keep-id: \"%s\"", o);
		if (text_to_u64(o + 4, INT32_MAX, at) < 0)
			return err_set(e, ERR_INVALID, "invalid %.3s in keep-id: \"%s\"", o, o);
	}
	if (!in->d->rootless) {
		ADD_RANGE(&c->uid_map, 0, 0, (uint64_t)UINT32_MAX);
		ADD_RANGE(&c->gid_map, 0, 0, (uint64_t)UINT32_MAX);
		return 0;
	}
	KEEP_ID(&c->uid_map, uid, in->d->uids);
	KEEP_ID(&c->gid_map, gid, in->d->gids);
	if (c->user == NULL)
		c->user =
		    arena_printf(a, "%llu:%llu", (unsigned long long)uid, (unsigned long long)gid);
	return 0;
}

/* INSIDE:OUTSIDE[:COUNT] */
static int
parse_map(const char *word, struct rec_id_range *out, struct arena *a, struct err *e)
{
	char *rest = arena_strdup(a, word), *part[3] = {0};
	size_t n = 0;

	if (strpbrk(word, "+ug@") != NULL)
		return err_set(e, ERR_UNSUPPORTED,
		    "id map \"%s\": the flags +, u, g and @ are not built", word);
	while (rest != NULL && n < COUNTOF(part))
		part[n++] = strsep(&rest, ":");
	*out = (struct rec_id_range){.count = 1};
	if (n < 2 || rest != NULL || text_to_u64(part[0], UINT32_MAX - 1, &out->inside) < 0 ||
	    text_to_u64(part[1], UINT32_MAX - 1, &out->outside) < 0 ||
	    (n == 3 && (text_to_u64(part[2], UINT32_MAX, &out->count) < 0 || out->count == 0)))
		return err_set(e, ERR_INVALID,
		    "initializing ID mappings: \"%s\" is malformed: should be "
		    "container_id:from_id[:amount]",
		    word);
	return 0;
}

static int
explicit_maps(const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	const struct strv *u = &in->o->uidmap, *g = &in->o->gidmap;

	if (u->n == 0)
		u = g;
	if (g->n == 0)
		g = u;
	if (u->n > 340 || g->n > 340)
		return err_set(e, ERR_LIMIT, "more than 340 ranges in an id map");
	for (size_t i = 0; i < u->n; i++)
		if (parse_map(u->v[i], SPEC_PUSH(a, &c->uid_map), a, e) < 0)
			return -1;
	for (size_t i = 0; i < g->n; i++)
		if (parse_map(g->v[i], SPEC_PUSH(a, &c->gid_map), a, e) < 0)
			return -1;
	c->user_ns = "private";
	return 0;
}

static int
read_userns(const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	const struct spec_options *o = in->o;
	const char *given = o->userns != NULL ? o->userns : in->d->conf->containers_userns;
	char *mode = arena_strdup(a, *given == '\0' ? "host" : given), *options;
	bool maps = o->uidmap.n + o->gidmap.n > 0;

	if (maps && o->userns != NULL && strcmp(o->userns, "host") != 0 &&
	    strcmp(o->userns, "private") != 0)
		return err_set(
		    e, ERR_INVALID, "--userns and --uidmap/--gidmap are mutually exclusive");
	if (maps)
		return explicit_maps(in, c, a, e);
	c->user_ns = mode;
	if (strcmp(mode, "host") == 0)
		return 0;
	if (text_has_prefix(mode, "ns:") && mode[3] == '/')
		return 0;
	options = strchr(mode, ':');
	if (options != NULL)
		*options++ = '\0';
	if (strcmp(mode, "keep-id") == 0)
		return keep_id(in, c, options, a, e);
	if (strcmp(mode, "nomap") == 0) {
		if (!in->d->rootless)
			return err_set(e, ERR_INVALID, "nomap is only supported in rootless mode");
		ADD_RANGE(&c->uid_map, 0, 1, (uint64_t)in->d->uids - 1);
		ADD_RANGE(&c->gid_map, 0, 1, (uint64_t)in->d->gids - 1);
		return 0;
	}
	if (strcmp(mode, "auto") == 0 || strcmp(mode, "container") == 0)
		return err_set(e, ERR_UNSUPPORTED, "--userns=%s is not built", mode);
	if (strcmp(mode, "private") == 0)
		return err_set(e, ERR_INVALID,
		    "must provide at least one UID or GID mapping to configure a user namespace: "
		    "invalid argument");
	return err_set(e, ERR_INVALID, "unrecognized namespace mode %s passed", given);
}

/* --- Security options
 * ----------------------------------------------------------------------------*/

static void
split_paths(const char *list, struct strs *out, struct arena *a)
{
	char *rest = arena_strdup(a, list);

	for (char *p; (p = strsep(&rest, ":")) != NULL;)
		if (*p != '\0')
			spec_list_add(a, out, p);
}

static int
set_seccomp(const struct spec_input *in, struct rec_ctr_config *c, const char *value,
    struct arena *a, struct err *e)
{
	if (strcmp(value, "unconfined") == 0) {
		c->seccomp = value;
		return 0;
	}
	if (*value != '/')
		value = arena_printf(a, "%s/%s", in->d->cwd, value);
	if (access(value, R_OK) < 0)
		return err_sys(e, "opening seccomp profile failed: open %s", value);
	c->seccomp = spec_mounts_clean(value, a);
	return 0;
}

static int
set_apparmor(struct rec_ctr_config *c, const char *value, struct err *e)
{
	if (*value != '\0' && strcmp(value, "unconfined") != 0 &&
	    access("/sys/kernel/security/apparmor", F_OK) < 0)
		return err_set(e, ERR_UNSUPPORTED,
		    "apparmor profile \"%s\" specified, but AppArmor is not enabled on this system",
		    value);
	c->apparmor = value;
	return 0;
}

static int
security_option(const struct spec_input *in, struct rec_ctr_config *c, const char *word,
    struct arena *a, struct err *e)
{
	static const char bare[] = "no-new-privileges";
	size_t n = strcspn(word, "=");
	const char *value = word + n + 1;

	if (text_has_prefix(word, bare) && strchr("=:", word[sizeof(bare) - 1]) != NULL) {
		const char *flag = word + sizeof(bare) - 1;

		c->no_new_privs = *flag == '\0' || strcmp(flag + 1, "true") == 0;
		if (*flag != '\0' && !c->no_new_privs && strcmp(flag + 1, "false") != 0)
			return err_set(e, ERR_INVALID, "invalid --security-opt: \"%s\"", word);
		return 0;
	}
	if (word[n] == '\0')
		return err_set(e, ERR_INVALID, "invalid --security-opt 1: \"%s\"", word);
#define IS(name) (n == strlen(name) && strncmp(word, name, n) == 0)
	if (IS("seccomp"))
		return set_seccomp(in, c, value, a, e);
	if (IS("apparmor"))
		return set_apparmor(c, value, e);
	if (IS("label"))
		c->label = value;
	else if (IS("mask"))
		split_paths(value, &c->mask, a);
	else if (IS("unmask"))
		split_paths(value, &c->unmask, a);
	else if (IS("proc-opts")) {
		char *rest = arena_strdup(a, value);

		for (char *p; (p = strsep(&rest, ",")) != NULL;)
			spec_list_add(a, &c->proc_options, p);
	} else if (IS("systempaths")) {
		if (strcmp(value, "unconfined") != 0)
			return err_set(e, ERR_INVALID,
			    "invalid systempaths option \"%s\", only `unconfined` is supported",
			    value);
		spec_list_add(a, &c->unmask, "ALL");
	} else {
		return err_set(e, ERR_INVALID, "invalid --security-opt 2: \"%s\"", word);
	}
#undef IS
	return 0;
}

static int
read_caps(const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	const struct spec_options *o = in->o;
	struct strs base = {0};
	uint64_t mask;

	spec_list_add_all(a, &base, &in->d->conf->containers_default_capabilities);
	mask = spec_cap_mask(&base);
	if (spec_cap_normalise(&o->cap_add, a, &c->cap_add, e) < 0 ||
	    spec_cap_normalise(&o->cap_drop, a, &c->cap_drop, e) < 0)
		return -1;
	if (c->privileged)
		mask = spec_cap_bounding();
	else if (spec_cap_merge(mask, &o->cap_add, &o->cap_drop, &mask, e) < 0)
		return -1;
	spec_cap_list(mask, a, &c->caps);
	return 0;
}

static int
read_groups(const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	const struct strv *l = &in->o->group_add;

	for (size_t i = 0; i < l->n; i++) {
		if (strcmp(l->v[i], "keep-groups") != 0) {
			spec_list_add(a, &c->groups, l->v[i]);
			continue;
		}
		if (l->n > 1)
			return err_set(e, ERR_INVALID,
			    "the '--group-add keep-groups' option is not allowed with any other "
			    "--group-add options");
		c->keep_groups = true;
	}
	return 0;
}

int
spec_security_read(
    const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	const struct spec_options *o = in->o;
	const struct containers_conf *conf = in->d->conf;

	c->privileged = o->privileged < 0 ? conf->containers_privileged : o->privileged == 1;
	c->read_only = o->read_only < 0 ? conf->containers_read_only : o->read_only == 1;
	c->read_only_tmpfs = o->read_only_tmpfs != 0;
	if (*conf->containers_seccomp_profile != '\0')
		c->seccomp = conf->containers_seccomp_profile;
	for (size_t i = 0; i < o->security_opt.n; i++)
		if (security_option(in, c, o->security_opt.v[i], a, e) < 0)
			return -1;
	spec_list_add_all(a, &c->security_opts, &o->security_opt);
	if (read_namespaces(in, c, e) < 0 || read_userns(in, c, a, e) < 0 ||
	    read_caps(in, c, a, e) < 0)
		return -1;
	return read_groups(in, c, a, e);
}
