/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/conf/selinux_conf.h"
#include "pod-run/life/label.h"
#include "pod-run/oci/selinux.h"
#include "pod-run/oci/spec_list.h"
#include "pod-run/oci/spec_security.h"
#include "pod-run/state/ctr.h"

#define TRIES 256

/* "user:role:type:level" as words of label=. */
static void
add_words(struct strs *words, const char *label, struct arena *a)
{
	static const char *const keys[] = {"user", "role", "type", "level"};
	char *rest = arena_strdup(a, label);

	for (size_t i = 0; i < COUNTOF(keys) && rest != NULL; i++) {
		const char *value = i + 1 < COUNTOF(keys) ? strsep(&rest, ":") : rest;

		if (*value != '\0')
			spec_list_add(a, words, arena_printf(a, "%s:%s", keys[i], value));
	}
}

static int
add_joined(struct ctx *x, const char *mode, struct strs *words, struct arena *a, struct err *e)
{
	own_ctr struct ctr other = {0};

	if (mode == NULL || !text_has_prefix(mode, "container:"))
		return 0;
	if (ctr_load(ctx_db(x, e), mode + strlen("container:"), &other, e) == -1 ||
	    ctr_config(&other, e) == -1)
		return -1;
	if (other.config->label != NULL)
		add_words(words, other.config->label, a);
	return 0;
}

static bool
names_level(const struct strs *words)
{
	for (size_t i = 0; i < words->n; i++)
		if (text_has_prefix(words->v[i], "level:"))
			return true;
	return false;
}

/* Labels whose categories no container has, unless the words name some. */
static int
draw(struct ctx *x, const struct strs *words, bool systemd, struct arena *a,
    struct selinux_labels *labels, struct err *e)
{
	bool is_used = true;

	/* Two commands may choose the same pair at once: one in half a million. */
	for (int i = 0; i < TRIES && is_used; i++) {
		const char *level;

		if (selinux_labels(words, systemd, a, labels, e) == -1)
			return -1;
		level = selinux_level(labels->process);
		is_used = false;
		if (level != NULL && !names_level(words) &&
		    ctr_config_has(ctx_db(x, e), level, &is_used, e) == -1)
			return -1;
	}
	return is_used ? err_set(e, ERR_LIMIT, "SELinux: no pair of categories is free") : 0;
}

int
label_choose(struct ctx *x, const struct spec_input *in, struct rec_ctr_config *c, struct arena *a,
    struct err *e)
{
	struct selinux_labels labels;
	struct strs words;

	if (!selinux_conf_enabled() || !in->d->conf->containers_label)
		return 0;
	words = spec_security_label_words(in, c, a);
	if (add_joined(x, c->pid_ns, &words, a, e) == -1 ||
	    add_joined(x, c->ipc_ns, &words, a, e) == -1 ||
	    draw(x, &words, c->systemd, a, &labels, e) == -1)
		return -1;
	c->label = labels.process;
	c->mount_label = labels.mount;
	c->label_nested = labels.nested;
	return 0;
}

static const char *
with_level(const char *label, const char *level, struct arena *a)
{
	const char *old = selinux_level(label);

	return old == NULL ? label : arena_printf(a, "%.*s%s", (int)(old - label), label, level);
}

static bool
joins(const char *mode)
{
	return mode != NULL && text_has_prefix(mode, "container:");
}

int
label_renew(struct ctx *x, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	struct strs words = {0};
	struct selinux_labels labels;
	const char *level;

	if (!selinux_conf_enabled() || c->label == NULL || *c->label == '\0' ||
	    c->mount_label == NULL || joins(c->pid_ns) || joins(c->ipc_ns))
		return 0;
	for (size_t i = 0; i < c->create_command.n; i++)
		if (strstr(c->create_command.v[i], "label=level:") != NULL)
			return 0;
	if (draw(x, &words, c->systemd, a, &labels, e) == -1)
		return -1;
	level = selinux_level(labels.process);
	if (level == NULL)
		return 0;
	c->label = with_level(c->label, level, a);
	c->mount_label = with_level(c->mount_label, level, a);
	return 0;
}
