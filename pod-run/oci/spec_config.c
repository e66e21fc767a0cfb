/* SPDX-License-Identifier: ISC */
#include "pod-run/oci/hooks.h"
#include "pod-run/oci/spec_config.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/sig.h"
#include "common/base/text.h"
#include "pod-run/oci/config_json.h"
#include "pod-run/oci/config_linux.h"
#include "pod-run/oci/config_mounts.h"
#include "pod-run/oci/config_process.h"

#define OCI_VERSION "1.0.2"

/* Annotations of ours; what the user set under the same name wins. */
static void
write_annotation(
    const struct rec_ctr_config *c, struct strbuf *b, const char *key, const char *value)
{
	for (size_t i = 0; i < c->annotations.n; i++)
		if (strcmp(c->annotations.v[i].key, key) == 0)
			return;
	config_json_str(b, key, value);
}

static void
write_annotations(const struct rec_ctr_config *c, const struct spec_facts *f, struct strbuf *b)
{
	struct err ignored;
	char number[16];
	int signal_number = 15;

	if (c->stop_signal != NULL)
		sig_parse(c->stop_signal, &signal_number, &ignored);
	snprintf(number, sizeof(number), "%d", signal_number);
	config_json_open(b, "annotations", '{');
	write_annotation(c, b, "io.container.manager", "libpod");
	write_annotation(c, b, "org.opencontainers.image.stopSignal", number);
	if (c->remove)
		write_annotation(c, b, "io.podman.annotations.autoremove", "TRUE");
	if (c->init)
		write_annotation(c, b, "io.podman.annotations.init", "TRUE");
	if (c->privileged)
		write_annotation(c, b, "io.podman.annotations.privileged", "TRUE");
	if (c->publish_all)
		write_annotation(c, b, "io.podman.annotations.publish-all", "TRUE");
	if (c->keep_groups)
		write_annotation(c, b, "run.oci.keep_original_groups", "1");
	for (size_t i = 0; i < c->annotations.n; i++)
		/* The compiled filter is ours alone to set: it replaces every other one. */
		if (strcmp(c->annotations.v[i].key, "run.oci.seccomp_bpf_data") != 0)
			config_json_str(b, c->annotations.v[i].key, c->annotations.v[i].value);
	if (f->seccomp_bpf != NULL)
		config_json_str(b, "run.oci.seccomp_bpf_data", f->seccomp_bpf);
	config_json_close(b, '}');
}

static bool
has_own_uts(const struct rec_ctr_config *c)
{
	return c->uts_ns == NULL || strcmp(c->uts_ns, "private") == 0;
}

int
spec_config_json(
    const struct rec_ctr_config *c, const struct spec_facts *f, struct strbuf *out, struct err *e)
{
	own_mem char *root = xasprintf("%s/rootfs", f->bundle);

	config_json_open(out, NULL, '{');
	config_json_str(out, "ociVersion", OCI_VERSION);
	if (config_process_write(c, f, NULL, "process", out, e) < 0)
		return -1;
	config_json_open(out, "root", '{');
	config_json_str(out, "path", root);
	if (c->read_only)
		config_json_bool(out, "readonly", true);
	config_json_close(out, '}');
	if (has_own_uts(c) && f->hostname != NULL)
		config_json_str(out, "hostname", f->hostname);
	if (config_mounts_write(c, f, out, e) < 0)
		return -1;
	write_annotations(c, f, out);
	if (config_linux_write(c, f, out, e) < 0)
		return -1;
	hooks_write(f->hooks, out);
	config_json_close(out, '}');
	return 0;
}

int
spec_config_exec_json(const struct rec_ctr_config *c, const struct spec_facts *f,
    const struct spec_exec *x, struct strbuf *out, struct err *e)
{
	return config_process_write(c, f, x, NULL, out, e);
}
