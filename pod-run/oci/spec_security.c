/* SPDX-License-Identifier: ISC */
#include "pod-run/oci/spec_security.h"

#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "pod-run/oci/spec_cap.h"
#include "pod-run/oci/spec_list.h"
#include "pod-run/oci/spec_mounts.h"
#include "pod-run/oci/spec_userns.h"

#define CAPS_LABEL "io.containers.capabilities"
#define SECCOMP_LABEL "io.containers.seccomp.profile"

/* --- Namespaces
 * ----------------------------------------------------------------------------------*/

/* Accepts one of words (separated by commas), container:X, ns:PATH.  what is the namespace's name in messages. */
static int
read_mode(const char *what, const char *given, const char *fallback, const char *words,
    const char **out, struct err *e)
{
	const char *mode = given != NULL && *given != '\0' ? given : fallback;

	*out = mode;
	if (opt_in_list(words, mode, strlen(mode)))
		return 0;
	if (text_has_prefix(mode, "container:") && mode[10] != '\0')
		return 0;
	if (text_has_prefix(mode, "ns:") && mode[3] == '/')
		return access(mode + 3, F_OK) == 0
			   ? 0
			   : err_sys(e, "cannot find specified %s namespace path: stat %s", what,
				 mode + 3);
	if (strcmp(mode, "pod") == 0)
		return err_set(
		    e, ERR_UNSUPPORTED, "%s namespace of a pod: pods are not built", what);
	return err_set(e, ERR_INVALID, "unrecognized namespace mode %s passed", mode);
}

static int
read_namespaces(const struct spec_input *in, struct rec_ctr_config *c, struct err *e)
{
	const struct spec_options *o = in->o;
	const struct containers_conf *conf = in->d->conf;

	if (read_mode("PID", o->pid, conf->containers_pidns, "private,host", &c->pid_ns, e) < 0 ||
	    read_mode("IPC", o->ipc, conf->containers_ipcns, "private,host,none,shareable",
		&c->ipc_ns, e) < 0 ||
	    read_mode("UTS", o->uts, conf->containers_utsns, "private,host", &c->uts_ns, e) < 0 ||
	    /* As Podman: a private view of the cgroups is the default of v2 only. */
	    read_mode("cgroup", o->cgroupns, in->d->cgroup_v2 ? conf->containers_cgroupns : "host",
		"private,host", &c->cgroup_ns, e) < 0)
		return -1;
	if (c->hostname != NULL && strcmp(c->uts_ns, "host") == 0)
		return err_set(e, ERR_INVALID,
		    "invalid config provided: cannot set hostname when running in the host UTS "
		    "namespace: "
		    "invalid configuration");
	return 0;
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
	struct stat st;

	if (strcmp(value, "unconfined") == 0) {
		c->seccomp = value;
		return 0;
	}
	/* The host's own. */
	if (*value == '\0') {
		c->seccomp = NULL;
		return 0;
	}
	if (*value != '/')
		value = arena_printf(a, "%s/%s", in->d->cwd, value);
	if (access(value, R_OK) < 0 || stat(value, &st) < 0)
		return err_sys(e, "opening seccomp profile failed: open %s", value);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INVALID, "seccomp profile %s: not a regular file", value);
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
	/* Docker's older form has a colon. */
	size_t n = strcspn(word, strchr(word, '=') != NULL ? "=" : ":");
	const char *value = word + n + 1;

	if (text_has_prefix(word, bare) && strchr("=:", word[sizeof(bare) - 1]) != NULL) {
		const char *flag = word + sizeof(bare) - 1;

		c->no_new_privs = *flag == '\0' || strcmp(flag + 1, "true") == 0;
		if (*flag != '\0' && !c->no_new_privs && strcmp(flag + 1, "false") != 0)
			return err_set(e, ERR_INVALID, "invalid --security-opt 2: \"%s\"", word);
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
		return 0; /* see spec_security_labels */
	if (IS("mask"))
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
	const struct strv *base = &in->d->conf->containers_default_capabilities, none = {0};
	uint64_t mask;

	if (spec_cap_merge(0, base, &none, &mask, e) < 0)
		return err_wrap(e, "containers.conf: default_capabilities");
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

struct strs
spec_security_label_words(
    const struct spec_input *in, const struct rec_ctr_config *c, struct arena *a)
{
	struct strs words = {0};

	/* What shares the host's processes or memory cannot be kept apart from them. */
	if (c->privileged || strcmp(c->pid_ns, "host") == 0 || strcmp(c->ipc_ns, "host") == 0)
		spec_list_add(a, &words, "disable");
	for (size_t i = 0; i < in->o->security_opt.n; i++)
		if (text_has_prefix(in->o->security_opt.v[i], "label=") ||
		    text_has_prefix(in->o->security_opt.v[i], "label:"))
			spec_list_add(a, &words, in->o->security_opt.v[i] + strlen("label="));
	return words;
}

/* The image may ask for fewer capabilities than the default ones, never for more. */
static int
image_caps(const struct spec_input *in, const char *list, struct rec_ctr_config *c, struct arena *a,
    struct err *e)
{
	own_strv struct strv words = {0};
	struct strs named = {0};
	uint64_t asked, had = spec_cap_mask(&c->caps);

	if (in->o->cap_add.n + in->o->cap_drop.n > 0 || c->privileged || *list == '\0')
		return 0;
	strv_split(&words, list, ',');
	if (spec_cap_normalise(&words, a, &named, e) < 0)
		return err_wrap(e, "image label " CAPS_LABEL);
	asked = spec_cap_mask(&named);
	if ((asked & ~had) != 0)
		return err_set(e, ERR_INVALID,
		    "capabilities requested by user or image are not allowed by default: \"%s\"",
		    list);
	c->caps = (struct strs){0};
	spec_cap_list(asked, a, &c->caps);
	return 0;
}

int
spec_security_merge(
    const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	const char *policy = in->o->seccomp_policy;
	const char *caps = spec_list_kv_get(c->labels.v, c->labels.n, CAPS_LABEL);
	const char *profile = spec_list_kv_get(c->labels.v, c->labels.n, SECCOMP_LABEL);

	if (policy != NULL && strcmp(policy, "image") == 0) {
		if (profile == NULL || *profile == '\0')
			return err_set(e, ERR_INVALID,
			    "seccomp profile was not found in image: no label " SECCOMP_LABEL);
		c->seccomp_text = profile;
		c->seccomp = NULL;
	}
	return caps == NULL ? 0 : image_caps(in, caps, c, a, e);
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
	if (*conf->containers_apparmor_profile != '\0' &&
	    access("/sys/kernel/security/apparmor", F_OK) == 0)
		c->apparmor = conf->containers_apparmor_profile;
	for (size_t i = 0; i < o->security_opt.n; i++)
		if (security_option(in, c, o->security_opt.v[i], a, e) < 0)
			return -1;
	if (c->seccomp == NULL && *conf->containers_seccomp_profile != '\0' &&
	    set_seccomp(in, c, conf->containers_seccomp_profile, a, e) < 0)
		return -1;
	spec_list_add_all(a, &c->security_opts, &o->security_opt);
	if (o->seccomp_policy != NULL && strcmp(o->seccomp_policy, "default") != 0 &&
	    strcmp(o->seccomp_policy, "image") != 0)
		return err_set(e, ERR_INVALID,
		    "invalid seccomp policy \"%s\": valid policies are [\"default\" \"image\"]",
		    o->seccomp_policy);
	if (read_namespaces(in, c, e) < 0 || spec_userns_read(in, c, a, e) < 0 ||
	    read_caps(in, c, a, e) < 0)
		return -1;
	return read_groups(in, c, a, e);
}
