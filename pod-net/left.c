/* SPDX-License-Identifier: ISC */
#include "pod-net/left.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/fs/file.h"
#include "pod-net/state.h"

#define PREFIX "left-"
#define LEFT_MAX ((size_t)4 << 20)

void
left_note(int dir, const struct rec_net_hold *h)
{
	own_mem char *name = xasprintf(PREFIX "%s", h->interface);
	own_strbuf struct strbuf b = {0};
	struct err e = {0};

	if (faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return;
	wire_pack(&rec_net_hold_desc, h, &b);
	if (file_write(dir, name, b.s, b.n, 0600, 0, &e) != 0)
		log_warn("noting that bridge %s was left: %s", h->interface, e.text);
}

void
left_forget(int dir, const char *interface)
{
	own_mem char *name = xasprintf(PREFIX "%s", interface);

	(void)unlinkat(dir, name, 0);
}

int
left_all(int dir, struct strv *out, struct err *e)
{
	own_strv struct strv names = {0};

	if (state_all(&(struct state_dir){.fd = dir}, &names, e) != 0)
		return -1;
	for (size_t i = 0; i < names.n; i++)
		if (strncmp(names.v[i], PREFIX, sizeof PREFIX - 1) == 0)
			strv_add(out, names.v[i]);
	return 0;
}

int
left_read(int dir, const char *name, struct rec_net_hold *h, struct arena *a)
{
	own_mem char *bytes = NULL;
	struct err e = {0};
	size_t n;

	if (file_read(dir, name, LEFT_MAX, &bytes, &n, &e) == 0 &&
	    wire_unpack(&rec_net_hold_desc, bytes, n, h, a, &e) == 0)
		return 1;
	if (e.no != ENOENT)
		log_warn("%s: %s", name, e.text);
	return 0;
}
