/* SPDX-License-Identifier: ISC */
#include "pod-run/oci/spec_systemd.h"

#include <string.h>
#include <strings.h>

#include "common/base/own.h"
#include "common/cli/value.h"

const char *const spec_systemd_tmpfs[] = {"/run", "/run/lock", "/tmp", "/var/log/journal", NULL};

int
spec_systemd_read(const struct spec_input *in, struct rec_ctr_config *c, struct err *e)
{
	const char *mode = in->o->systemd, *size = in->o->shm_size_systemd;

	if (mode != NULL && *mode != '\0' && strcasecmp(mode, "true") != 0 &&
	    strcasecmp(mode, "false") != 0 && strcasecmp(mode, "always") != 0)
		return err_set(e, ERR_INVALID,
		    "invalid config provided: --systemd values must be one of \"true, false, "
		    "always\": invalid configuration");
	c->systemd = mode != NULL && strcasecmp(mode, "always") == 0;
	if (c->systemd && c->init)
		return err_set(
		    e, ERR_INVALID, "cannot use container-init binary with systemd=always");
	if (size != NULL && value_size(size, &c->systemd_size, e) < 0)
		return err_wrap(e, "unable to translate --shm-size-systemd");
	if (c->systemd_size < 0)
		return err_set(e, ERR_INVALID, "invalid value %s for --shm-size-systemd", size);
	return 0;
}

static bool
is_systemd(const char *command)
{
	static const char *const paths[] = {"/sbin/init", "/usr/sbin/init", "/usr/local/sbin/init"};
	const char *base = strrchr(command, '/');

	for (size_t i = 0; i < COUNTOF(paths); i++)
		if (strcmp(paths[i], command) == 0)
			return true;
	return strcmp(base != NULL ? base + 1 : command, "systemd") == 0;
}

void
spec_systemd_merge(const struct spec_input *in, struct rec_ctr_config *c)
{
	const char *mode = in->o->systemd;
	const char *command = c->entrypoint.n > 0 ? c->entrypoint.v[0]
			      : c->command.n > 0  ? c->command.v[0]
						  : "";

	if (mode == NULL || *mode == '\0' || strcasecmp(mode, "true") == 0)
		c->systemd = !c->init && is_systemd(command);
	if (!c->systemd)
		return;
	if (c->stop_signal == NULL)
		c->stop_signal = "SIGRTMIN+3";
}
